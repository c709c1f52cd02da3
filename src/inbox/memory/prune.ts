import { purgedMark } from '../../model/purged-mark.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import type { PruneRequest, PruneResult, RemovalTarget } from '../inbox.ts'
import { countPurged, findPurgeKind, type PurgeCandidate } from '../purge-kind.ts'
import { isAsSeen } from '../seen-states.ts'
import type { Row } from './rows.ts'
import type { Store } from './store.ts'
import { advance } from './watermarks.ts'
import { pruneJobs } from './jobs.ts'

/** Removes events with their deliveries. @returns how many */
export function remove(store: Store, targets: readonly RemovalTarget[]): number {
  const rows = findSeen(store, targets)
  for (const row of rows) store.drop(row)
  return rows.length
}

/** Finds the events that are as they were seen, without erased ones and those with a running delivery. */
export function findSeen(store: Store, targets: readonly RemovalTarget[]): readonly Row[] {
  return targets.flatMap((target) => {
    const row = store.find(target)
    if (row === undefined || row.arrival.state === 'erased') return []
    if (row.deliveries.some(({ state }) => state === 'running')) return []
    return isAsSeen(target.seen, { state: row.arrival.state, deliveries: row.deliveries }) ? row : []
  })
}

/** Purges old events. */
export function prune(store: Store, request: PruneRequest, now: number): PruneResult {
  const { before, limit, after } = request
  if (after === undefined) pruneJobs(store, before)
  const rows = [...store.rows.values()].filter(({ seq }) => seq > (after ?? 0)).slice(0, limit)
  const old = rows.filter((row) => arrivalTime(row, now) < before.getTime())
  const kinds = old.flatMap((row) => {
    const kind = findPurgeKind(request, {
      state: row.arrival.state,
      arrivedAt: arrivalTime(row, now),
      ...standing(row)
    })
    if (kind === undefined) return []
    store.drop(row)
    if (kind !== 'quarantined') advance(store, row.arrival.realm, purgedMark, new Date(arrivalTime(row, now)), now)
    return kind
  })
  const isLast =
    rows.length < limit ||
    isPastOld(
      rows.filter((row) => !old.includes(row)).map(({ arrival }) => arrival.receivedAt.getTime()),
      now
    )
  return { ...countPurged(kinds), next: isLast ? undefined : rows.at(-1)?.seq }
}

function arrivalTime({ arrival }: Row, now: number): number {
  return arrivedAt(arrival.receivedAt.getTime(), arrival.state === 'quarantined' ? undefined : arrival.createdTime, now)
}

function standing({ deliveries }: Row): Pick<PurgeCandidate, 'isOpen' | 'stoppedAt'> {
  const stopped = deliveries.flatMap(({ state, settledAt, dueAt }) =>
    state === 'dead' ? (settledAt ?? dueAt) : state === 'parked' ? dueAt : []
  )
  return {
    isOpen: deliveries.some(({ state }) => state === 'pending' || state === 'waiting' || state === 'running'),
    stoppedAt: stopped.length === 0 ? undefined : Math.max(...stopped)
  }
}
