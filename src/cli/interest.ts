import { Option } from 'commander'
import { pino } from 'pino'

import { deliveriesFor, handlersIn, matches, type Event, type Inbox, type Interest, type NewDelivery } from '../index.ts'
import { withInbox } from './inbox.ts'

/** Who is to be told, and which deliveries an event gives. */
export interface KnownHandlers {
  readonly interest: Interest
  readonly deliveriesOf: (event: Event) => readonly NewDelivery[]
  /** For a person. */
  readonly from: string
}

/** `--handlers`, as every command has it that needs to know the handlers. */
export function handlersOption(): Option {
  return new Option('--handlers <folder>', "the merchant's handlers; without it, those that the server last told the inbox").env('RIVERHOOK_HANDLERS')
}

/** The handlers in a folder, with their order keys; or those that the inbox knows of, whose `orderBy` only the server's code has. */
export async function knownHandlers(folder: string | undefined, inbox: Inbox | string): Promise<KnownHandlers> {
  if (folder !== undefined) {
    const handlers = await handlersIn(folder)
    const log = pino(pino.destination(2))
    return { interest: handlers, from: folder, deliveriesOf: (event) => deliveriesFor(event, handlers, log) }
  }
  const records = typeof inbox === 'string' ? await withInbox(inbox, (opened) => opened.handlers()) : await inbox.handlers()
  const forType = (type: string): typeof records => records.filter(({ pattern }) => matches(pattern, type))
  return {
    interest: { all: records, for: forType },
    from: 'the inbox',
    deliveriesOf: ({ type }) => forType(type).map(({ name }) => ({ handler: name }))
  }
}
