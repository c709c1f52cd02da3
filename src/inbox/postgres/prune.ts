import type { Act } from '../../model/audit.ts'
import { purgedMark } from '../../model/purged-mark.ts'
import type { DeliveryState, EventState } from '../../model/event.ts'
import { removeResult } from '../act-results.ts'
import { arrivedAt, isPastOld } from '../arrival-time.ts'
import type { PruneRequest, PruneResult, RemovalTarget } from '../inbox.ts'
import { countPurged, findPurgeKind } from '../purge-kind.ts'
import { isAsSeen } from '../seen-states.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database, Row, Transaction } from './database.ts'
import { pruneJobs } from './jobs.ts'
import { readKey, lockKeys, lineUp } from './order.ts'
import { deleteKeysSql } from './reindex.ts'
import { indexed } from './storable.ts'
import { advanceSql } from './watermarks.ts'

/** Removes events with their deliveries, and lets the deliveries continue that waited for them. @returns how many */
export function remove(
  database: Database,
  targets: readonly RemovalTarget[],
  act: Act | undefined,
  { fixed }: Times
): Promise<number> {
  return changeSeen(database, targets, async (tx, rows, deliveries) => {
    await drop(tx, rows, deliveries)
    await writeAudit(tx, act, removeResult(targets.length, rows.length), fixed)
    return rows.length
  })
}

/**
 * Changes the events that are as they were seen, without erased ones and those with a running delivery, in one
 * transaction. Locks their order keys first, and then lets the deliveries continue that waited for them.
 * @param work gets the events and their deliveries, which are locked
 */
export async function changeSeen<Result>(
  database: Database,
  targets: readonly RemovalTarget[],
  work: (tx: Transaction, rows: readonly Row[], deliveries: readonly HeldDelivery[]) => Promise<Result>
): Promise<Result> {
  const named = [targets.map(({ id }) => indexed(id)), targets.map(({ realm }) => indexed(realm))]
  const seen = new Map(targets.map((target) => [keyText(indexed(target.realm), indexed(target.id)), target.seen]))
  const keys = (await database.query(eventKeysSql, named)).map(readKey)
  return database.transaction(
    async (tx) => {
      const rows = await tx.query(changeableSql, named)
      const byEvent = await lockDeliveries(tx, rows)
      const unchanged = rows.filter((row) => {
        const deliveries = byEvent.get(row['seq']) ?? []
        return (
          deliveries.every(({ state }) => state !== 'running') &&
          isAsSeen(seen.get(keyText(row['realm'], row['id'])), { state: row['state'] as EventState, deliveries })
        )
      })
      const result = await work(
        tx,
        unchanged,
        unchanged.flatMap((row) => byEvent.get(row['seq']) ?? [])
      )
      await lineUp(tx, keys)
      return result
    },
    { begin: lockKeys(keys) }
  )
}

function keyText(realm: unknown, id: unknown): string {
  return JSON.stringify([realm, id])
}

/** Matches the events given by two parameters: ids and realms. */
const isNamed = '(event.id, event.realm) IN (SELECT id, realm FROM unnest($1::text[], $2::text[]) AS named (id, realm))'

const eventKeysSql = `
SELECT DISTINCT d.handler, d.realm, d.order_key FROM riverhook.delivery AS d JOIN riverhook.event AS event ON event.seq = d.event_seq
WHERE ${isNamed} AND d.order_key IS NOT NULL`

// A delivery may be claimed or replayed before its lock is acquired, so its state is checked again.
const changeableSql = `
SELECT seq, realm, id, state FROM riverhook.event AS event WHERE ${isNamed} AND state <> 'erased'
AND NOT EXISTS (SELECT 1 FROM riverhook.delivery WHERE event_seq = event.seq AND state = 'running') ORDER BY seq FOR UPDATE OF event`

/**
 * Purges old events. Of their deliveries, only parked ones hold an order key: locks these keys first, and then lets the
 * deliveries continue that waited behind them.
 */
export async function prune(database: Database, request: PruneRequest, { fixed }: Times): Promise<PruneResult> {
  const { before, deadBefore, limit, after = 0 } = request
  const parked = deadBefore === undefined ? [] : await database.query(parkedSql, [after, limit])
  const locked = new Set(parked.map((row) => row['id']))
  const keys = parked.map(readKey)
  return database.transaction(
    async (tx) => {
      if (after === 0) await pruneJobs(tx, before)
      const rows = await tx.query(oldestSql, [after, limit])
      const now = fixed ?? (rows[0]?.['now'] as Date | undefined) ?? before
      const arrival = (row: Row): number =>
        arrivedAt((row['received_at'] as Date).getTime(), row['created_time'], now.getTime())
      const old = rows.filter((row) => arrival(row) < before.getTime())
      const kinds = new Map(
        old.map((row) => [
          row,
          findPurgeKind(request, {
            state: row['state'] as EventState,
            arrivedAt: arrival(row),
            isOpen: row['open'] === true,
            stoppedAt: (row['stopped_at'] as Date | null)?.getTime()
          })
        ])
      )
      const wanted = old.filter((row) => kinds.get(row) !== undefined)
      const byEvent = await lockDeliveries(tx, wanted)
      const deliveriesOf = (row: Row): readonly HeldDelivery[] => byEvent.get(row['seq']) ?? []
      // Check again: a delivery may have been claimed or replayed since the events were selected.
      const gone = wanted.filter((row) =>
        deliveriesOf(row).every(
          ({ id, state, hasKey }) =>
            state === 'done' ||
            (kinds.get(row) === 'dead' && (state === 'dead' || (state === 'parked' && (!hasKey || locked.has(id)))))
        )
      )
      await drop(tx, gone, gone.flatMap(deliveriesOf))
      await lineUp(tx, keys)
      const handled = gone.filter((row) => kinds.get(row) !== 'quarantined')
      for (const [realm, of] of [...Map.groupBy(handled, (row) => String(row['realm']))].sort())
        await tx.query(advanceSql, [realm, purgedMark, new Date(Math.max(...of.map(arrival))), fixed ?? null])
      const isLast =
        rows.length < limit ||
        isPastOld(
          rows.filter((row) => !old.includes(row)).map((row) => (row['received_at'] as Date).getTime()),
          now.getTime()
        )
      return {
        ...countPurged(gone.map((row) => kinds.get(row))),
        next: isLast ? undefined : Number(rows.at(-1)?.['seq'])
      }
    },
    { begin: lockKeys(keys) }
  )
}

// Subqueries with LIMIT, or an aggregate, force an index lookup per event.
const oldestSql = `
SELECT seq, realm, state, received_at, created_time, statement_timestamp() AS now,
  coalesce((SELECT true FROM riverhook.delivery AS d
    WHERE d.event_seq = event.seq AND d.state NOT IN ('done', 'dead', 'parked') LIMIT 1), false) AS open,
  (SELECT max(CASE d.state WHEN 'dead' THEN coalesce(d.settled_at, d.due_at) ELSE d.due_at END) FROM riverhook.delivery AS d
    WHERE d.event_seq = event.seq AND d.state IN ('dead', 'parked')) AS stopped_at
FROM riverhook.event AS event WHERE seq > $1 ORDER BY seq LIMIT $2 FOR UPDATE OF event SKIP LOCKED`

/** The parked deliveries with an order key of these events. */
const parkedSql = `
SELECT parked.* FROM (SELECT seq FROM riverhook.event WHERE seq > $1 ORDER BY seq LIMIT $2) AS oldest
CROSS JOIN LATERAL (
  SELECT d.id, d.handler, d.realm, d.order_key FROM riverhook.delivery AS d
  WHERE d.event_seq = oldest.seq AND d.state = 'parked' AND d.order_key IS NOT NULL OFFSET 0) AS parked`

/** A delivery whose row is locked. */
export interface HeldDelivery {
  readonly id: unknown
  readonly handler: string
  readonly state: DeliveryState
  readonly hasKey: boolean
}

/**
 * Locks the deliveries of events. The caller must hold locks on the event rows, so that no delivery is added meanwhile.
 * @returns the deliveries by the `seq` of their event
 */
async function lockDeliveries(tx: Transaction, rows: readonly Row[]): Promise<Map<unknown, readonly HeldDelivery[]>> {
  if (rows.length === 0) return new Map()
  const deliveries = await tx.query(
    'SELECT id, event_seq, handler, state, order_key IS NOT NULL AS has_key FROM riverhook.delivery WHERE event_seq = ANY ($1::bigint[]) ORDER BY id FOR UPDATE',
    [rows.map((row) => row['seq'])]
  )
  const groups = Map.groupBy(deliveries, (row) => row['event_seq'])
  return new Map([...groups].map(([seq, rows]) => [seq, rows.map(readHeld)]))
}

function readHeld(row: Row): HeldDelivery {
  return {
    id: row['id'],
    handler: String(row['handler']),
    state: row['state'] as DeliveryState,
    hasKey: row['has_key'] === true
  }
}

/** Deletes events and their deliveries, whose rows are locked. */
async function drop(tx: Transaction, rows: readonly Row[], deliveries: readonly HeldDelivery[]): Promise<void> {
  if (rows.length === 0) return
  const seqs = rows.map((row) => row['seq'])
  const ids = deliveries.map(({ id }) => id)
  await tx.query('DELETE FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[])', [ids])
  await tx.query('DELETE FROM riverhook.delivery WHERE id = ANY ($1::bigint[])', [ids])
  await tx.query('DELETE FROM riverhook.repeat WHERE event_seq = ANY ($1::bigint[])', [seqs])
  await tx.query(deleteKeysSql, [seqs])
  await tx.query('DELETE FROM riverhook.event WHERE seq = ANY ($1::bigint[])', [seqs])
}
