import type { XStatic } from 'typebox/schema'

import type { DeliveryInfo, Event, InboxTransaction, KnownEventType } from '../model/event.ts'
import type { CustomEventType } from './event-type.ts'
import type { Log } from '../model/log.ts'

/**
 * The event types that a pattern covers, as a type: `order.*` gives the known types that begin so, `*` all of them.
 * Others may arrive, too: a `switch` over them needs a `default`.
 */
export type TypesOf<Pattern extends string> = string extends Pattern
  ? string
  : Pattern extends '*'
    ? KnownEventType
    : Pattern extends `${infer Prefix}.*`
      ? Known<Prefix>
      : Pattern extends CustomEventType<infer Type>
        ? Type
        : Pattern

type Known<Prefix extends string> = [Extract<KnownEventType, `${Prefix}.${string}`>] extends [never]
  ? `${Prefix}.${string}`
  : Extract<KnownEventType, `${Prefix}.${string}`>

/** A pattern, if it is one: a literal that is no known event type, no prefix and not `*` is a mistake. */
export type PatternOf<Pattern extends string> = string extends Pattern
  ? Pattern
  : Pattern extends KnownEventType | `${string}.*` | '*' | CustomEventType
    ? Pattern
    : KnownEventType

/**
 * One Event for each type, so that `event.type` narrows the payload.
 * @typeParam Own the payload by the handler's own schema, where it has one
 */
export type EventOf<Type extends string, Own = never> = Type extends string
  ? [Own] extends [never]
    ? Event<Type>
    : Event<Type, Own>
  : never

/** What a handler is given besides the event. */
export interface HandlerContext<Type extends string = string, Own = never> {
  readonly event: EventOf<Type, Own>
  /**
   * Counted from 1. Lost runs, whose process died, are counted, too: from 2 on, an earlier run may have done part of
   * the work.
   */
  readonly attempt: number
  readonly delivery: DeliveryInfo
  /** The path of the endpoint that the event came in by. */
  readonly endpoint: string
  /** Aborted when the time limit is reached and when the process shuts down. Hand it to `fetch` and the like. */
  readonly signal: AbortSignal
  /** A child logger that carries event_id, event_type, handler and attempt. */
  readonly log: Log
  /**
   * The same on every attempt and every replay of this event for this handler, and of no other: pass it to APIs that
   * deduplicate. The event's id and the handler's name, percent-encoded, with a colon between them: fit for an HTTP
   * header.
   */
  readonly idempotencyKey: string
  /**
   * Runs `work` in the database transaction that settles this delivery: what it writes with `tx`, and "done", are
   * committed together, or neither is, also where the process dies in between. With PostgreSQL as the inbox only;
   * once in an attempt. Neither commit nor roll back in it: return, or throw. What the handler does after it is not
   * tried again.
   * @returns what `work` gives
   * @throws what `work` throws; RIVERHOOK_DELIVER_TRANSACTION, RIVERHOOK_DELIVER_LEASE_LOST,
   * RIVERHOOK_INBOX_UNAVAILABLE
   */
  readonly transaction: <Result>(work: (tx: InboxTransaction) => Promise<Result>) => Promise<Result>
}

/**
 * The merchant's function. It succeeds when it returns, or when its promise resolves. The result is ignored, with one
 * exception: work that Riverhook neither starts nor awaits (an Observable, a generator, a function, an array of
 * promises ...) fails with RIVERHOOK_DELIVER_NOT_BEGUN.
 */
export type HandlerFunction<Type extends string = string, Own = never> = (
  event: EventOf<Type, Own>,
  context: HandlerContext<Type, Own>
) => unknown

/** How a failed delivery is tried again: exponential backoff with full jitter (each wait is random from zero up). */
export interface RetryOptions {
  /**
   * Limit of failed attempts, including the first. Default 10. A run that was lost while others ran beside it does not
   * count; a run that was lost while it ran alone does.
   */
  readonly attempts?: number | undefined
  /**
   * The longest wait before the second attempt, in milliseconds; multiplied by `factor` for each one after. Default
   * 5,000.
   */
  readonly baseMs?: number | undefined
  /** What the backoff is multiplied by from one attempt to the next. Default 3.7: ten attempts take 21 h on average. */
  readonly factor?: number | undefined
  /** The longest backoff, in milliseconds. Default 86,400,000 (24 h). */
  readonly capMs?: number | undefined
}

/** Options of one handler. */
export interface HandlerOptions<Type extends string = string, Own = never> {
  /**
   * Stable: deliveries are stored under it, so a new name is a new handler. Up to 200 characters. Default: the pattern.
   */
  readonly name?: string | undefined
  readonly retry?: RetryOptions | undefined
  /**
   * The time limit of one attempt, in milliseconds. Default 30,000. At the limit the attempt has failed and its
   * `signal` is aborted. JavaScript cannot be stopped from outside: a handler that ignores the signal may still be
   * busy when its next attempt starts.
   */
  readonly timeout?: number | undefined
  /** How many attempts of this handler run at a time in this process. Default 16. */
  readonly concurrency?: number | undefined
  /**
   * Deliveries with one key run one at a time in order of arrival, for example `(event) => event.data.object.id`. A
   * non-empty string or a number is a key; undefined, null and the empty string mean no order for this event;
   * anything else is a fault. Default: no order at all.
   */
  readonly orderBy?: ((event: EventOf<Type, Own>) => unknown) | undefined
  /**
   * What a failing delivery does to the later ones of its key: `block` (default) holds them until it is done
   * or dead; `skip` lets them go on while it waits for its next attempt.
   */
  readonly onFailure?: 'block' | 'skip' | undefined
  /**
   * What is done about an event whose payload is not as its schema says: `flag` accepts and counts it, `reject`
   * answers 400 and quarantines it (for all handlers: the sender is answered once), `off` does not look. Default: the
   * endpoint's `validate`.
   */
  readonly validate?: 'flag' | 'reject' | 'off' | undefined
  /**
   * A JSON Schema, or a TypeBox schema, of `event.data.object`, beside what is known of the provider's. The handler's
   * event has its type. Draft-07, or 2019-09 or 2020-12 where its `$schema` says so; what in it would not be checked
   * stops the start.
   */
  readonly schema?: object | undefined
}

/** Options of a handler that brings its own schema, and so its own type of `event.data.object`. */
export interface OwnSchemaOptions<Type extends string, Schema extends object>
  extends HandlerOptions<Type, XStatic<Schema>> {
  readonly schema: Schema
}

/** A handler in a file of its own: what `defineHandler` returns. */
export interface HandlerDefinition {
  readonly pattern: string
  readonly options: HandlerOptions
  readonly run: HandlerFunction
}

/** Where handlers are registered: `app.riverhook`, and what a handlers file's function is given. */
export interface Registrar {
  /**
   * Registers a handler for the event types that `pattern` covers: `order.accepted`, `order.*` or `*`. Any number of
   * handlers may cover one type; each has its own deliveries. A type that is newer than the catalogue is said by
   * `eventType('x.y')`.
   * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN, RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_HANDLERS_NAME_CLASH,
   * and RIVERHOOK_HANDLERS_LATE after the start; from the start RIVERHOOK_HANDLERS_UNKNOWN_TYPE
   */
  on<const Pattern extends string>(pattern: PatternOf<Pattern>, run: HandlerFunction<TypesOf<Pattern>>): void
  on<const Pattern extends string, const Schema extends object>(
    pattern: PatternOf<Pattern>,
    options: OwnSchemaOptions<TypesOf<Pattern>, Schema>,
    run: HandlerFunction<TypesOf<Pattern>, XStatic<Schema>>
  ): void
  on<const Pattern extends string>(
    pattern: PatternOf<Pattern>,
    options: HandlerOptions<TypesOf<Pattern>>,
    run: HandlerFunction<TypesOf<Pattern>>
  ): void
}

/** A handler as the registry keeps it: every setting has its value. */
export interface Handler {
  readonly name: string
  readonly pattern: string
  readonly run: HandlerFunction
  /** Undefined: the plugin's `retry`. */
  readonly retry: RetryOptions | undefined
  readonly timeoutMs: number
  readonly concurrency: number
  /**
   * Undefined for an event without a key. Throws what the merchant's function throws, and TypeError when that gives
   * no key.
   */
  readonly orderBy: ((event: Event) => string | undefined) | undefined
  readonly onFailure: 'block' | 'skip'
  /** Undefined: the endpoint's. */
  readonly validate: 'flag' | 'reject' | 'off' | undefined
  readonly schema: object | undefined
}

/** What the rest of the house needs of the registry, and all that it may use of it. */
export interface Handlers {
  /** The handlers whose pattern covers the type, in order of registration. */
  for(type: string): readonly Handler[]
  get(name: string): Handler | undefined
  readonly all: readonly Handler[]
}
