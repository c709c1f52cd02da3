import type { Command } from 'commander'

import { RiverhookError, type EventFilter, type Inbox, type RemoveOptions } from '../../index.ts'
import { inboxOption } from '../inbox.ts'
import { startProgress } from '../print.ts'
import { addFilter, filterOf, findEvent, isOpen, refuseBesideId, type FilterFlags } from './filter.ts'

export interface ActFlags extends FilterFlags {
  readonly inbox: string
  readonly yes?: true
}

/** Adds what a command needs that removes or erases one event, or all of a filter. */
export function addChoice(command: Command, argument: string): Command {
  return addFilter(command).argument('[id]', argument).option('--yes', 'do not ask').addOption(inboxOption())
}

/**
 * Refuses a command without an id and without a filter, and a filter beside an id.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export function checkChoice(id: string | undefined, flags: ActFlags, example: string): void {
  if (id === undefined) {
    if (!isOpen(flags)) return
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `Give an ID or a filter, for example ${example}`)
  }
  refuseBesideId(flags, [
    ...(['about', 'type', 'endpoint', 'live', 'test', 'state', 'handler', 'error', 'where'] as const),
    ...(['since', 'until'] as const)
  ])
}

/** The filter of a command: that of its flags, or the event of the id. */
export async function choiceOf(
  inbox: Inbox,
  id: string | undefined,
  flags: ActFlags
): Promise<Omit<EventFilter, 'limit' | 'after'>> {
  return id === undefined ? filterOf(flags) : { id, realm: (await findEvent(inbox, id, flags.realm)).realm }
}

/** Shows the progress of an act on events. @param act gets the options of the act */
export async function showProgress<Result>(
  total: number,
  filter: RemoveOptions['filter'],
  act: (options: RemoveOptions) => Promise<Result>
): Promise<Result> {
  const progress = await startProgress(total, 'events')
  const onProgress = (count: number): void => {
    progress.add(count)
  }
  return act({ filter, onProgress }).finally(() => {
    progress.stop()
  })
}
