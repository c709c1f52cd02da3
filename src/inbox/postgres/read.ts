import type { EventKey } from '../../model/event.ts'
import type * as contract from '../inbox.ts'
import { readAttempts, readDelivery, readDetail, readStats } from '../rows.ts'
import type { Times } from './claim.ts'
import type { Row, Session } from './database.ts'
import { deliveryKindsSql, isListed } from './kinds.ts'
import { oldestDueAt } from './probe.ts'
import { indexed } from './storable.ts'

/** Finds one event with all its details. */
export async function findEvent(session: Session, { realm, id }: EventKey): Promise<contract.EventDetail | undefined> {
  const [row] = await session.query(
    `SELECT ${eventColumns}, receipt, headers, trace, body FROM ${eventTables} WHERE event.id = $1 AND event.realm = $2`,
    [indexed(id), indexed(realm)]
  )
  if (row === undefined) return undefined
  const deliveries = (await readDeliveries(session, [row])).get(row['seq']) ?? []
  const attempts = await session.query(
    'SELECT delivery_id, attempt, state, started_at, ended_at, error FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[]) ORDER BY id',
    [deliveries.map((delivery) => delivery['id'])]
  )
  const keys = await session.query('SELECT value FROM riverhook.event_key WHERE event_seq = $1 ORDER BY value', [
    row['seq']
  ])
  return {
    ...readDetail(row, keys),
    deliveries: deliveries.map((delivery) => ({
      ...readDelivery(delivery),
      attemptLog: readAttempts(
        delivery,
        attempts.filter((attempt) => attempt['delivery_id'] === delivery['id'])
      )
    }))
  }
}

export async function countAll(session: Session, times: Times): Promise<contract.InboxStats> {
  const deliveries = await session.query(countDeliveriesSql)
  const events = await session.query(countEventsSql)
  return { ...readStats(events, deliveries), oldestDueAt: await oldestDueAt(session, times) }
}

/** Counts the index entries of each kind, without the deliveries. */
const countDeliveriesSql = `
WITH kind AS (${deliveryKindsSql('NULL::text')})
SELECT realm, handler, state, (
  SELECT count(*) FROM riverhook.delivery AS d
  WHERE ${isListed('d')} AND d.handler = kind.handler AND d.realm = kind.realm AND d.state = kind.state)::float8 AS count
FROM kind ORDER BY handler COLLATE "C"`

/** Counts index entries, without the events. */
const countEventsSql = `
WITH total AS (
  SELECT realm, sum((SELECT count(*) FROM riverhook.event AS event WHERE event.kind = kind.id)) AS count
  FROM riverhook.kind AS kind GROUP BY realm
), quarantined AS (
  SELECT realm, count(*) AS count FROM riverhook.event WHERE state = 'quarantined' GROUP BY realm
), backfilled AS (
  SELECT realm, count(*) AS count FROM riverhook.event WHERE backfilled GROUP BY realm
), repeated AS (
  SELECT event.realm, sum(repeat.duplicates) AS duplicates, sum(repeat.conflicts) AS conflicts
  FROM riverhook.repeat AS repeat JOIN riverhook.event AS event ON event.seq = repeat.event_seq GROUP BY event.realm
)
SELECT realm, (total.count - coalesce(quarantined.count, 0))::float8 AS events, coalesce(quarantined.count, 0)::float8 AS quarantined,
  coalesce(backfilled.count, 0)::float8 AS backfilled, coalesce(duplicates, 0)::float8 AS duplicates, coalesce(conflicts, 0)::float8 AS conflicts
FROM total LEFT JOIN quarantined USING (realm) LEFT JOIN backfilled USING (realm) LEFT JOIN repeated USING (realm)
WHERE total.count > 0
ORDER BY realm COLLATE "C"`

export const eventColumns = `event.seq, event.realm, coalesce(event.whole_id, event.id) AS id, event.source, event.state, event.type, event.live_mode, event.created_time, event.resource, event.endpoint, event.received_at, event.backfilled,
  event.reason, coalesce(repeat.duplicates, 0) AS duplicates, coalesce(repeat.conflicts, 0) AS conflicts`

export const eventTables =
  'riverhook.event AS event LEFT JOIN riverhook.repeat AS repeat ON repeat.event_seq = event.seq'

/** Reads the deliveries of events, grouped by the event's `seq` as the database returns it. */
export async function readDeliveries(
  session: Session,
  events: readonly Row[]
): Promise<ReadonlyMap<unknown, readonly Row[]>> {
  const rows = await session.query(
    `SELECT id, event_seq, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error, job_id
     FROM riverhook.delivery WHERE event_seq = ANY ($1::bigint[]) ORDER BY event_seq, id`,
    [events.map((row) => row['seq'])]
  )
  return Map.groupBy(rows, (row) => row['event_seq'])
}
