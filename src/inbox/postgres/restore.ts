import { packHeaders, restoredState, findSuccess, listUnsuccessful } from '../rows.ts'
import type { EventDetail } from '../inbox.ts'
import type { Times } from './claim.ts'
import { longTimeoutMs, type Database, type Transaction } from './database.ts'
import { kindId, storeHandled, storeKindsSql } from './kinds.ts'
import { newKeys, lockKeys, lineUp } from './order.ts'
import { insertKeysSql } from './reindex.ts'
import { indexed, packBodies, wholeIfShortened } from './storable.ts'

/**
 * Stores events as they were in another inbox, with a few statements in total.
 * @returns how many events were new
 */
export function restore(database: Database, events: readonly EventDetail[], { now, fixed }: Times): Promise<number> {
  const orderKeys = events.flatMap(({ realm, deliveries }) => newKeys(realm, deliveries))
  return database.transaction(
    async (tx) => {
      const stored = await storeEvents(tx, events)
      const keys = [...stored].flatMap(([event, seq]) => (event?.about ?? []).map((value) => [seq, value] as const))
      await tx.query(insertKeysSql, [keys.map(([seq]) => seq), keys.map(([, value]) => value)])
      await storeDeliveries(
        tx,
        events.filter((event) => stored.has(event)),
        stored,
        now,
        fixed
      )
      await lineUp(tx, orderKeys)
      return stored.size
    },
    { begin: lockKeys(orderKeys), statementTimeoutMs: longTimeoutMs }
  )
}

/** @returns the `seq` of each event that was stored */
async function storeEvents(
  tx: Transaction,
  events: readonly EventDetail[]
): Promise<ReadonlyMap<EventDetail | undefined, unknown>> {
  const bodies = packBodies(events)
  const rows = await tx.query(eventsSql, [
    events.map(({ id }) => indexed(id)),
    events.map(({ state }) => state),
    events.map(({ type }) => type),
    events.map(({ liveMode }) => liveMode ?? null),
    events.map(({ createdTime }) => createdTime ?? null),
    events.map(({ endpoint }) => endpoint),
    events.map(({ receivedAt }) => receivedAt),
    events.map(({ backfilled }) => backfilled),
    events.map(({ reason }) => reason ?? null),
    events.map(({ receipt }) => JSON.stringify(receipt)),
    bodies.bytes,
    events.map(({ duplicates }) => duplicates),
    events.map(({ conflicts }) => conflicts),
    bodies.starts,
    bodies.lengths,
    events.map(({ id }) => wholeIfShortened(id)),
    events.map(({ realm }) => indexed(realm)),
    events.map(({ source }) => source),
    events.map(({ headers }) => packHeaders(headers)),
    events.map(({ resource }) => resource ?? null),
    events.map(kindId),
    events.map(({ trace }) => trace ?? null)
  ])
  return new Map(rows.map((row) => [events[Number(row['position']) - 1], row['seq']]))
}

async function storeDeliveries(
  tx: Transaction,
  events: readonly EventDetail[],
  seqs: ReadonlyMap<EventDetail | undefined, unknown>,
  now: number,
  fixed: Date | undefined
): Promise<void> {
  const all = events.flatMap((event) =>
    event.deliveries.map((delivery) => ({ event, realm: event.realm, seq: seqs.get(event), delivery }))
  )
  if (all.length === 0) return
  const deliveries = all.map(({ delivery }) => delivery)
  const rows = await tx.query(deliveriesSql, [
    all.map(({ seq }) => seq),
    deliveries.map(({ handler }) => handler),
    deliveries.map(restoredState),
    deliveries.map(({ attempts }) => attempts),
    deliveries.map(({ dueAt }) => (dueAt === undefined ? 0 : dueAt.getTime() - now)),
    deliveries.map(({ orderKey }) => (orderKey === undefined ? null : indexed(orderKey))),
    deliveries.map((delivery) => findSuccess(delivery)?.startedAt ?? null),
    deliveries.map(({ settledAt }) => settledAt ?? null),
    deliveries.map(({ lastError }) => lastError ?? null),
    fixed ?? null,
    deliveries.map(({ losses }) => losses),
    all.map(({ realm }) => indexed(realm))
  ])
  await storeHandled(
    tx,
    all.map(({ event, delivery: { handler } }) => ({ handler, kind: kindId(event) }))
  )
  const ids = new Map(rows.map((row) => [`${String(row['event_seq'])} ${String(row['handler'])}`, row['id']]))
  const attempts = all.flatMap(({ seq, delivery }) =>
    listUnsuccessful(delivery).map((attempt) => ({ id: ids.get(`${String(seq)} ${delivery.handler}`), ...attempt }))
  )
  await tx.query(attemptsSql, [
    attempts.map(({ id }) => id),
    attempts.map(({ attempt }) => attempt),
    attempts.map(({ state }) => state),
    attempts.map(({ startedAt }) => startedAt),
    attempts.map(({ endedAt }) => endedAt),
    attempts.map(({ error }) => error ?? null)
  ])
}

const eventsSql = `
WITH given AS MATERIALIZED (
  SELECT nextval('riverhook.event_seq') AS seq, each.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::timestamptz[], $8::boolean[], $9::text[], $10::text[],
              $12::integer[], $13::integer[], $14::integer[], $15::integer[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::bigint[], $22::text[]) WITH ORDINALITY
    AS each (id, state, type, live_mode, created_time, endpoint, received_at, backfilled, reason, receipt, duplicates, conflicts, start, length, whole_id, realm, source, headers, resource, kind, trace, position)
), stored AS (
  INSERT INTO riverhook.event
    (seq, realm, id, whole_id, source, state, type, live_mode, created_time, resource, endpoint, kind, received_at, backfilled, reason, receipt, headers, trace, body)
  SELECT seq, realm, id, whole_id, source, state, type, live_mode, created_time, resource, endpoint, kind, received_at, backfilled, reason, receipt, headers, trace,
    substring($11::bytea FROM start FOR length)
  FROM given ORDER BY id, realm
  ON CONFLICT (id, realm) DO NOTHING
  RETURNING seq
), kinds AS (${storeKindsSql('SELECT * FROM given')}
), counted AS (
  INSERT INTO riverhook.repeat (event_seq, duplicates, conflicts)
  SELECT seq, duplicates, conflicts FROM given JOIN stored USING (seq) WHERE duplicates > 0
)
SELECT given.position::integer, given.seq FROM given JOIN stored USING (seq)`

const deliveriesSql = `
INSERT INTO riverhook.delivery (event_seq, realm, handler, state, attempts, losses, due_at, order_key, started_at, settled_at, last_error)
SELECT event_seq, realm, handler, state, attempts, losses, coalesce($10::timestamptz, statement_timestamp()) + wait_ms * interval '1 millisecond', order_key, started_at, settled_at, last_error
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::float8[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $11::integer[], $12::text[]) WITH ORDINALITY
  AS given (event_seq, handler, state, attempts, wait_ms, order_key, started_at, settled_at, last_error, losses, realm, position)
ORDER BY position
RETURNING id, event_seq, handler`

const attemptsSql = `
INSERT INTO riverhook.attempt (delivery_id, attempt, state, started_at, ended_at, error)
SELECT delivery_id, attempt, state, started_at, ended_at, error
FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[]) WITH ORDINALITY
  AS given (delivery_id, attempt, state, started_at, ended_at, error, position)
ORDER BY position`
