import { createHash } from 'node:crypto'

/**
 * The words of the field as types. Everything else is said in these terms.
 */

/** What every event has, whoever sends it. A handler is given the source's own shape. */
export interface AnyEvent {
  /** The same on every retry, and of no other event of the realm. */
  readonly id: string
  readonly type: string
  /** False for an event of the provider's test environment. Undefined where the source does not say. */
  readonly liveMode?: boolean | undefined
  /** When it happened, as the sender wrote it. */
  readonly createdTime?: string | undefined
}

declare const custom: unique symbol

/**
 * An event type that the source's catalogue does not have, named with `eventType()`. In a source's union of events,
 * the member whose `type` is `CustomEventType` is the shape of events of any other type.
 */
export type CustomEventType<Type extends string = string> = Type & { readonly [custom]: Type }

/**
 * What `context.transaction()` gives a handler to write with, by engine. An engine with transactions fills it in by
 * declaration merging.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merged into
export interface InboxTransactions {}

/** What a handler writes with, inside the transaction that settles its delivery. */
export type InboxTransaction = InboxTransactions[keyof InboxTransactions]

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
  readonly skewMs?: number
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
 * What names an event everywhere. The realm is the trust domain of an endpoint's credentials: whoever holds them can
 * reach the events of that realm and no others.
 */
export interface EventKey {
  readonly realm: string
  /** The provider's id. It is unique in its realm only. */
  readonly id: string
}

/** The headers of a request that its source needs to read the event, stored with it. Names are in lower case. */
export type KeptHeaders = Readonly<Record<string, string>>

/**
 * The id of a quarantined request, made from all that tells it from another one. Retries of it share one row. No event
 * can have such an id: see `identityFault`.
 */
export function quarantineIdOf(request: {
  readonly realm: string
  readonly endpoint: string
  readonly headers: KeptHeaders
  readonly body: Uint8Array
}): string {
  const { realm, endpoint, headers, body } = request
  const kept = Object.entries(headers).sort(([one], [other]) => (one < other ? -1 : 1))
  const digest = createHash('sha256')
    .update(JSON.stringify([realm, endpoint, kept]))
    .update(body)
    .digest('hex')
  return `quarantine_${digest.slice(0, 32)}`
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
export function identityFault(event: Pick<AnyEvent, 'id' | 'type' | 'createdTime'>): string | undefined {
  for (const field of ['id', 'type', 'createdTime'] as const) {
    const value: unknown = event[field]
    if (field === 'createdTime' && value === undefined) continue
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
 * Why an endpoint for `mode` refuses an event; undefined when it accepts the event, or has no mode, or when the source
 * does not say the mode of an event. The secret of a test endpoint must not be enough to send live events.
 */
export function modeFault(mode: EventMode | undefined, { liveMode }: Pick<AnyEvent, 'liveMode'>): string | undefined {
  if (mode === undefined || liveMode === undefined || liveMode === (mode === 'live')) return undefined
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
  /** The realm of the event: the trust domain of the endpoint that it came in by. */
  readonly realm: string
  /** The inbox's own number of the delivery. */
  readonly id: number
  readonly handler: string
  readonly orderKey?: string
  /** When the request that brought the event was received. */
  readonly receivedAt: Date
}
