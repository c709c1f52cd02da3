import type { Handler } from '../handlers/registry.ts'
import { checkText } from '../inbox/check.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { unknownHandler } from './check-names.ts'

/**
 * Pauses a handler of this receiver, or of a server of this inbox.
 * @param own this receiver's handlers
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN if there is no handler of that name
 */
export async function pauseHandler(inbox: Inbox, own: readonly Handler[], name: string): Promise<void> {
  checkText(name, 'name of a handler')
  await requireHandler(inbox, own, name)
  await inbox.pause(name)
}

/**
 * Resumes a paused handler, also one that is no longer in the code.
 * @returns false if it was not paused
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN if there is no handler of that name, and none is paused
 */
export async function resumeHandler(inbox: Inbox, own: readonly Handler[], name: string): Promise<boolean> {
  if (await inbox.resume(name)) return true
  await requireHandler(inbox, own, name)
  return false
}

async function requireHandler(inbox: Inbox, own: readonly Handler[], name: string): Promise<void> {
  const known = [...own, ...(await inbox.handlers())]
  if (known.every((handler) => handler.name !== name)) throw unknownHandler(name, known)
}
