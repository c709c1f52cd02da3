import { RiverhookError } from '../../model/errors.ts'
import type { AcceptedArrival, Arrival, OrderKey, RecordResult } from '../inbox.ts'
import { toMinute } from '../../model/tally.ts'
import type { TallyNames } from '../tally.ts'
import { durable, type Database, type Session } from './database.ts'
import { isRowError, serverCode } from './faults.ts'
import { insertNew } from './insert.ts'
import { newKeys, lockKeys } from './order.ts'
import { indexed, packBodies } from './storable.ts'
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
 * Stores the new events of a batch in one transaction, and counts the repeats of others after it. If a single arrival
 * fails, such as a row that a trigger rejects, or an order key that stays locked, stores the others without it.
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
 * Stores all arrivals with one statement: one round trip and one commit. Events that exist are counted by a second one.
 * Uses a transaction of several statements only if deliveries have order keys, which are locked first, or if the batch
 * has an id more than once.
 */
async function recordAll(
  database: Database,
  arrivals: readonly Arrival[],
  terms: RecordTerms
): Promise<readonly (RecordResult | RiverhookError)[]> {
  const { first, again } = split(arrivals)
  const keys = first.flatMap(({ arrival }) => orderKeys(arrival))
  const results: (RecordResult | RiverhookError)[] = arrivals.map(() => 'accepted')
  if (keys.length === 0 && again.length === 0) {
    await countApart(database, await insert(database, first, terms), terms, results)
    return results
  }
  const write = async (tx: Session): Promise<void> => {
    const known = await insert(tx, first, terms)
    // A separate statement: it sees an event that another replica has recorded during the first one.
    await count(tx, [...known, ...again], terms, results)
  }
  await database.transaction(write, { begin: keys.length === 0 ? '' : `${lockTimeout} ${lockKeys(keys)}` })
  return results
}

/**
 * Counts the repeats of a batch whose other events are stored.
 * @throws {RiverhookError} if all are repeats. Otherwise, an error is the result of the repeats alone
 */
async function countApart(
  database: Database,
  known: readonly Numbered[],
  terms: RecordTerms,
  results: (RecordResult | RiverhookError)[]
): Promise<void> {
  try {
    await count(database, known, terms, results)
  } catch (error) {
    if (!(error instanceof RiverhookError) || known.length === results.length) throw error
    const repeats = known.map(({ arrival }) => arrival)
    const answers = isRowError(error) ? await recordPart(database, repeats, terms) : []
    for (const [position, { index }] of known.entries()) results[index] = answers[position] ?? error
  }
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

/** @returns the arrivals that were not stored, because their events exist */
async function insert(session: Session, batch: readonly Numbered[], { now, names }: RecordTerms): Promise<Numbered[]> {
  const events = batch.map(({ arrival }) => arrival)
  const accepted = events.map((arrival) => (arrival.state === 'accepted' ? arrival : undefined))
  const stored = await insertNew(session, events, countedNames(names, accepted, now), now)
  return batch.filter((_numbered, position) => !stored.has(position))
}

async function count(
  session: Session,
  batch: readonly Numbered[],
  { now, names }: RecordTerms,
  results: (RecordResult | RiverhookError)[]
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
    results[index] =
      conflict === undefined
        ? new RiverhookError(
            'RIVERHOOK_INBOX_UNAVAILABLE',
            'PostgreSQL: the event was removed while a repeat of it was recorded'
          )
        : conflict
          ? 'conflict'
          : 'duplicate'
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
const conflict = `
    NOT given.backfilled AND NOT event.backfilled AND event.state <> 'erased'
    AND event.body <> substring($5::bytea FROM given.start FOR given.length)`

// The lock prevents a known event from being purged while its repeat is counted.
const countSql = `
WITH known AS MATERIALIZED (
  SELECT given.position, given.counted_as, event.seq, (${conflict}) AS conflict
  FROM unnest($1::text[], $2::boolean[], $3::integer[], $4::integer[], $6::text[], $7::text[]) WITH ORDINALITY
    AS given (id, backfilled, start, length, realm, counted_as, position)
  CROSS JOIN LATERAL (
    SELECT event.seq, event.backfilled, event.state, event.body FROM riverhook.event AS event
    WHERE event.id = given.id AND event.realm = given.realm LIMIT 1 FOR KEY SHARE) AS event
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
SELECT position::integer, conflict, ${durable} FROM known ORDER BY position`

const knownSql = `
SELECT given.position::integer
FROM unnest($1::text[]) WITH ORDINALITY AS given (id, position)
WHERE (SELECT true FROM riverhook.event AS event WHERE event.id = given.id AND event.realm = $2 LIMIT 1)`
