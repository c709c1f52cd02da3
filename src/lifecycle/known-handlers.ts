import { errorText } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { hideValuesOf } from '../model/hidden-values.ts'
import type { Log } from '../model/log.ts'
import { didYouMean } from '../model/nearest.ts'
import { matches } from '../model/pattern.ts'
import { deliveriesFor } from '../handlers/deliveries.ts'
import type { Handler, Handlers, SourceHandlers } from '../handlers/registry.ts'
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
  /** @throws {RiverhookError} RIVERHOOK_HANDLERS_DIFFERENT where those given are not those of the server */
  of(source: string): KnownOfSource
  /** The handlers with their code, whose `schema` and `validate` count. None where only the names are known. */
  codeOf(source: string): Pick<SourceHandlers, 'for'>
  /** @throws {RiverhookError} RIVERHOOK_HANDLERS_NO_CODE where an order key cannot be computed; as `of` */
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
 * The handlers given to a command. Each use compares those of its source with those that the server had at its last
 * start: a delivery is created for each handler here, so one that is missing would lose its deliveries, and one without
 * the server's `orderBy` would overtake others. Uses that need no list are never refused: queries, and replays of
 * deliveries that exist. Where no server has started yet, any handlers are right.
 */
export function givenHandlers(registry: Handlers, records: readonly HandlerRecord[]): KnownHandlers {
  const of = (source: string): SourceHandlers => {
    const given = registry.of(source)
    const differences = records.length === 0 ? [] : listDifferences(given.all, records, source)
    if (differences.length > 0) throw different(source, differences)
    return given
  }
  return {
    of,
    codeOf: (source) => registry.of(source),
    deliveriesOf: ({ source }, event) =>
      of(source)
        .for(event.type)
        .map((handler) => ({ handler: handler.name, orderKey: computeOrderKey(handler, event) })),
    orderKeyOf(handler, { source }, event) {
      const found = of(source).all.find(({ name }) => name === handler)
      return found && computeOrderKey(found, event)
    }
  }
}

/** @throws {RiverhookError} RIVERHOOK_HANDLERS_NO_CODE when `orderBy` fails: the delivery would overtake others */
function computeOrderKey({ name, orderBy }: Handler, event: AnyEvent): string | undefined {
  try {
    return orderBy?.(event)
  } catch (error) {
    throw new RiverhookError(
      'RIVERHOOK_HANDLERS_NO_CODE',
      `The orderBy of the handler ${name} failed for the event ${event.id}, and without an order key its delivery ` +
        `would overtake others: ${errorText(error, hideValuesOf(event))}. Correct orderBy and run this again; or call ` +
        'app.riverhook.backfill() or app.riverhook.replay() in your service, which then delivers without an order key'
    )
  }
}

/** Each difference between the given handlers of a source and those that its server had, as part of a sentence. */
function listDifferences(
  given: readonly Handler[],
  records: readonly HandlerRecord[],
  source: string
): readonly string[] {
  const recorded = records.filter((record) => record.source === source)
  const names = recorded.map(({ name }) => name)
  const missing = recorded.filter(({ name }) => given.every((handler) => handler.name !== name))
  return [
    ...missing.map(({ name, pattern }) => `"${name}" for ${pattern} is missing`),
    ...given.flatMap(({ name, pattern, orderBy }) => {
      const record = recorded.find((each) => each.name === name)
      if (record === undefined) return [`the server has no "${name}"${didYouMean(name, names)}`]
      if (record.pattern !== pattern) return [`"${name}" is for ${pattern}, and for ${record.pattern} on the server`]
      const isOrdered = orderBy !== undefined
      if (isOrdered === (record.ordered === true)) return []
      return [`"${name}" has ${isOrdered ? 'an orderBy, and none' : 'no orderBy, but one'} on the server`]
    })
  ]
}

function different(source: string, differences: readonly string[]): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_DIFFERENT',
    `The handlers given for the source ${source} are not those of the server's last start, so deliveries would be ` +
      `missing or wrong: ${differences.join('; ')}. Give all handlers of the server (handlers and forward; --handlers, ` +
      "RIVERHOOK_HANDLERS and RIVERHOOK_FORWARD), or none of these: then the server's list is used. If these are the " +
      'new ones, start the server with them first'
  )
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
    `The handler ${handler} has an orderBy, and only its code can compute the order key of a new delivery. Give all ` +
      'handlers: the option handlers in a script, --handlers (or RIVERHOOK_HANDLERS) on the command line; if they are ' +
      'in your own service, call app.riverhook.backfill() or app.riverhook.replay() there'
  )
}
