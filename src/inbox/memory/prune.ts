import { purgedMark } from '../../model/purged-mark.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import type { PruneRequest, RemovalTarget } from '../inbox.ts'
import { isAsSeen } from '../seen-states.ts'
import type { Row } from './rows.ts'
import type { Store } from './store.ts'
import { advance } from './watermarks.ts'
import { pruneJobs } from './jobs.ts'

/**
 * Removes events with their deliveries, except those with a running delivery, or that are not as they were seen.
 * @returns how many
 */
export function remove(store: Store, targets: readonly RemovalTarget[]): number {
  const gone = new Set<Row>()
  for (const target of targets) {
    const row = store.find(target)
    if (row === undefined || row.deliveries.some(({ state }) => state === 'running')) continue
    if (isAsSeen(target.seen, { state: row.arrival.state, deliveries: row.deliveries })) gone.add(row)
  }
  for (const row of gone) store.drop(row)
  return gone.size
}

/** Purges old events whose deliveries are all done. */
export function prune(
  store: Store,
  { before, limit, after }: PruneRequest,
  now: number
): { purged: number; next: number | undefined } {
  if (after === undefined) pruneJobs(store, before)
  const rows = [...store.rows.values()].filter(({ seq }) => seq > (after ?? 0)).slice(0, limit)
  const old = rows.filter((row) => arrivalTime(row, now) < before.getTime())
  const settled = old.filter(isDone)
  for (const row of settled) {
    store.drop(row)
    advance(store, row.arrival.realm, purgedMark, new Date(arrivalTime(row, now)), now)
  }
  const isLast =
    rows.length < limit ||
    isPastOld(
      rows.filter((row) => !old.includes(row)).map(({ arrival }) => arrival.receivedAt.getTime()),
      now
    )
  return { purged: settled.length, next: isLast ? undefined : rows.at(-1)?.seq }
}

function arrivalTime({ arrival }: Row, now: number): number {
  return arrivedAt(arrival.receivedAt.getTime(), arrival.state === 'quarantined' ? undefined : arrival.createdTime, now)
}

function isDone({ arrival, deliveries }: Row): boolean {
  return arrival.state !== 'quarantined' && deliveries.every(({ state }) => state === 'done')
}
