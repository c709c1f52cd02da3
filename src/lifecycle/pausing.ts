import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'
import type { Handler } from '../handlers/registry.ts'
import type { Inbox } from '../inbox/inbox.ts'

/**
 * Pauses a handler of this receiver, or of a server of this inbox.
 * @param own this receiver's handlers
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN if there is no handler of that name
 */
export async function pauseHandler(inbox: Inbox, own: readonly Handler[], name: string): Promise<void> {
  const known = new Set([...own, ...(await inbox.handlers())].map((handler) => handler.name))
  if (!known.has(name)) throw unknown(name, [...known])
  await inbox.pause(name)
}

/**
 * Resumes a paused handler, also one that is no longer in the code.
 * @returns false if it was not paused
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN if there is no handler of that name, and none is paused
 */
export async function resumeHandler(inbox: Inbox, own: readonly Handler[], name: string): Promise<boolean> {
  if (await inbox.resume(name)) return true
  const known = new Set([...own, ...(await inbox.handlers())].map((handler) => handler.name))
  if (!known.has(name)) throw unknown(name, [...known])
  return false
}

function unknown(name: string, known: readonly string[]): RiverhookError {
  const list = known.length === 0 ? 'no server with handlers has used this inbox' : `there are ${known.join(', ')}`
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_UNKNOWN',
    `There is no handler "${name}"${didYouMean(name, known, { otherwise: `; ${list}` })}`
  )
}
