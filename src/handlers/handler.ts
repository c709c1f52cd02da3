import type { SchemaValue } from './schema-value.ts'
import type { AnyEvent, CustomEventType, DeliveryInfo, InboxTransaction, KeptHeaders } from '../model/event.ts'
import type { EventsOf, Source } from '../source/source.ts'
import type { Log } from '../model/log.ts'

/** The event types in a union of events; `string` if the union names none. */
export type KnownTypeOf<E extends AnyEvent> = Exclude<E['type'], CustomEventType>

/**
 * The event types that a pattern covers, as a type: `order.*` is all known types with that beginning, `*` is all types.
 * Unknown types may arrive too, so a `switch` over them needs a `default`.
 */
export type TypesOf<E extends AnyEvent, Pattern extends string> = string extends Pattern
  ? string
  : Pattern extends '*'
    ? KnownTypeOf<E>
    : Pattern extends `${infer Prefix}${'.' | '/' | ':'}*`
      ? TypesBelow<E, Pattern extends `${Prefix}${infer Separator}*` ? `${Prefix}${Separator}` : never>
      : Pattern extends CustomEventType<infer Type>
        ? Type
        : Pattern

type TypesBelow<E extends AnyEvent, Start extends string> = [Extract<KnownTypeOf<E>, `${Start}${string}`>] extends [
  never
]
  ? `${Start}${string}`
  : Extract<KnownTypeOf<E>, `${Start}${string}`>

/** The pattern, or `never` for a mistake: a literal that is neither a known event type, nor a prefix, nor `*`. */
export type PatternOf<E extends AnyEvent, Pattern extends string> = string extends Pattern
  ? Pattern
  : Pattern extends KnownTypeOf<E> | `${string}${'.' | '/' | ':'}*` | '*' | CustomEventType
    ? Pattern
    : KnownTypeOf<E>

/** Where an event holds its payload, as a type; `readonly string[]` if the source's type does not specify it. */
export type PathOf<S extends Source> = S extends { readonly payloadPath: infer Path extends readonly string[] }
  ? Path
  : readonly string[]

/**
 * The event of each type, so that `event.type` narrows the payload.
 * @typeParam E the source's union of events
 * @typeParam Own the payload according to the handler's own schema, if it has one
 * @typeParam Path where the payload is in the event
 */
export type EventOf<
  E extends AnyEvent,
  Type extends string,
  Own = never,
  Path extends readonly string[] = readonly string[]
> = [Own] extends [never] ? EventOfType<E, Type> : Extract<WithOwn<EventOfType<E, Type>, Path, Own>, AnyEvent>

type EventOfType<E extends AnyEvent, Type extends string> = string extends Type
  ? OtherEvent<E, Type>
  : Type extends string
    ? [Member<E, Type>] extends [never]
      ? OtherEvent<E, Type>
      : Member<E, Type>
    : never

/** The members of the union that have this type, or may have it. */
type Member<E extends AnyEvent, Type extends string> = E extends AnyEvent
  ? E['type'] extends Type
    ? E
    : Type extends E['type']
      ? WithType<E, Type>
      : never
  : never

/** An event of a type that the union does not name. */
type OtherEvent<E extends AnyEvent, Type extends string> = [CustomMember<E>] extends [never]
  ? WithType<string extends E['type'] ? E : AnyEvent, Type>
  : WithType<CustomMember<E>, Type>

type CustomMember<E extends AnyEvent> = E extends { readonly type: CustomEventType } ? E : never

type WithType<E extends AnyEvent, Type extends string> = {
  [Field in keyof E]: Field extends 'type' ? Type : E[Field]
}

/**
 * Gives the payload the type of a handler's own schema, unless the path is unknown or the payload is the event itself.
 */
type WithOwn<E, Path extends readonly string[], Own> = number extends Path['length']
  ? E
  : Path extends readonly []
    ? E & Own
    : WithPayload<E, Path, Own>

/** Replaces the type of the value at a path. */
type WithPayload<Value, Path extends readonly string[], Own> = Path extends readonly [
  infer Key,
  ...infer Rest extends readonly string[]
]
  ? { [Field in keyof Value]: Field extends Key ? WithPayload<Value[Field], Rest, Own> : Value[Field] }
  : Own

/** The second argument of a handler. */
export interface HandlerContext<E extends AnyEvent = AnyEvent> {
  readonly event: E
  /**
   * Counted from 1. Lost runs, whose process died, count too: from 2 on, an earlier run may have done part of the work.
   */
  readonly attempt: number
  readonly delivery: DeliveryInfo
  /** The path of the endpoint that received the event. */
  readonly endpoint: string
  /** The name of the event's source. */
  readonly source: string
  /**
   * The exact bytes that were received and stored; of a request with several events, this event's part. A copy: a
   * handler may change it. A backfilled event was written by the provider's API, so its bytes are that API's.
   */
  readonly body: Uint8Array
  /**
   * The request headers that were stored with the event: those that the source needs, and a content type other than
   * `application/json`. Names are in lower case.
   */
  readonly headers: KeptHeaders
  /** Aborted at the time limit, and when the process shuts down. Pass it to `fetch` and the like. */
  readonly signal: AbortSignal
  /** A child logger that carries event_id, event_type, handler and attempt. */
  readonly log: Log
  /**
   * Unique for this event and this handler, and the same on every attempt and every replay: pass it to APIs that
   * deduplicate. It is made of the event's realm and id and the handler's name, percent-encoded, separated by colons,
   * so it is valid in an HTTP header.
   */
  readonly idempotencyKey: string
  /**
   * Runs `work` in the database transaction that settles this delivery: the writes through `tx` and the state "done"
   * are committed together, or neither is, even if the process dies in between. Only with PostgreSQL as the inbox, and
   * once in an attempt. Do not commit or roll back in `work`: return, or throw. The handler's work after this call is
   * not retried.
   * @returns what `work` returns
   * @throws what `work` throws; RIVERHOOK_DELIVER_TRANSACTION, RIVERHOOK_DELIVER_LEASE_LOST,
   * RIVERHOOK_INBOX_UNAVAILABLE
   */
  readonly transaction: <Result>(work: (tx: InboxTransaction) => Promise<Result>) => Promise<Result>
}

/**
 * The user's function. It succeeds if it returns, or if its promise resolves. The result is ignored, with one
 * exception: work that Riverhook neither starts nor awaits (an Observable, a generator, a function, an array of
 * promises ...) fails with RIVERHOOK_DELIVER_NOT_BEGUN.
 */
export type HandlerFunction<E extends AnyEvent = AnyEvent> = (event: E, context: HandlerContext<E>) => unknown

/**
 * How a failed delivery is retried: exponential backoff with full jitter (each wait is random, from zero to the limit).
 */
export interface RetryOptions {
  /**
   * The most failed attempts, including the first. Default 10. A run that was lost while others ran beside it does not
   * count; a run that was lost while it ran alone does.
   */
  readonly attempts?: number | undefined
  /**
   * The longest wait before the second attempt, multiplied by `factor` for each later one: milliseconds, or a text such
   * as `5s` (default).
   */
  readonly base?: number | string | undefined
  /** The factor of the backoff from one attempt to the next. Default 3.7: ten attempts take 21 h on average. */
  readonly factor?: number | undefined
  /** The longest backoff: milliseconds, or a text such as `24h` (default). */
  readonly cap?: number | string | undefined
}

/** Options of one handler. */
export interface HandlerOptions<E extends AnyEvent = AnyEvent> {
  /**
   * A stable name. Deliveries are stored under it, so a handler with a new name is a new handler. Up to 200 characters.
   * Default: the pattern.
   */
  readonly name?: string | undefined
  readonly retry?: RetryOptions | undefined
  /**
   * The time limit of one attempt: milliseconds, or a text such as `30s` (default). At the limit the attempt has failed
   * and its `signal` is aborted. JavaScript cannot be stopped from outside: a handler that ignores the signal may still
   * be running when its next attempt starts.
   */
  readonly timeout?: number | string | undefined
  /** The most attempts of this handler at the same time in this process. Default 16. */
  readonly concurrency?: number | undefined
  /**
   * The order key of an event: for `order.*` take `orderIdOf`, for one type `(event) => event.data.object.id` is right.
   * Deliveries with the same key run one at a time, in order of arrival. Return a non-empty string or a number;
   * undefined, null and the empty string mean no order for this event; anything else is an error. Default: no order.
   */
  readonly orderBy?: ((event: E) => unknown) | undefined
  /**
   * The effect of a failing delivery on later ones with its order key: `block` (default) holds them until it is done or
   * dead; `skip` lets them run while it waits for its next attempt.
   */
  readonly onFailure?: 'block' | 'skip' | undefined
  /**
   * How to treat a payload that does not match its schema: `flag` accepts and counts it, `reject` answers 400 and
   * quarantines the event (for all handlers, because the sender gets one answer), `off` does not check. Default: the
   * endpoint's `validate`.
   */
  readonly validate?: 'flag' | 'reject' | 'off' | undefined
  /**
   * A JSON Schema or TypeBox schema of the payload (`event.data.object`, or where the source has it), in addition to
   * the provider's. It gives the handler's event its type. Draft-07, or 2019-09 or 2020-12 if its `$schema` says so. An
   * unknown keyword prevents the start, because it would not be checked.
   */
  readonly schema?: object | undefined
}

/** Options of a handler with its own schema, which gives the payload its type. */
export interface OwnSchemaOptions<Schema extends object, E extends AnyEvent = AnyEvent> extends HandlerOptions<E> {
  readonly schema: Schema
}

/** A handler as a value: `defineHandler` returns it, and everything that takes handlers accepts it. */
export interface HandlerDefinition {
  /** The source of the events. Undefined: the default source. */
  readonly source?: Source | undefined
  readonly pattern: string
  readonly options: HandlerOptions
  readonly run: HandlerFunction
}

/**
 * Takes a pattern, options (optional) and a function.
 * @typeParam E the source's union of events, which types the handlers
 * @typeParam Path where the payload is in the event
 */
export interface On<E extends AnyEvent, Path extends readonly string[], Result = void> {
  <const Pattern extends string>(
    pattern: PatternOf<E, Pattern>,
    run: HandlerFunction<EventOf<E, TypesOf<E, Pattern>>>
  ): Result
  <const Pattern extends string, const Schema extends object>(
    pattern: PatternOf<E, Pattern>,
    options: OwnSchemaOptions<Schema, EventOf<E, TypesOf<E, Pattern>, SchemaValue<Schema>, Path>>,
    run: HandlerFunction<EventOf<E, TypesOf<E, Pattern>, SchemaValue<Schema>, Path>>
  ): Result
  <const Pattern extends string>(
    pattern: PatternOf<E, Pattern>,
    options: HandlerOptions<EventOf<E, TypesOf<E, Pattern>>>,
    run: HandlerFunction<EventOf<E, TypesOf<E, Pattern>>>
  ): Result
}

/** Registers handlers of one source: `riverhook.from(source)` returns it. */
export interface SourceRegistrar<E extends AnyEvent = AnyEvent, Path extends readonly string[] = readonly string[]> {
  /**
   * Registers a handler for the event types that `pattern` covers: `order.accepted`, `order.*` or `*`. Several handlers
   * may cover one type; each has its own deliveries. For an event type that the source does not name, write
   * `on(eventType('x.y'), ...)`.
   * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN, RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_HANDLERS_NAME_CLASH, and
   * RIVERHOOK_HANDLERS_LATE after the start; from the start RIVERHOOK_HANDLERS_UNKNOWN_TYPE
   */
  readonly on: On<E, Path>
}

/** Registers what `defineHandler` returned. */
export interface OnAny<E extends AnyEvent, Path extends readonly string[]> extends On<E, Path> {
  (definition: HandlerDefinition): void
}

/** Where handlers are registered: `app.riverhook`, and the argument of a handlers file's function. */
export interface Registrar<E extends AnyEvent = AnyEvent, Path extends readonly string[] = readonly string[]> {
  /** Registers a handler of the default source, or one that `defineHandler` returned. See `SourceRegistrar.on`. */
  readonly on: OnAny<E, Path>
  /**
   * Registers handlers of another source: `riverhook.from(payments).on('invoice.paid', ...)`. The source gives them
   * their types. Names of handlers are unique over all sources.
   */
  from<S extends Source>(source: S): SourceRegistrar<EventsOf<S>, PathOf<S>>
}

/** See `defineHandler`. */
export interface DefineHandler<E extends AnyEvent, Path extends readonly string[]>
  extends On<E, Path, HandlerDefinition> {
  <S extends Source, const Pattern extends string>(
    source: S,
    pattern: PatternOf<EventsOf<S>, Pattern>,
    run: HandlerFunction<EventOf<EventsOf<S>, TypesOf<EventsOf<S>, Pattern>>>
  ): HandlerDefinition
  <S extends Source, const Pattern extends string, const Schema extends object>(
    source: S,
    pattern: PatternOf<EventsOf<S>, Pattern>,
    options: OwnSchemaOptions<
      Schema,
      EventOf<EventsOf<S>, TypesOf<EventsOf<S>, Pattern>, SchemaValue<Schema>, PathOf<S>>
    >,
    run: HandlerFunction<EventOf<EventsOf<S>, TypesOf<EventsOf<S>, Pattern>, SchemaValue<Schema>, PathOf<S>>>
  ): HandlerDefinition
  <S extends Source, const Pattern extends string>(
    source: S,
    pattern: PatternOf<EventsOf<S>, Pattern>,
    options: HandlerOptions<EventOf<EventsOf<S>, TypesOf<EventsOf<S>, Pattern>>>,
    run: HandlerFunction<EventOf<EventsOf<S>, TypesOf<EventsOf<S>, Pattern>>>
  ): HandlerDefinition
}

/** A handler in the registry: every setting has its value. */
export interface Handler {
  readonly name: string
  /** The name of the source of its events. */
  readonly source: string
  readonly pattern: string
  readonly run: HandlerFunction
  /** Undefined: the plugin's `retry`. */
  readonly retry: RetryOptions | undefined
  readonly timeoutMs: number
  readonly concurrency: number
  /**
   * The order key; undefined for an event without one. Throws what the user's function throws, and TypeError if its
   * result is not a key.
   */
  readonly orderBy: ((event: AnyEvent) => string | undefined) | undefined
  readonly onFailure: 'block' | 'skip'
  /** Undefined: the endpoint's `validate`. */
  readonly validate: 'flag' | 'reject' | 'off' | undefined
  readonly schema: object | undefined
}

/** The handlers of one source. */
export interface SourceHandlers {
  /** The handlers whose pattern covers the type, in order of registration. */
  for(type: string): readonly Handler[]
  readonly all: readonly Handler[]
}

/** The part of the registry that other folders may use. */
export interface Handlers {
  /** @param source the name of a source */
  of(source: string): SourceHandlers
  get(name: string): Handler | undefined
  /** The handlers of all sources, in order of registration. */
  readonly all: readonly Handler[]
}
