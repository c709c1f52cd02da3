import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
import type { EventKey, KeptHeaders, Receipt } from '../../model/event.ts'
import type { Claim, ClaimRequest, Lease } from './deliveries.ts'

/** The recording of events and of quarantined requests. Part of `Inbox`. */
export interface InboxArrivals {
  /**
   * Stores arrivals with their deliveries in one transaction. They are on disk when the promise resolves.
   * @returns a result for each arrival, in order. Detects duplicates within the call too. An error means that this
   * arrival was rejected: an engine may store the others without it
   */
  record(arrivals: readonly Arrival[]): Promise<readonly (RecordResult | RiverhookError)[]>

  /**
   * Stores arrivals as `record` does, and claims in the same transaction: first what is due, as `claim` does, and then
   * new deliveries, up to what is left of the limits. Of these, only those without an order key, of handlers that are
   * not paused and have nothing else due: none overtakes a backlog. Missing if the engine gains nothing by it.
   */
  recordAndClaim?(arrivals: readonly Arrival[], request: ClaimRequest): Promise<RecordedAndClaimed>

  /** Finds which of these event ids the realm has. At most 1,000 per call. */
  known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>>

  /**
   * Accepts quarantined requests that are valid now. Each becomes its event, in the same place in the order of arrival.
   * Puts all their deliveries in their lines before any of them can be claimed. If the event is known, keeps it:
   * removes a `duplicate`, and leaves a `conflict` quarantined.
   * @returns a result for each, in order. An error means that this request was rejected and stays quarantined. Then the
   * others were admitted in several transactions
   */
  admit(requests: readonly Admission[], act?: Act): Promise<readonly (AdmitResult | RiverhookError)[]>
}

/** An authentic request to be stored. */
export type Arrival = AcceptedArrival | QuarantinedArrival

interface ArrivalBase extends EventKey {
  /** The name of the source that read the request. */
  readonly source: string
  /** The exact bytes. An engine that keeps them in memory copies them: they may be a part of a large buffer. */
  readonly body: Uint8Array
  /** The headers that the source needs to read the event. */
  readonly headers: KeptHeaders
  readonly endpoint: string
  readonly receivedAt: Date
  readonly receipt: Receipt
  /** The trace of the request, as `packTrace` returns it. Default: none. */
  readonly trace?: string | undefined
}

/** The content of an event, as its source read it, and its deliveries. */
interface EventContent {
  readonly type: string
  readonly liveMode?: boolean | undefined
  /** As the sender wrote it. */
  readonly createdTime?: string | undefined
  /** The search keys, as `toSearchKeys` returns them. They are stored and deleted with the event. Default: none. */
  readonly about?: readonly string[] | undefined
  /** The id of the resource, as `toResource` returns it. */
  readonly resource?: string | undefined
  readonly deliveries: readonly NewDelivery[]
}

/** An event. `id` is the id that the sender gave it. */
export interface AcceptedArrival extends ArrivalBase, EventContent {
  readonly state: 'accepted'
}

/** An authentic request that is not a valid event. `id` is that of `quarantineIdOf`, so that retries are one row. */
export interface QuarantinedArrival extends ArrivalBase {
  readonly state: 'quarantined'
  /** The field and the rule that it breaks. */
  readonly reason: string
}

/** The event of a quarantined request that is valid now. It keeps the request's realm, source, headers and body. */
export interface Admission extends EventContent {
  /** The quarantined request. */
  readonly request: EventKey
  /** The id of its event, in the same realm. */
  readonly id: string
  /** The stored form of the body, if it depends on the id of the event. Default: as that of the request. */
  readonly body?: Uint8Array | undefined
  /** The stored form of the headers, if it depends on the id of the event. Default: as those of the request. */
  readonly headers?: KeptHeaders | undefined
}

export type AdmitResult = RecordResult | 'unknown_request'

export interface NewDelivery {
  readonly handler: string
  readonly orderKey?: string | undefined
}

/**
 * `conflict`: a duplicate with another body. The inbox keeps the first body. Never a conflict if one of the two was
 * backfilled: the API serialises the event again, so the bytes differ.
 */
export type RecordResult = 'accepted' | 'duplicate' | 'conflict'

/** The result of `recordAndClaim`. */
export interface RecordedAndClaimed {
  /** As those of `record`. */
  readonly results: readonly (RecordResult | RiverhookError)[]
  /** The claim of what was due before. */
  readonly claim: Claim
  /** The new deliveries that were claimed. */
  readonly claimed: readonly NewLease[]
}

/** The lease of a new delivery: its first. */
export interface NewLease extends Lease {
  readonly handler: string
  /** The index of its arrival in the call. */
  readonly arrival: number
}
