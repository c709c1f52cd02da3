import type { DeliveryInfo, AnyEvent } from '../model/event.ts'
import type { ClaimedDelivery } from '../inbox/inbox.ts'
import type { Attempt } from './attempt.ts'

/** A claimed delivery in this process, from the claim until its outcome is stored or its lease is lost. */
export interface Run {
  /**
   * Replaced when we claim the same delivery again while it runs: the attempt continues with the new token.
   */
  delivery: ClaimedDelivery
  /**
   * The same delivery, claimed again by us after the attempt ended but before its outcome was stored.
   */
  again: ClaimedDelivery | undefined
  /** Undefined if the stored event could not be read, or was not read. */
  readonly event: AnyEvent | undefined
  /** Undefined if no handler runs. */
  readonly attempt: Attempt | undefined
  /** The transaction that its handler may have begun with `context.transaction()`. */
  readonly transaction: { end(): void } | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Its handler has committed with `context.transaction()`: the delivery is done, whatever happens now. */
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
