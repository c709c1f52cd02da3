import type { DeliveryInfo, AnyEvent } from '../model/event.ts'
import type { ClaimedDelivery } from '../inbox/inbox.ts'
import type { Attempt } from './attempt.ts'

/** A claimed delivery in this process, from the claim until its outcome is stored or its lease is lost. */
export interface Run {
  /**
   * Replaced when our own claim gives out the same delivery again while it runs: the attempt goes on under the new
   * token.
   */
  delivery: ClaimedDelivery
  /**
   * What our own claim gave out again after the attempt had ended, and before the inbox has answered to its outcome.
   */
  again: ClaimedDelivery | undefined
  /** Undefined where the stored event could not be read, or was not read. */
  readonly event: AnyEvent | undefined
  /** Undefined where nothing is run. */
  readonly attempt: Attempt | undefined
  /** What its handler may have begun by `context.transaction()`. */
  readonly transaction: { end(): void } | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Its handler has settled it by `context.transaction()`: whatever comes now, it is done. */
  isCommitted: boolean
  /** Set once: nothing that happens later changes what is stored. */
  fate: 'shutting_down' | 'lost' | 'ended' | undefined
}

/** True while the handler runs and the outcome is open. */
export function isUnderWay({ attempt, fate }: Run): boolean {
  return attempt !== undefined && (fate === undefined || fate === 'shutting_down')
}

/** A delivery as handlers and the merchant's onError and onDead see it. */
export function deliveryInfo({ id, handler, orderKey, event }: ClaimedDelivery): DeliveryInfo {
  const { realm, receivedAt } = event
  return orderKey === undefined ? { realm, id, handler, receivedAt } : { realm, id, handler, orderKey, receivedAt }
}
