import type { Handler } from '../handlers/registry.ts'
import type { Pace } from './pace.ts'
import type { RetryRule } from './retry.ts'

/** A registered handler, with the state that the dispatcher keeps for it. */
export interface Lane {
  readonly handler: Handler
  readonly rule: RetryRule
  /** How many attempts are running. */
  running: number
  /** How many deliveries claims under way may return. */
  reserved: number
  /** How many claimed deliveries wait for a slot of the handler. */
  prefetched: number
  readonly pace: Pace
  /** False after a claim that returned less than its limit, until a hint that something is due. */
  mayBeDue: boolean
}

/** How many deliveries to claim for a handler. */
export interface Want {
  readonly lane: Lane
  readonly limit: number
}

/** Half of each, at least one. */
export function halfOf(wants: readonly Want[]): readonly Want[] {
  return wants.map(({ lane, limit }) => ({ lane, limit: Math.ceil(limit / 2) }))
}

/** How many slots of a handler are taken. */
export function takenSlots(lane: Lane): number {
  return Math.min(heldBy(lane), lane.handler.concurrency)
}

/** How many deliveries of a handler are claimed, or may be by claims under way, beyond its slots. */
export function takenAhead(lane: Lane): number {
  return heldBy(lane) - takenSlots(lane)
}

function heldBy({ running, reserved, prefetched }: Lane): number {
  return running + reserved + prefetched
}
