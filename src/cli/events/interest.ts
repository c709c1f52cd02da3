import { Option } from 'commander'
import { pino } from 'pino'

import {
  deliveriesFor,
  digitalRiver,
  handlersIn,
  matches,
  RiverhookError,
  type Event,
  type Handlers,
  type Inbox,
  type Interest,
  type NewDelivery
} from '../../index.ts'
import { logOutput } from '../../server/log-output.ts'
import { withInbox } from '../inbox.ts'

/** Who is to be told, and which deliveries an event gives. */
export interface KnownHandlers {
  readonly interest: Omit<Interest, 'for'> & { for(type: string): readonly { readonly name: string }[] }
  readonly deliveriesOf: (event: Event) => readonly NewDelivery[]
  /** With their code, so with their `schema` and `validate`; empty where only the inbox was asked. */
  readonly handlersOf: (type: string) => ReturnType<Handlers['for']>
  /** For a person. */
  readonly from: string
}

/** Reads the Event in stored bytes. @throws {RiverhookError} with the field and the rule */
export function eventIn(body: Uint8Array): Event {
  const reading = digitalRiver().read({ headers: {}, body })
  if (reading.ok) return reading.event
  throw new RiverhookError(reading.code, reading.message)
}

/** `--handlers`, as every command has it that needs to know the handlers. */
export function handlersOption(): Option {
  return new Option(
    '--handlers <folder>',
    "the merchant's handlers; without it, those that the server last told the inbox"
  ).env('RIVERHOOK_HANDLERS')
}

/**
 * The handlers in a folder, with their order keys; or those that the inbox knows of. For one with an `orderBy`, which
 * only its code has, `deliveriesOf` throws RIVERHOOK_CLI_USAGE then: a delivery without its key would overtake
 * others.
 */
export async function knownHandlers(folder: string | undefined, inbox: Inbox | string): Promise<KnownHandlers> {
  if (folder !== undefined) {
    const handlers = await handlersIn(folder)
    const log = pino({}, logOutput(2))
    return {
      interest: handlers,
      from: folder,
      handlersOf: (type) => handlers.for(type),
      deliveriesOf: (event) => deliveriesFor(event, handlers, log)
    }
  }
  const records =
    typeof inbox === 'string' ? await withInbox(inbox, (opened) => opened.handlers()) : await inbox.handlers()
  const forType = (type: string): typeof records => records.filter(({ pattern }) => matches(pattern, type))
  return {
    interest: { all: records, for: forType },
    handlersOf: () => [],
    from: 'the inbox',
    deliveriesOf: ({ type }) =>
      forType(type).map(({ name, ordered }) => {
        if (ordered === true) {
          throw new RiverhookError(
            'RIVERHOOK_CLI_USAGE',
            `The handler ${name} has an orderBy, and only its code can tell the order key of a new delivery: give the folder with --handlers (or RIVERHOOK_HANDLERS), ` +
              'or where the handlers are in a service of yours, call app.riverhook.backfill() or app.riverhook.replay() there'
          )
        }
        return { handler: name }
      })
  }
}
