import { createHash } from 'node:crypto'

/**
 * The words of the field as types. Everything else is said in these terms.
 */

/**
 * What each known event type carries in `data.object`. The provider fills it in by declaration merging, so that the
 * core knows no provider.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merged into
export interface EventPayloads {}

/**
 * What `context.transaction()` gives a handler to write with, by engine. An engine with transactions fills it in by
 * declaration merging.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merged into
export interface InboxTransactions {}

/** What a handler writes with, inside the transaction that settles its delivery. */
export type InboxTransaction = InboxTransactions[keyof InboxTransactions]

/** The event types of the catalogue. The set that arrives is open. */
export type KnownEventType = Extract<keyof EventPayloads, string>

/** What is known of an event type's `data.object`. */
export type PayloadOf<Type extends string> = Type extends KnownEventType ? EventPayloads[Type] : Record<string, unknown>

/**
 * The attributes of a resource that changed, with the values from before; null for what was not there. So in its
 * parts, of which a sample has `stateTransitions: { activated: null }`; a list stands as it was.
 */
export type PreviousAttributes<Resource> = {
  readonly [Attribute in keyof Resource]?: PreviousValue<Resource[Attribute]> | null
}

type PreviousValue<Value> = Value extends string | readonly unknown[]
  ? Value
  : Value extends object
    ? PreviousAttributes<Value>
    : Value

/**
 * What Digital River sends: one thing that happened. The same `id` comes with every retry.
 *
 * @typeParam Type the literal event type where it is known, otherwise `string`
 * @typeParam Resource the shape of `data.object`
 */
export interface Event<Type extends string = string, Resource = PayloadOf<Type>> {
  /** Opaque and non-empty: a UUID in every known sample, but its format may change without notice. */
  readonly id: string
  /** Dot-separated, for example `order.accepted`. The set is open. */
  readonly type: Type
  readonly data: {
    /** Usually the resource that changed; possibly empty, possibly without an `id`. */
    readonly object: Resource
    /** Attributes that changed, with their former values. */
    readonly previousAttributes?: PreviousAttributes<Resource>
  }
  /** False in the provider's test environment. */
  readonly liveMode: boolean
  /** An ISO 8601 instant in UTC, with any number of fraction digits or none. */
  readonly createdTime: string
  /** The API version that the payload is written in, for example `2021-12-13`. */
  readonly digitalriverVersion?: string
  /** The provider's other spelling of `digitalriverVersion`. */
  readonly digitalRiverVersion?: string
  /** The webhooks that the event was sent to. */
  readonly webhookIds?: readonly string[]
  /** The provider's OpenAPI document requires it and does not say what it is. In no sample. */
  readonly pendingWebhooks?: unknown
}

/** What was found when a request was authenticated, kept with the event for good. */
export interface Receipt {
  /** When the request was judged. */
  readonly judgedAt: string
  /** The checks that held, for example `['signature', 'basic']`. */
  readonly checks: readonly string[]
  /** The position, counted from 1, of the secret that matched. Absent without a signature check. */
  readonly secret?: number
  /** The instant that the sender signed, as ISO 8601. */
  readonly signedAt?: string
  /** Our clock minus the signed instant, in milliseconds. Negative when the sender's clock is ahead. */
  readonly driftMs?: number
  /** The mode of the endpoint, if it has one: a retry from quarantine holds the event to it. */
  readonly mode?: EventMode
  /** The event was fetched from the provider's API, because its request had not reached us. */
  readonly backfilled?: true
}

/**
 * The state of a delivery.
 * - `pending`: due now or at a later time (a retry)
 * - `waiting`: another delivery with the same order key goes first
 * - `running`: claimed under a lease
 * - `done`: the handler succeeded
 * - `dead`: a dead letter: attempts used up, or the handler said "never"
 * - `parked`: no handler of that name is registered now; kept until one is
 */
export type DeliveryState = (typeof deliveryStates)[number]
export const deliveryStates = ['pending', 'waiting', 'running', 'done', 'dead', 'parked'] as const

/** The state of an event: accepted, or quarantined (authentic, but not an Event we could accept). */
export type EventState = (typeof eventStates)[number]
export const eventStates = ['accepted', 'quarantined'] as const

/**
 * The id of a quarantined request, made from its endpoint and its body. Retries share one row; equal bodies at two
 * endpoints do not. No event can have such an id: see `identityFault`.
 */
export function quarantineIdOf(body: Uint8Array, endpoint: string): string {
  return `quarantine_${createHash('sha256').update(`${endpoint}\0`).update(body).digest('hex').slice(0, 32)}`
}

const quarantineId = /^quarantine_[0-9a-f]{32}$/

/**
 * The longest id, type and time of an event, in characters: they are indexed, logged, and remembered for each
 * distinct value.
 */
const longestIdentity = 256

/**
 * Why the id, type or time of an event cannot be stored distinctly by every engine; undefined when they can. Each may
 * have up to 256 characters of well-formed Unicode: texts that differ only in a lone surrogate would be equal in a
 * database. Ids in the form of quarantined requests are reserved: an event with such an id could prevent a request from
 * being quarantined.
 * @returns a sentence that names the field and the rule, never the value
 */
export function identityFault(event: Pick<Event, 'id' | 'type' | 'createdTime'>): string | undefined {
  for (const field of ['id', 'type', 'createdTime'] as const) {
    const value: unknown = event[field]
    if (typeof value !== 'string' || value === '')
      return `The Event's field "${field}" must be a text that is not empty`
    if (value.length > longestIdentity)
      return `The Event's field "${field}" must not be longer than ${longestIdentity} characters`
    if (!value.isWellFormed())
      return `The Event's field "${field}" must be well-formed Unicode: it holds half of a surrogate pair`
    if (value.includes('\0')) return `The Event's field "${field}" must not hold a NUL character`
  }
  return quarantineId.test(event.id)
    ? 'The Event\'s field "id" must not have the form of the id of a quarantined request'
    : undefined
}

/** The provider's environments: test, and live for real customers. */
export type EventMode = 'test' | 'live'

/**
 * Why an endpoint for `mode` refuses an event; undefined when it accepts the event, or has no mode. The secret of a
 * test endpoint must not be enough to send live events.
 */
export function modeFault(mode: EventMode | undefined, { liveMode }: Pick<Event, 'liveMode'>): string | undefined {
  if (mode === undefined || liveMode === (mode === 'live')) return undefined
  return `The Event's field "liveMode" must be ${String(mode === 'live')}: this endpoint is for ${mode} events`
}

/** How one attempt ended: what the dispatcher tells the inbox. */
export type Outcome =
  | { readonly state: 'done' }
  /** Try again at `dueAt`. `releaseKey` lets later deliveries of the same order key overtake meanwhile. */
  | { readonly state: 'retry'; readonly dueAt: Date; readonly error: string; readonly releaseKey: boolean }
  | { readonly state: 'dead'; readonly error: string }
  /**
   * The run did not end: its process died, stalled, or ended because of an error that nothing caught. Due again at
   * `dueAt`. `counts` says whether it uses up one of the handler's attempts.
   */
  | {
      readonly state: 'lost'
      readonly dueAt: Date
      readonly error: string
      readonly counts: boolean
      readonly releaseKey: boolean
    }
  /** Handed back unfinished (shutdown): due at once, and the attempt is not counted. */
  | { readonly state: 'released' }
  /** No handler of that name is registered in this process. */
  | { readonly state: 'parked' }

/** A delivery as handlers and hooks see it. */
export interface DeliveryInfo {
  /** The inbox's own number of the delivery. */
  readonly id: number
  readonly handler: string
  readonly orderKey?: string
  /** When the request that brought the event was received. */
  readonly receivedAt: Date
}
