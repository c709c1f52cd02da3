import type { Act } from '../../model/audit.ts'
import { purgedMark } from '../../model/purged-mark.ts'
import type { DeliveryState, EventState } from '../../model/event.ts'
import { removeResult } from '../act-results.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import type { EventStates, PruneRequest, RemovalTarget } from '../inbox.ts'
import { isAsSeen } from '../seen-states.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database, Row, Transaction } from './database.ts'
import { pruneJobs } from './jobs.ts'
import { readKey, lockKeys, lineUp } from './order.ts'
import { deleteKeysSql } from './reindex.ts'
import { indexed } from './storable.ts'
import { advanceSql } from './watermarks.ts'

/**
 * Removes events none of whose deliveries is running, and that are as they were seen. Locks their order keys first, and
 * then lets the deliveries continue that waited for them.
 */
export async function remove(
  database: Database,
  targets: readonly RemovalTarget[],
  act: Act | undefined,
  { fixed }: Times
): Promise<number> {
  const named = [targets.map(({ id }) => indexed(id)), targets.map(({ realm }) => indexed(realm))]
  const seen = new Map(targets.map((target) => [keyText(indexed(target.realm), indexed(target.id)), target.seen]))
  const keys = (await database.query(eventKeysSql, named)).map(readKey)
  return database.transaction(
    async (tx) => {
      const rows = await tx.query(
        `SELECT seq, realm, id, state FROM riverhook.event AS event WHERE ${isNamed}
       AND NOT EXISTS (SELECT 1 FROM riverhook.delivery WHERE event_seq = event.seq AND state = 'running') ORDER BY seq FOR UPDATE OF event`,
        named
      )
      const removed = await drop(
        tx,
        rows,
        (row, deliveries) =>
          deliveries.some(({ state }) => state === 'running') ||
          !isAsSeen(seen.get(keyText(row['realm'], row['id'])), { state: row['state'] as EventState, deliveries })
      )
      await lineUp(tx, keys)
      await writeAudit(tx, act, removeResult(targets.length, removed), fixed)
      return removed
    },
    { begin: lockKeys(keys) }
  )
}

function keyText(realm: unknown, id: unknown): string {
  return JSON.stringify([realm, id])
}

/** Matches the events given by two parameters: ids and realms. */
export const isNamed =
  '(event.id, event.realm) IN (SELECT id, realm FROM unnest($1::text[], $2::text[]) AS named (id, realm))'

export const eventKeysSql = `
SELECT DISTINCT d.handler, d.realm, d.order_key FROM riverhook.delivery AS d JOIN riverhook.event AS event ON event.seq = d.event_seq
WHERE ${isNamed} AND d.order_key IS NOT NULL`

/**
 * Purges old events whose deliveries are all done. Such deliveries hold no order key, so no locks are needed.
 * @param request.limit events checked per call
 */
export function prune(
  database: Database,
  { before, limit, after }: PruneRequest,
  { fixed }: Times
): Promise<{ readonly purged: number; readonly next: number | undefined }> {
  return database.transaction(async (tx) => {
    if (after === undefined) await pruneJobs(tx, before)
    const rows = await tx.query(oldestSql, [after ?? 0, limit])
    const now = fixed ?? (rows[0]?.['now'] as Date | undefined) ?? before
    const arrival = (row: Row): number =>
      arrivedAt((row['received_at'] as Date).getTime(), row['created_time'], now.getTime())
    const old = rows.filter((row) => arrival(row) < before.getTime())
    const settled = old.filter((row) => row['settled'] === true)
    const removed = await drop(tx, settled, (_row, deliveries) => deliveries.some(({ state }) => state !== 'done'))
    if (removed > 0) {
      for (const [realm, of] of [...Map.groupBy(settled, (row) => String(row['realm']))].sort())
        await tx.query(advanceSql, [realm, purgedMark, new Date(Math.max(...of.map(arrival))), fixed ?? null])
    }
    const isLast =
      rows.length < limit ||
      isPastOld(
        rows.filter((row) => !old.includes(row)).map((row) => (row['received_at'] as Date).getTime()),
        now.getTime()
      )
    return { purged: removed, next: isLast ? undefined : Number(rows.at(-1)?.['seq']) }
  })
}

const oldestSql = `
SELECT seq, realm, received_at, created_time, statement_timestamp() AS now, state <> 'quarantined'
  AND (SELECT true FROM riverhook.delivery AS d WHERE d.event_seq = event.seq AND d.state <> 'done' LIMIT 1) IS NULL AS settled
FROM riverhook.event AS event WHERE seq > $1 ORDER BY seq LIMIT $2 FOR UPDATE OF event SKIP LOCKED`

/**
 * Deletes events, except those that `isKept` selects by their deliveries. The caller must hold locks on the event rows,
 * so that no delivery is added meanwhile.
 */
async function drop(
  tx: Transaction,
  rows: readonly Row[],
  isKept: (row: Row, deliveries: EventStates['deliveries']) => boolean
): Promise<number> {
  if (rows.length === 0) return 0
  const seqs = rows.map((row) => row['seq'])
  // Check again: a delivery may have been claimed or replayed since the events were selected.
  const deliveries = await tx.query(
    'SELECT id, event_seq, handler, state FROM riverhook.delivery WHERE event_seq = ANY ($1::bigint[]) ORDER BY id FOR UPDATE',
    [seqs]
  )
  const byEvent = Map.groupBy(deliveries, (row) => row['event_seq'])
  const isGone = (row: Row): boolean => !isKept(row, (byEvent.get(row['seq']) ?? []).map(readStates))
  const gone = rows.filter(isGone).map((row) => row['seq'])
  const goneDeliveries = gone.flatMap((seq) => byEvent.get(seq) ?? [])
  await tx.query('DELETE FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[])', [
    goneDeliveries.map((row) => row['id'])
  ])
  await tx.query('DELETE FROM riverhook.delivery WHERE id = ANY ($1::bigint[])', [
    goneDeliveries.map((row) => row['id'])
  ])
  await tx.query('DELETE FROM riverhook.repeat WHERE event_seq = ANY ($1::bigint[])', [gone])
  await tx.query(deleteKeysSql, [gone])
  await tx.query('DELETE FROM riverhook.event WHERE seq = ANY ($1::bigint[])', [gone])
  return gone.length
}

function readStates(row: Row): EventStates['deliveries'][number] {
  return { handler: String(row['handler']), state: row['state'] as DeliveryState }
}
