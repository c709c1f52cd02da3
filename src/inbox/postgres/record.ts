import { RiverhookError } from '../../model/errors.ts'
import type { AcceptedArrival, Arrival, OrderKey, RecordResult } from '../inbox.ts'
import { toMinute } from '../../model/tally.ts'
import { packHeaders } from '../rows.ts'
import type { TallyNames } from '../tally.ts'
import { durable, type Database, type Row, type Session } from './database.ts'
import { isRowError, serverCode } from './faults.ts'
import { handledColumns, kindId, storeHandledSql, storeKindsSql } from './kinds.ts'
import { isBusy, newKeys, lockKeys } from './order.ts'
import { indexed, packBodies, packKeys, wholeIfShortened } from './storable.ts'
import { countEventsSql } from './tally.ts'

/** The longest wait for the lock of an order key. It leaves time to store the rest of the batch. */
const lockTimeout = "SET LOCAL lock_timeout = '1s';"

export interface RecordTerms {
  /** Replaces the database's time, in tests. */
  readonly now: Date | undefined
  readonly names: TallyNames
}

/** The names under which requests are counted. */
export function countedNames(
  names: TallyNames,
  requests: readonly (Pick<AcceptedArrival, 'type'> | undefined)[],
  now: Date | undefined
): readonly string[] {
  const minute = toMinute(now?.getTime() ?? Date.now())
  return requests.map((request) => names.take(request?.type ?? '', minute))
}

/**
 * Stores a batch in one transaction. If a single arrival fails, such as a row that a trigger rejects, or an order key
 * that stays locked, stores the others without it.
 * @returns for each arrival, in order, the result, or the error if it was not stored
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE if nothing was stored
 */
export async function record(
  database: Database,
  arrivals: readonly Arrival[],
  terms: RecordTerms
): Promise<readonly (RecordResult | RiverhookError)[]> {
  try {
    return await recordAll(database, arrivals, terms)
  } catch (error) {
    const parts = error instanceof RiverhookError ? splitAfterError(arrivals, error) : []
    if (parts.length === 0) throw error
    const results = new Map<Arrival, RecordResult | RiverhookError>()
    for (const { part, isStuck } of parts) {
      const answers = isStuck ? part.map(() => error as RiverhookError) : await recordPart(database, part, terms)
      for (const [index, arrival] of part.entries()) results.set(arrival, answers[index] ?? (error as RiverhookError))
    }
    const all = arrivals.map((arrival) => results.get(arrival) ?? (error as RiverhookError))
    if (all.every((result) => result instanceof RiverhookError)) throw error
    return all
  }
}

/** True if deliveries of these arrivals were stored. */
export function haveDeliveries(
  arrivals: readonly Arrival[],
  results: readonly (RecordResult | RiverhookError)[]
): boolean {
  return arrivals.some(
    (arrival, index) => results[index] === 'accepted' && arrival.state === 'accepted' && arrival.deliveries.length > 0
  )
}

async function recordPart(
  database: Database,
  part: readonly Arrival[],
  terms: RecordTerms
): Promise<readonly (RecordResult | RiverhookError)[]> {
  try {
    return await record(database, part, terms)
  } catch (error) {
    if (error instanceof RiverhookError) return part.map(() => error)
    throw error
  }
}

interface Part {
  readonly part: readonly Arrival[]
  /** Do not retry: the senders would not wait long enough. */
  readonly isStuck: boolean
}

/** Splits a batch after an error that a single arrival may have caused. Empty if the error concerns them all. */
function splitAfterError(arrivals: readonly Arrival[], error: RiverhookError): readonly Part[] {
  if (serverCode(error.cause) === '55P03') {
    const { true: keyed = [], false: others = [] } = Object.groupBy(arrivals, (arrival) =>
      orderKeys(arrival).length > 0 ? 'true' : 'false'
    )
    return others.length === 0
      ? []
      : [
          { part: others, isStuck: false },
          { part: keyed, isStuck: true }
        ]
  }
  if (!isRowError(error) || arrivals.length < 2) return []
  const half = Math.ceil(arrivals.length / 2)
  return [
    { part: arrivals.slice(0, half), isStuck: false },
    { part: arrivals.slice(half), isStuck: false }
  ]
}

/**
 * Stores all arrivals with one statement: one round trip and one commit. Uses a transaction of several statements only
 * if deliveries have order keys, which are locked first, or if the batch has an id more than once.
 */
async function recordAll(
  database: Database,
  arrivals: readonly Arrival[],
  terms: RecordTerms
): Promise<readonly RecordResult[]> {
  const { first, again } = split(arrivals)
  const keys = first.flatMap(({ arrival }) => orderKeys(arrival))
  const write = async (session: Session): Promise<readonly RecordResult[]> => {
    const results: RecordResult[] = Array.from({ length: arrivals.length }, () => 'accepted')
    // An event that another replica records at the same time is neither inserted nor visible. The second statement
    // counts it.
    const raced = await insert(session, first, terms, results)
    await count(session, [...raced, ...again], terms, results)
    return results
  }
  return keys.length === 0 && again.length === 0
    ? write(database)
    : database.transaction(write, { begin: keys.length === 0 ? '' : `${lockTimeout} ${lockKeys(keys)}` })
}

interface Numbered {
  readonly arrival: Arrival
  /** The position in the batch, from 0. */
  readonly index: number
}

function split(arrivals: readonly Arrival[]): { first: Numbered[]; again: Numbered[] } {
  const seen = new Set<string>()
  const first: Numbered[] = []
  const again: Numbered[] = []
  for (const [index, arrival] of arrivals.entries()) {
    const key = JSON.stringify([arrival.realm, arrival.id])
    const list = seen.has(key) ? again : first
    list.push({ arrival, index })
    seen.add(key)
  }
  return { first, again }
}

function orderKeys(arrival: Arrival): OrderKey[] {
  return arrival.state === 'accepted' ? newKeys(arrival.realm, arrival.deliveries) : []
}

/** @returns the arrivals that were neither stored nor visible */
async function insert(
  session: Session,
  batch: readonly Numbered[],
  { now, names }: RecordTerms,
  results: RecordResult[]
): Promise<Numbered[]> {
  const events = batch.map(({ arrival }) => arrival)
  const accepted = events.map((arrival) => (arrival.state === 'accepted' ? arrival : undefined))
  const deliveries = events.flatMap((arrival, index) =>
    arrival.state === 'accepted' ? arrival.deliveries.map((delivery) => ({ ...delivery, position: index + 1 })) : []
  )
  const bodies = packBodies(events)
  const keys = packKeys(accepted)
  const kinds = events.map(kindId)
  const handled = deliveries.map(({ handler, position }) => ({ handler, kind: kinds[position - 1] ?? '' }))
  const rows = await session.query(insertSql, [
    events.map(({ id }) => indexed(id)),
    events.map(({ state }) => state),
    accepted.map((arrival) => arrival?.type ?? ''),
    accepted.map((arrival) => arrival?.liveMode ?? null),
    accepted.map((arrival) => arrival?.createdTime ?? null),
    events.map(({ endpoint }) => endpoint),
    events.map(({ receivedAt }) => receivedAt),
    events.map((arrival) => (arrival.state === 'quarantined' ? arrival.reason : null)),
    events.map(({ receipt }) => JSON.stringify(receipt)),
    events.map(({ receipt }) => receipt.backfilled === true),
    bodies.starts,
    bodies.lengths,
    bodies.bytes,
    deliveries.map(({ position }) => position),
    deliveries.map(({ handler }) => handler),
    deliveries.map(({ orderKey }) => (orderKey === undefined ? null : indexed(orderKey))),
    now ?? null,
    events.map(({ id }) => wholeIfShortened(id)),
    events.map(({ realm }) => indexed(realm)),
    events.map(({ source }) => source),
    events.map(({ headers }) => packHeaders(headers)),
    keys.positions,
    keys.values,
    countedNames(names, accepted, now),
    accepted.map((arrival) => arrival?.resource ?? null),
    kinds,
    ...handledColumns(handled),
    events.map(({ trace }) => trace ?? null)
  ])
  return batch.filter((numbered, position) => {
    const row = rows[position]
    const result = toResult(row)
    if (result !== undefined) results[numbered.index] = result
    return result === undefined
  })
}

function toResult(row: Row | undefined): RecordResult | undefined {
  if (row?.['stored'] === true) return 'accepted'
  if (typeof row?.['conflict'] !== 'boolean') return undefined
  return row['conflict'] ? 'conflict' : 'duplicate'
}

async function count(
  session: Session,
  batch: readonly Numbered[],
  { now, names }: RecordTerms,
  results: RecordResult[]
): Promise<void> {
  if (batch.length === 0) return
  const events = batch.map(({ arrival }) => arrival)
  const bodies = packBodies(events)
  const rows = await session.query(countSql, [
    events.map(({ id }) => indexed(id)),
    events.map(({ receipt }) => receipt.backfilled === true),
    bodies.starts,
    bodies.lengths,
    bodies.bytes,
    events.map(({ realm }) => indexed(realm)),
    countedNames(
      names,
      events.map((arrival) => (arrival.state === 'accepted' ? arrival : undefined)),
      now
    ),
    now ?? null
  ])
  const conflicts = new Map(rows.map((row) => [Number(row['position']), row['conflict'] === true]))
  for (const [position, { index }] of batch.entries()) {
    const conflict = conflicts.get(position + 1)
    // The event existed a moment ago: otherwise the previous statement would have stored it.
    if (conflict === undefined)
      throw new RiverhookError(
        'RIVERHOOK_INBOX_UNAVAILABLE',
        'PostgreSQL: the event was removed while a repeat of it was recorded'
      )
    results[index] = conflict ? 'conflict' : 'duplicate'
  }
}

/** Finds which ids the realm has. */
export async function findKnown(
  database: Database,
  realm: string,
  ids: readonly string[]
): Promise<ReadonlySet<string>> {
  const rows = await database.query(knownSql, [ids.map(indexed), indexed(realm)])
  return new Set(rows.map((row) => ids[Number(row['position']) - 1] ?? ''))
}

/** Never a conflict if one of the two was backfilled: the API serialises the event again, so the bytes differ. */
const conflict = (body: string): string =>
  `NOT given.backfilled AND NOT event.backfilled AND event.state <> 'erased' AND event.body <> ${body}`

/** The lock prevents a known event from being purged while its repeat is counted. */
const knownEvent = `
    SELECT event.seq, event.backfilled, event.state, event.body FROM riverhook.event AS event
    WHERE event.id = given.id AND event.realm = given.realm LIMIT 1 FOR KEY SHARE`

// `seq` follows the order of arrival. Rows are inserted in order of their ids, so that two replicas with the same
// events do not deadlock.
const insertSql = `
WITH given AS MATERIALIZED (
  SELECT nextval('riverhook.event_seq') AS seq, arrived.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::text[],
              $10::boolean[], $11::integer[], $12::integer[], $18::text[], $19::text[], $20::text[], $21::text[], $24::text[], $25::text[], $26::bigint[], $29::text[]) WITH ORDINALITY
    AS arrived (id, state, type, live_mode, created_time, endpoint, received_at, reason, receipt, backfilled, start, length, whole_id, realm, source, headers, counted_as, resource, kind, trace, position)
), stored AS (
  INSERT INTO riverhook.event
    (seq, realm, id, whole_id, source, state, type, live_mode, created_time, resource, endpoint, kind, received_at, backfilled, reason, receipt, headers, trace, body)
  SELECT seq, realm, id, whole_id, source, state, type, live_mode, created_time, resource, endpoint, kind, received_at, backfilled, reason, receipt, headers, trace,
    substring($13::bytea FROM start FOR length)
  FROM given ORDER BY id, realm
  ON CONFLICT (id, realm) DO NOTHING
  RETURNING seq
), kinds AS (${storeKindsSql('SELECT * FROM given')}
), handled AS (${storeHandledSql('SELECT * FROM unnest($27::text[], $28::bigint[]) AS pair (handler, kind)')}
), known AS MATERIALIZED (
  SELECT given.position, event.seq, (${conflict('substring($13::bytea FROM given.start FOR given.length)')}) AS conflict
  FROM given CROSS JOIN LATERAL (${knownEvent}) AS event
), counted AS (
  INSERT INTO riverhook.repeat AS repeat (event_seq, duplicates, conflicts)
  SELECT seq, 1, conflict::integer FROM known ORDER BY seq
  ON CONFLICT (event_seq) DO UPDATE SET duplicates = repeat.duplicates + 1, conflicts = repeat.conflicts + excluded.conflicts
), keyed AS (
  INSERT INTO riverhook.event_key (event_seq, value)
  SELECT stored.seq, about.value FROM unnest($22::integer[], $23::text[]) AS about (arrival, value)
  JOIN given ON given.position = about.arrival
  JOIN stored ON stored.seq = given.seq
  ON CONFLICT DO NOTHING
), created AS (
  INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at, order_key)
  SELECT stored.seq, given.realm, wanted.handler,
    CASE
      WHEN wanted.order_key IS NULL THEN 'pending'
      WHEN row_number() OVER (PARTITION BY wanted.handler, given.realm, wanted.order_key ORDER BY wanted.position) > 1 THEN 'waiting'
      WHEN ${isBusy('wanted.handler', 'given.realm', 'wanted.order_key')} THEN 'waiting'
      ELSE 'pending'
    END,
    coalesce($17::timestamptz, statement_timestamp()), wanted.order_key
  FROM unnest($14::integer[], $15::text[], $16::text[]) WITH ORDINALITY AS wanted (arrival, handler, order_key, position)
  JOIN given ON given.position = wanted.arrival
  JOIN stored ON stored.seq = given.seq
  ORDER BY wanted.position
), tallied AS (${countEventsSql(
  `SELECT given.counted_as AS name, given.state, given.backfilled, known.conflict
   FROM given LEFT JOIN stored ON stored.seq = given.seq LEFT JOIN known ON known.position = given.position
   WHERE stored.seq IS NOT NULL OR known.seq IS NOT NULL`,
  '$17'
)}
)
SELECT stored.seq IS NOT NULL AS stored, known.conflict, ${durable}
FROM given LEFT JOIN stored ON stored.seq = given.seq LEFT JOIN known ON known.position = given.position
ORDER BY given.position`

const countSql = `
WITH known AS MATERIALIZED (
  SELECT given.position, given.counted_as, event.seq, (${conflict('substring($5::bytea FROM given.start FOR given.length)')}) AS conflict
  FROM unnest($1::text[], $2::boolean[], $3::integer[], $4::integer[], $6::text[], $7::text[]) WITH ORDINALITY
    AS given (id, backfilled, start, length, realm, counted_as, position)
  CROSS JOIN LATERAL (${knownEvent}) AS event
), counted AS (
  INSERT INTO riverhook.repeat AS repeat (event_seq, duplicates, conflicts)
  SELECT seq, count(*), sum(conflict::integer) FROM known GROUP BY seq ORDER BY seq
  ON CONFLICT (event_seq) DO UPDATE
    SET duplicates = repeat.duplicates + excluded.duplicates, conflicts = repeat.conflicts + excluded.conflicts
), tallied AS (${countEventsSql(
  "SELECT counted_as AS name, 'accepted' AS state, false AS backfilled, conflict FROM known",
  '$8'
)}
)
SELECT position::integer, conflict FROM known ORDER BY position`

const knownSql = `
SELECT given.position::integer
FROM unnest($1::text[]) WITH ORDINALITY AS given (id, position)
WHERE (SELECT true FROM riverhook.event AS event WHERE event.id = given.id AND event.realm = $2 LIMIT 1)`
