import { Option } from 'commander'

import type { RiverhookOptions, Source } from '../../index.ts'
import { handlersIn, recordedHandlers, type KnownOfSource } from '../../programs.ts'
import { withInbox } from '../inbox.ts'

/** `--handlers`, for every command that needs to know the handlers. */
export function handlersOption(): Option {
  return new Option(
    '--handlers <folder>',
    "the folder of your handlers; without it, the list from the server's last start is used"
  ).env('RIVERHOOK_HANDLERS')
}

/** Whether handlers are given, so that the list of the inbox is not used. */
export function areGiven(given: RiverhookOptions['handlers'], forward: RiverhookOptions['forward']): boolean {
  return given !== undefined || forward !== undefined
}

/** Where the handlers come from, for a person. */
export function describeHandlers(given: RiverhookOptions['handlers'], forward: RiverhookOptions['forward']): string {
  if (!areGiven(given, forward)) return 'the inbox'
  return [
    ...[given ?? []].flat().map((each) => (typeof each === 'string' ? each : 'the config file')),
    ...(forward === undefined ? [] : ['RIVERHOOK_FORWARD'])
  ].join(', ')
}

/**
 * The handlers of a source: those given and those that forward, which needs no inbox, or else those that the inbox
 * lists.
 */
export async function handlersOf(
  source: Pick<Source, 'name'>,
  given: RiverhookOptions['handlers'],
  inbox: string,
  forwards: Pick<RiverhookOptions, 'forward' | 'forwardSecret'>
): Promise<KnownOfSource> {
  if (areGiven(given, forwards.forward)) return (await handlersIn(given, source, forwards)).of(source.name)
  return handlersAtServer(source, inbox)
}

/** The handlers of a source that the server had at its last start, as the inbox lists them. */
export async function handlersAtServer(source: Pick<Source, 'name'>, inbox: string): Promise<KnownOfSource> {
  const records = await withInbox(inbox, (opened) => opened.handlers())
  return recordedHandlers(records).of(source.name)
}
