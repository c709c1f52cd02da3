import { createHash } from 'node:crypto'

/**
 * The words of the field as types. Everything else is said in these terms.
 */

/**
 * What each known event type carries in `data.object`. The provider fills it in by declaration merging, so that the core knows no
 * provider.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merged into
export interface EventPayloads {}

/**
 * What `context.transaction()` gives a handler to write with, by engine. An engine with transactions fills it in by declaration merging.
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
 * The attributes of a resource that changed, with the values from before; null for what was not there. So in its parts, of which a sample
 * has `stateTransitions: { activated: null }`; a list stands as it was.
 */
export type PreviousAttributes<Resource> = { readonly [Attribute in keyof Resource]?: PreviousValue<Resource[Attribute]> | null }

type PreviousValue<Value> = Value extends string | readonly unknown[] ? Value : Value extends object ? PreviousAttributes<Value> : Value

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

/** The id of a quarantined request, made from its body, so that retries of it are one row. */
export function quarantineIdOf(body: Uint8Array): string {
  return `quarantine_${createHash('sha256').update(body).digest('hex').slice(0, 32)}`
}

/** How one attempt ended: what the dispatcher tells the inbox. */
export type Outcome =
  | { readonly state: 'done' }
  /** Try again at `dueAt`. `releaseKey` lets later deliveries of the same order key overtake meanwhile. */
  | { readonly state: 'retry'; readonly dueAt: Date; readonly error: string; readonly releaseKey: boolean }
  | { readonly state: 'dead'; readonly error: string }
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
