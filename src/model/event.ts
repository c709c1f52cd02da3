import { createHash } from 'node:crypto'

/** The basic types. All other modules use these terms. */

/** The fields of every event, from any source. A handler gets the full event of its source. */
export interface AnyEvent {
  /** The same on every retry, and unique within the realm. */
  readonly id: string
  readonly type: string
  /** False for an event of the provider's test environment. Undefined if the source has no such distinction. */
  readonly liveMode?: boolean | undefined
  /** When it happened, in the sender's own notation. */
  readonly createdTime?: string | undefined
}

declare const custom: unique symbol

/**
 * An event type that is not in the source's catalogue, named with `eventType()`. In a source's union of events, the
 * member whose `type` is `CustomEventType` describes the events of all other types.
 */
export type CustomEventType<Type extends string = string> = Type & { readonly [custom]: Type }

/**
 * The object that `context.transaction()` passes to a handler, by engine. An engine with transactions adds its own by
 * declaration merging.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merged into
export interface InboxTransactions {}

/** The argument of the function that runs in the transaction that settles the delivery. */
export type InboxTransaction = InboxTransactions[keyof InboxTransactions]

/** How a request was authenticated. Stored with the event permanently. */
export interface Receipt {
  /** When the request was authenticated. */
  readonly judgedAt: string
  /** The checks that passed, for example `['signature', 'basic']`. */
  readonly checks: readonly string[]
  /** The position of the secret that matched, counted from 1. Absent without a signature check. */
  readonly secret?: number
  /** The time that the sender signed, in ISO 8601. */
  readonly signedAt?: string
  /** Our clock minus the signed time, in milliseconds. Negative if the sender's clock is ahead. */
  readonly skewMs?: number
  /** The mode of the endpoint, if it has one. A retry of a quarantined request checks the event against it. */
  readonly mode?: EventMode
  /** True if the event was fetched from the provider's API, because its request had not arrived. */
  readonly backfilled?: true
}

/**
 * The state of a delivery.
 * - `pending`: due now or at a later time (a retry)
 * - `waiting`: an earlier event with the same order key is not finished
 * - `running`: claimed under a lease
 * - `done`: the handler succeeded
 * - `dead`: a dead letter: its attempts are used up, or its handler threw a PermanentError
 * - `parked`: no handler of that name is registered now; kept until there is one
 */
export type DeliveryState = (typeof deliveryStates)[number]
export const deliveryStates = ['pending', 'waiting', 'running', 'done', 'dead', 'parked'] as const

/** The state of a delivery that is not done. `pending` is due now, `later` is pending and due at a later time. */
export type OpenState = (typeof openStates)[number]
export const openStates = ['pending', 'later', 'waiting', 'running', 'dead', 'parked'] as const

/** The state of an event: `accepted`, or `quarantined` (the request is authentic, but not a valid event). */
export type EventState = (typeof eventStates)[number]
export const eventStates = ['accepted', 'quarantined', 'erased'] as const

/**
 * Names an event everywhere. The realm is the trust domain of an endpoint's credentials: a sender with these
 * credentials can send events of that realm and no other.
 */
export interface EventKey {
  readonly realm: string
  /** The provider's id. Unique within its realm only. */
  readonly id: string
}

/** The request headers that the source needs to read the event. Stored with the event. Names are in lower case. */
export type KeptHeaders = Readonly<Record<string, string>>

/**
 * The id of a quarantined request, made from everything that distinguishes it, so that its retries share one row. No
 * event can have such an id: see `identityFault`.
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
 * In characters: the most for the id, the type and the time of an event. These are indexed, logged, and kept in memory
 * for each distinct value.
 */
const longestIdentity = 256

/**
 * Why the id, type or time of an event cannot be stored exactly by every engine; undefined if they can. Each may have
 * up to 256 characters of well-formed Unicode: a database would treat texts as equal that differ only in a lone
 * surrogate. Ids in the form of quarantined requests are reserved, because an event with such an id could prevent a
 * request from being quarantined.
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
 * Why an endpoint for `mode` refuses an event. Undefined if it accepts the event, if it has no mode, or if the source
 * does not set `liveMode`. The secret of a test endpoint must not be enough to send live events.
 */
export function modeFault(mode: EventMode | undefined, { liveMode }: Pick<AnyEvent, 'liveMode'>): string | undefined {
  if (mode === undefined || liveMode === undefined || liveMode === (mode === 'live')) return undefined
  return `The Event's field "liveMode" must be ${String(mode === 'live')}: this endpoint is for ${mode} events`
}

/** How one attempt ended: the dispatcher passes it to the inbox. */
export type Outcome =
  | { readonly state: 'done' }
  /** Retry at `dueAt`. With `releaseKey`, later deliveries of the same order key may run before it. */
  | { readonly state: 'retry'; readonly dueAt: Date; readonly error: string; readonly releaseKey: boolean }
  | { readonly state: 'dead'; readonly error: string }
  /**
   * The run did not end: its process died, stalled, or ended because of an uncaught error. Due again at `dueAt`.
   * `counts` is true if it uses up one of the handler's attempts.
   */
  | {
      readonly state: 'lost'
      readonly dueAt: Date
      readonly error: string
      readonly counts: boolean
      readonly releaseKey: boolean
    }
  /** Handed back unfinished (shutdown): due at once; the attempt does not count. */
  | { readonly state: 'released' }
  /** No handler of that name is registered in this process. */
  | { readonly state: 'parked' }

/** A delivery as handlers and callbacks see it. */
export interface DeliveryInfo {
  /** The realm of the event: the trust domain of the endpoint that received it. */
  readonly realm: string
  /** The inbox's own number for the delivery. */
  readonly id: number
  readonly handler: string
  readonly orderKey?: string
  /** When the request with the event was received. */
  readonly receivedAt: Date
}
