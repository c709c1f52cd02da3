import { randomBytes } from 'node:crypto'

import type { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import { arrivedAt, isPastOld, type DriftNote, type FlagResult, type PruneRequest, type Watermark } from '../inbox.ts'
import type { Times } from './claim.ts'
import type { Database, Row, Transaction } from './database.ts'
import { keyOf, lockKeys, lineUp } from './order.ts'
import { inParts } from './parts.ts'
import { indexed } from './storable.ts'

/** By the database's clock. */
export async function clockTime(database: Database): Promise<Date> {
  const [row] = await database.query('SELECT statement_timestamp() AS now')
  return row?.['now'] as Date
}

export async function watermark(database: Database, realm: string, name: string): Promise<Date | undefined> {
  const [row] = await database.query('SELECT at FROM riverhook.watermark WHERE realm = $1 AND name = $2', [realm, name])
  return row?.['at'] as Date | undefined
}

export async function watermarks(database: Database): Promise<readonly Watermark[]> {
  const rows = await database.query('SELECT realm, name, at FROM riverhook.watermark')
  return rows.map((row) => ({ realm: String(row['realm']), name: String(row['name']), at: row['at'] as Date }))
}

const advanceSql = `
INSERT INTO riverhook.watermark AS mark (realm, name, at) VALUES ($1, $2, least($3::timestamptz, coalesce($4::timestamptz, statement_timestamp())))
ON CONFLICT (realm, name) DO UPDATE SET at = excluded.at WHERE mark.at < excluded.at OR mark.at > coalesce($4::timestamptz, statement_timestamp())`

export async function advance(
  database: Database,
  realm: string,
  name: string,
  to: Date,
  { fixed }: Times
): Promise<void> {
  await database.query(advanceSql, [realm, name, to, fixed ?? null])
}

/** See `inParts`. */
export function flag(
  database: Database,
  notes: readonly DriftNote[]
): Promise<readonly (FlagResult | RiverhookError)[]> {
  return inParts(notes, async (part) => {
    await flagAll(database, part)
    return part.map(() => 'flagged')
  })
}

/** In one order, whoever writes, so that replicas do not wait for each other in a ring. */
async function flagAll(database: Database, notes: readonly DriftNote[]): Promise<void> {
  const kinds = new Map<string, DriftNote[]>()
  for (const note of notes) {
    const kind = JSON.stringify([note.realm, note.type, note.path, note.rule, note.handler])
    kinds.set(kind, [...(kinds.get(kind) ?? []), note])
  }
  const sorted = [...kinds].sort(([one], [other]) => (one < other ? -1 : 1))
  await database.transaction(async (tx) => {
    for (const [, same] of sorted) {
      for (const { realm, type, path, rule, handler, count, firstAt, lastAt, eventId } of same) {
        await tx.query(flagSql, [
          indexed(realm),
          indexed(type),
          indexed(path),
          indexed(rule),
          indexed(handler),
          count,
          firstAt,
          lastAt,
          eventId
        ])
      }
    }
  })
}

const flagSql = `
INSERT INTO riverhook.drift AS drift (realm, type, path, rule, handler, count, first_at, last_at, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (realm, type, path, rule, handler) DO UPDATE SET
  count = drift.count + excluded.count, first_at = least(drift.first_at, excluded.first_at),
  event_id = CASE WHEN excluded.last_at > drift.last_at THEN excluded.event_id ELSE drift.event_id END, last_at = greatest(drift.last_at, excluded.last_at)`

/**
 * Removes events whose deliveries are not running. What they held goes on: the locks of their order keys come first.
 */
export async function remove(database: Database, events: readonly EventKey[]): Promise<number> {
  const named = [events.map(({ id }) => indexed(id)), events.map(({ realm }) => indexed(realm))]
  const keys = (await database.query(keysOfEventsSql, named)).map(keyOf)
  return database.transaction(
    async (tx) => {
      const rows = await tx.query(
        `SELECT seq FROM riverhook.event AS event WHERE ${isNamed}
       AND NOT EXISTS (SELECT 1 FROM riverhook.delivery WHERE event_seq = event.seq AND state = 'running') ORDER BY seq FOR UPDATE OF event`,
        named
      )
      const removed = await drop(tx, rows, (state) => state === 'running')
      await lineUp(tx, keys)
      return removed
    },
    { begin: lockKeys(keys) }
  )
}

/** The events of two parameters: ids and realms. */
const isNamed = '(event.id, event.realm) IN (SELECT id, realm FROM unnest($1::text[], $2::text[]) AS named (id, realm))'

const keysOfEventsSql = `
SELECT DISTINCT d.handler, d.realm, d.order_key FROM riverhook.delivery AS d JOIN riverhook.event AS event ON event.seq = d.event_seq
WHERE ${isNamed} AND d.order_key IS NOT NULL`

/** Only what is done is purged, and that holds no order key. @param request.limit how many events are looked at */
export function prune(
  database: Database,
  { before, limit, after }: PruneRequest,
  { fixed }: Times
): Promise<{ readonly purged: number; readonly next: number | undefined }> {
  return database.transaction(async (tx) => {
    const rows = await tx.query(oldestSql, [after ?? 0, limit])
    const now = fixed ?? (rows[0]?.['now'] as Date | undefined) ?? before
    const arrival = (row: Row): number =>
      arrivedAt((row['received_at'] as Date).getTime(), row['created_time'], now.getTime())
    const old = rows.filter((row) => arrival(row) < before.getTime())
    const settled = old.filter((row) => row['settled'] === true)
    const removed = await drop(tx, settled, (state) => state !== 'done')
    if (removed > 0) {
      for (const [realm, of] of [...Map.groupBy(settled, (row) => String(row['realm']))].sort())
        await tx.query(advanceSql, [realm, 'purged', new Date(Math.max(...of.map(arrival))), fixed ?? null])
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
SELECT seq, realm, received_at, created_time, statement_timestamp() AS now, state = 'accepted'
  AND (SELECT true FROM riverhook.delivery AS d WHERE d.event_seq = event.seq AND d.state <> 'done' LIMIT 1) IS NULL AS settled
FROM riverhook.event AS event WHERE seq > $1 ORDER BY seq LIMIT $2 FOR UPDATE OF event SKIP LOCKED`

/**
 * Deletes events, those excepted that have a delivery to be spared. The caller has their rows, so that nobody adds a
 * delivery.
 */
async function drop(tx: Transaction, rows: readonly Row[], isSpared: (state: unknown) => boolean): Promise<number> {
  if (rows.length === 0) return 0
  const seqs = rows.map((row) => row['seq'])
  // A delivery that was claimed or replayed since it was looked at keeps its event.
  const deliveries = await tx.query(
    'SELECT id, event_seq, state FROM riverhook.delivery WHERE event_seq = ANY ($1::bigint[]) ORDER BY id FOR UPDATE',
    [seqs]
  )
  const spared = new Set(deliveries.filter((row) => isSpared(row['state'])).map((row) => row['event_seq']))
  const gone = seqs.filter((seq) => !spared.has(seq))
  const goneDeliveries = deliveries.filter((row) => !spared.has(row['event_seq']))
  await tx.query('DELETE FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[])', [
    goneDeliveries.map((row) => row['id'])
  ])
  await tx.query('DELETE FROM riverhook.delivery WHERE id = ANY ($1::bigint[])', [
    goneDeliveries.map((row) => row['id'])
  ])
  await tx.query('DELETE FROM riverhook.repeat WHERE event_seq = ANY ($1::bigint[])', [gone])
  await tx.query('DELETE FROM riverhook.event WHERE seq = ANY ($1::bigint[])', [gone])
  return gone.length
}

/**
 * Proves that a write of more than a page can be committed: random bytes, which take the room that they have, and
 * tells how old the backlog is.
 */
export async function probe(database: Database, times: Times): Promise<Date | undefined> {
  return database.transaction(async (tx) => {
    await tx.query('INSERT INTO riverhook.probe (filler) VALUES ($1)', [randomBytes(16_384)])
    await tx.query('DELETE FROM riverhook.probe')
    return oldestDueAt(tx, times)
  })
}

/** When the longest overdue delivery fell due, in this process's time. */
export async function oldestDueAt(session: Pick<Database, 'query'>, { now, fixed }: Times): Promise<Date | undefined> {
  const [row] = await session.query(oldestDueSql, [fixed ?? null])
  const overdueMs = row?.['overdue_ms']
  return typeof overdueMs === 'number' && overdueMs >= 0 ? new Date(now - overdueMs) : undefined
}

// Looks at the head of the index of each handler.
const oldestDueSql = `
WITH RECURSIVE name (handler) AS (
  SELECT min(handler) FROM riverhook.delivery WHERE state IN ('pending', 'running')
  UNION ALL
  SELECT (SELECT min(handler) FROM riverhook.delivery WHERE state IN ('pending', 'running') AND handler > name.handler) FROM name WHERE handler IS NOT NULL
)
SELECT floor(extract(epoch FROM coalesce($1::timestamptz, statement_timestamp()) - min(head.due_at)) * 1000)::float8 AS overdue_ms
FROM name CROSS JOIN LATERAL (
  SELECT due_at FROM riverhook.delivery AS d
  WHERE d.handler = name.handler AND d.state IN ('pending', 'running') AND d.state = 'pending' ORDER BY due_at LIMIT 1) AS head`
