import type { EventState } from '../model/event.ts'
import type { PruneRequest, PruneResult } from './inbox.ts'

/** An event that may be old enough to be purged. Times are in milliseconds since the epoch. */
export interface PurgeCandidate {
  readonly state: EventState
  readonly arrivedAt: number
  /** True if a delivery is due, waits in its line or runs. */
  readonly isOpen: boolean
  /**
   * When the last of its dead letters became dead, or the last of its parked deliveries was due. Undefined if it has
   * neither.
   */
  readonly stoppedAt: number | undefined
}

/** Why an event is purged: as one that is done, as one with a dead letter or a parked delivery, or as quarantined. */
export type PurgeKind = 'done' | 'dead' | 'quarantined'

/** Decides whether an event is purged. Every engine asks this. @returns undefined if it is kept */
export function findPurgeKind(
  { before, deadBefore, quarantinedBefore }: PruneRequest,
  { state, arrivedAt, isOpen, stoppedAt }: PurgeCandidate
): PurgeKind | undefined {
  const isOld = (limit: Date | undefined, time: number): boolean => limit !== undefined && time < limit.getTime()
  if (state === 'quarantined') return isOld(quarantinedBefore, arrivedAt) ? 'quarantined' : undefined
  if (isOpen) return undefined
  if (stoppedAt === undefined) return isOld(before, arrivedAt) ? 'done' : undefined
  return isOld(deadBefore, Math.max(arrivedAt, stoppedAt)) ? 'dead' : undefined
}

/** Counts what was purged. */
export function countPurged(kinds: readonly (PurgeKind | undefined)[]): Omit<PruneResult, 'next'> {
  const count = (wanted: PurgeKind): number => kinds.filter((kind) => kind === wanted).length
  return { purged: kinds.length, dead: count('dead'), quarantined: count('quarantined') }
}
