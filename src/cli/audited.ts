import type { Act, ActResult } from '../index.ts'
import { errorText } from '../programs.ts'
import { commandActor } from './actor.ts'
import { withInbox } from './inbox.ts'
import { printError } from './output.ts'

/** An act of this command. */
export function commandAct(action: string, target: string): Act {
  return { actor: commandActor(), action, target }
}

/**
 * Enters something that was done outside of the inbox in the audit log. Never rejects: without an inbox, such as on a
 * machine that only has the API key, prints a warning.
 */
export async function enterAct(address: string, action: string, target: string, effect: ActResult): Promise<void> {
  try {
    await withInbox(address, (inbox) => inbox.audit(commandAct(action, target), effect))
  } catch (error) {
    printError(`riverhook: warning: done, but not entered in the audit log: ${errorText(error)}`)
  }
}

/** A webhook for the audit log: the address without a user, a password and parameters, which may be secrets. */
export function webhookTarget(id: string, address: string): string {
  const url = URL.parse(address)
  return url === null ? id : `${id} ${url.origin}${url.pathname}`
}
