import type { AnyEvent } from '../model/event.ts'
import type { Arrival, Claim, ClaimedDelivery, ClaimRequest } from './inbox.ts'

/** Claims new deliveries in the transaction that records their events: see `Inbox.recordAndClaim`. */
export interface Claimer {
  /** Reserves slots for deliveries of these arrivals. @returns undefined if none may be claimed now */
  reserve(arrivals: readonly Arrival[]): Reservation | undefined
}

export interface Reservation {
  readonly request: ClaimRequest
  /**
   * Starts what was claimed, in the next turn of the event loop, when the answers are written. Call it once.
   * @param claim undefined if the call failed
   */
  readonly end: (claim: Claim | undefined, claimed: readonly NewlyClaimed[]) => void
}

export interface NewlyClaimed {
  readonly delivery: ClaimedDelivery
  /** The event as it was read, for one of its deliveries. The others need their own copies. */
  readonly event: AnyEvent | undefined
  /** True if the sender got an error at its deadline. */
  readonly isLate: boolean
}
