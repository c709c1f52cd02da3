import type { Handler } from '../handlers/registry.ts'
import { pauseResult, resumeResult } from '../inbox/act-results.ts'
import { checkText } from '../inbox/check.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { ActOptions } from '../interface.ts'
import type { Audit } from './audit.ts'
import { unknownHandler } from './check-names.ts'

export interface PausingParts {
  readonly inbox: Inbox
  readonly audit: Audit
  /** This receiver's handlers. */
  readonly own: readonly Handler[]
}

/**
 * Pauses a handler of this receiver, or of a server of this inbox.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN if there is no handler of that name
 */
export async function pauseHandler(
  { inbox, audit, own }: PausingParts,
  name: string,
  { by }: ActOptions = {}
): Promise<void> {
  checkText(name, 'name of a handler')
  await requireHandler(inbox, own, name)
  await audit.run({ action: 'handler.pause', target: name, by }, (act) => inbox.pause(name, act), pauseResult)
}

/**
 * Resumes a paused handler, also one that is no longer in the code.
 * @returns false if it was not paused
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN if there is no handler of that name, and none is paused
 */
export async function resumeHandler(
  { inbox, audit, own }: PausingParts,
  name: string,
  { by }: ActOptions = {}
): Promise<boolean> {
  checkText(name, 'name of a handler')
  if (!(await inbox.pauses()).some(({ handler }) => handler === name)) await requireHandler(inbox, own, name)
  return audit.run({ action: 'handler.resume', target: name, by }, (act) => inbox.resume(name, act), resumeResult)
}

async function requireHandler(inbox: Inbox, own: readonly Handler[], name: string): Promise<void> {
  const known = [...own, ...(await inbox.handlers())]
  if (known.every((handler) => handler.name !== name)) throw unknownHandler(name, known)
}
