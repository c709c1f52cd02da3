import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { matches } from '../model/pattern.ts'
import { deliveriesFor } from '../handlers/deliveries.ts'
import type { Handlers, SourceHandlers } from '../handlers/registry.ts'
import type { HandlerRecord, NewDelivery } from '../inbox/inbox.ts'

/** The handlers of one source, as far as they are known. */
export interface KnownOfSource {
  readonly all: readonly { readonly name: string; readonly pattern: string }[]
  /** The handlers that take an event type. */
  for(type: string): readonly { readonly name: string; readonly pattern: string }[]
}

/** Where an event belongs. */
export interface EventPlace {
  readonly realm: string
  /** The name of its source. */
  readonly source: string
}

/**
 * Which handlers exist, and which deliveries an event gets. The deliveries of a handler that no longer exists are
 * parked until a handler of that name is back: see `Inbox.adopt()`, and `adopt.ts` of each engine.
 */
export interface KnownHandlers {
  of(source: string): KnownOfSource
  /** The handlers with their code, whose `schema` and `validate` count. None where only the names are known. */
  codeOf(source: string): Pick<SourceHandlers, 'for'>
  /** @throws {RiverhookError} RIVERHOOK_HANDLERS_NO_CODE where an order key cannot be computed */
  deliveriesOf(at: EventPlace, event: AnyEvent): NewDelivery[]
  /** The order key of one handler's delivery. @throws as `deliveriesOf` */
  orderKeyOf(handler: string, at: EventPlace, event: AnyEvent): string | undefined
}

/** The handlers that are registered in this process. */
export function registeredHandlers(registry: Handlers, log: Log): KnownHandlers {
  return {
    of: (source) => registry.of(source),
    codeOf: (source) => registry.of(source),
    deliveriesOf: ({ realm, source }, event) => deliveriesFor(realm, event, registry.of(source), log),
    orderKeyOf(handler, { realm, source }, event) {
      const only = (type: string): ReturnType<SourceHandlers['for']> =>
        registry
          .of(source)
          .for(type)
          .filter(({ name }) => name === handler)
      return deliveriesFor(realm, event, { for: only }, log)[0]?.orderKey
    }
  }
}

/**
 * The handlers that the server had at its last start, as the inbox lists them. That list has no `orderBy`: a delivery
 * without its order key would overtake others, so it is not created.
 */
export function recordedHandlers(records: readonly HandlerRecord[]): KnownHandlers {
  const of = (source: string): KnownOfSource => {
    const all = records.filter((record) => record.source === source)
    return { all, for: (type) => all.filter(({ pattern }) => matches(pattern, type)) }
  }
  const isOrdered = (handler: string): boolean =>
    records.some(({ name, ordered }) => name === handler && ordered === true)
  return {
    of,
    codeOf: () => ({ for: () => [] }),
    deliveriesOf: ({ source }, { type }) =>
      of(source)
        .for(type)
        .map(({ name }) => {
          if (isOrdered(name)) throw withoutCode(name)
          return { handler: name }
        }),
    orderKeyOf(handler) {
      if (isOrdered(handler)) throw withoutCode(handler)
      return undefined
    }
  }
}

function withoutCode(handler: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_NO_CODE',
    `The handler ${handler} has an orderBy, and only its code can compute the order key of a new delivery. Give the ` +
      'folder with --handlers (or RIVERHOOK_HANDLERS); if the handlers are in your own service, call ' +
      'app.riverhook.backfill() or app.riverhook.replay() there'
  )
}
