import { Option } from 'commander'
import { pino } from 'pino'

import {
  RiverhookError,
  type AnyEvent,
  type EventDetail,
  type Inbox,
  type Interest,
  type NewDelivery,
  type Reading,
  type RiverhookOptions,
  type SourceHandlers
} from '../../index.ts'
import { deliveriesFor, handlersIn, matches } from '../../programs.ts'
import { logOutput } from '../../server/log-output.ts'
import { configuredSource, configuredSources } from '../config.ts'
import { withInbox } from '../inbox.ts'

/** Which handlers exist, and which deliveries an event gets. */
export interface KnownHandlers {
  readonly interest: Omit<Interest, 'for'> & { for(type: string): readonly { readonly name: string }[] }
  /** The names of the handlers that want an event of this source and type. */
  readonly namesFor: (event: { readonly source: string; readonly type: string }) => readonly string[]
  /** @param at the realm and the source of the event */
  readonly deliveriesOf: (
    event: AnyEvent,
    at: { readonly realm: string; readonly source: string }
  ) => readonly NewDelivery[]
  /** The handlers with their code, so with `schema` and `validate`. Empty when the list comes from the inbox. */
  readonly handlersOf: (type: string) => ReturnType<SourceHandlers['for']>
  /** Where the list comes from, for a person. */
  readonly from: string
}

/** Reads the event in a stored request. Commands have the default source, and those that the config file names. */
export function readStored({ source, headers, body }: Pick<EventDetail, 'source' | 'headers' | 'body'>): Reading {
  const known = configuredSources()
  const own = known.find(({ name }) => name === source)
  if (own !== undefined) return own.read({ headers, body })
  const message = `it came by the source ${source}, and this command can read those of ${known.map(({ name }) => name).join(', ')} alone: name the source in riverhook.config.ts, or call app.riverhook.replay() or app.riverhook.retryQuarantined() in your service`
  return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
}

/** Reads a stored event. @throws {RiverhookError} with the field and the rule */
export function eventIn(stored: Pick<EventDetail, 'source' | 'headers' | 'body'>): AnyEvent {
  const reading = readStored(stored)
  if (reading.ok) return reading.event
  throw new RiverhookError(reading.code, reading.message)
}

/** `--handlers`, for every command that needs to know the handlers. */
export function handlersOption(): Option {
  return new Option(
    '--handlers <folder>',
    "the folder of your handlers; without it, the list from the server's last start is used"
  ).env('RIVERHOOK_HANDLERS')
}

/**
 * The handlers that are given, or the list that the inbox keeps. That list has no `orderBy`, so `deliveriesOf` throws
 * RIVERHOOK_CLI_USAGE for a handler with one: a delivery without its order key would overtake others.
 */
export async function knownHandlers(
  given: RiverhookOptions['handlers'],
  inbox: Inbox | string
): Promise<KnownHandlers> {
  const source = configuredSource()
  if (given !== undefined) {
    const all = await handlersIn(given, source)
    const handlers = all.of(source.name)
    const log = pino({}, logOutput(2))
    return {
      interest: handlers,
      from: [given]
        .flat()
        .map((each) => (typeof each === 'string' ? each : 'the config file'))
        .join(', '),
      handlersOf: (type) => handlers.for(type),
      namesFor: ({ source, type }) =>
        all
          .of(source)
          .for(type)
          .map(({ name }) => name),
      deliveriesOf: (event, { realm, source }) => deliveriesFor(realm, event, all.of(source), log)
    }
  }
  const records =
    typeof inbox === 'string' ? await withInbox(inbox, (opened) => opened.handlers()) : await inbox.handlers()
  const recordsFor = (source: string, type: string): typeof records =>
    records.filter((record) => record.source === source && matches(record.pattern, type))
  return {
    interest: {
      all: records.filter((record) => record.source === source.name),
      for: (type) => recordsFor(source.name, type)
    },
    namesFor: ({ source, type }) => recordsFor(source, type).map(({ name }) => name),
    handlersOf: () => [],
    from: 'the inbox',
    deliveriesOf: ({ type }, { source }) =>
      recordsFor(source, type).map(({ name, ordered }) => {
        if (ordered === true) {
          throw new RiverhookError(
            'RIVERHOOK_CLI_USAGE',
            `The handler ${name} has an orderBy, and only its code can compute the order key of a new delivery. Give the folder with --handlers (or RIVERHOOK_HANDLERS); ` +
              'if the handlers are in your own service, call app.riverhook.backfill() or app.riverhook.replay() there'
          )
        }
        return { handler: name }
      })
  }
}
