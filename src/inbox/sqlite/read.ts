import type { DatabaseSync } from 'node:sqlite'

import { deliveryStates, type EventKey } from '../../model/event.ts'
import { prefixOf } from '../../model/pattern.ts'
import type * as contract from '../inbox.ts'
import { readAttempts, readDelivery, readDetail, readStats, readSummary, readTime } from '../rows.ts'
import { claimable, isPausedSql, type Prepared } from './prepared.ts'

export const readSql = {
  eventById: `
    SELECT seq, realm, id, source, state, type, live_mode, created_time, endpoint, received_at, backfilled, duplicates, conflicts, reason,
      receipt, headers, body
    FROM event WHERE id = ? AND realm = ?`,
  deliveriesOf: `
    SELECT id, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error
    FROM delivery WHERE event_seq = ? ORDER BY id`,
  attemptsOf: 'SELECT attempt, state, started_at, ended_at, error FROM attempt WHERE delivery_id = ? ORDER BY rowid',
  countEvents: `
    SELECT realm, count(*) FILTER (WHERE state = 'accepted') AS events, count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
           count(*) FILTER (WHERE backfilled) AS backfilled, coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(conflicts), 0) AS conflicts
    FROM event GROUP BY realm ORDER BY realm`,
  countDeliveries:
    'SELECT realm, handler, state, count(*) AS count FROM delivery GROUP BY realm, handler, state ORDER BY handler',
  /** Reads only the first index entry of each handler. */
  oldestDue: `
    WITH RECURSIVE name (handler) AS (
      SELECT min(handler) FROM delivery WHERE ${claimable}
      UNION ALL
      SELECT (SELECT min(handler) FROM delivery WHERE ${claimable} AND handler > name.handler) FROM name WHERE handler IS NOT NULL)
    SELECT min((SELECT due_at FROM delivery WHERE handler = name.handler AND ${claimable} AND state = 'pending'
                ORDER BY due_at LIMIT 1)) AS due_at FROM name WHERE handler IS NOT NULL AND NOT ${isPausedSql('name.handler')}`
} as const

type Sql = Prepared<typeof readSql>

/** Lists a page of events, newest first unless the filter has `oldestFirst`. */
export function listEvents(
  { db, ...sql }: Sql & { readonly db: DatabaseSync },
  filter: contract.EventFilter
): contract.EventPage {
  const { conditions, values } = buildConditions(filter)
  const rows = db
    .prepare(
      `SELECT seq, realm, id, source, state, type, live_mode, created_time, endpoint, received_at, backfilled, duplicates, conflicts, reason
       FROM event ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} ORDER BY seq ${filter.oldestFirst === true ? 'ASC' : 'DESC'} LIMIT ?`
    )
    .all(...values, filter.limit + 1)
  const page = rows.slice(0, filter.limit)
  return {
    events: page.map((row) => ({
      ...readSummary(row),
      deliveries: sql.deliveriesOf.all(row['seq'] as number).map(readDelivery)
    })),
    next: rows.length > filter.limit ? Number(page.at(-1)?.['seq']) : undefined
  }
}

/** Finds one event with all its details. */
export function findEvent(sql: Sql, { realm, id }: EventKey): contract.EventDetail | undefined {
  const row = sql.eventById.get(id, realm)
  if (row === undefined) return undefined
  const deliveries = sql.deliveriesOf.all(row['seq'] as number).map((delivery) => ({
    ...readDelivery(delivery),
    attemptLog: readAttempts(delivery, sql.attemptsOf.all(delivery['id'] as number))
  }))
  return {
    ...readDetail(row),
    deliveries
  }
}

export function countAll(sql: Sql, _args: undefined, now: number): contract.InboxStats {
  return { ...readStats(sql.countEvents.all(), sql.countDeliveries.all()), oldestDueAt: oldestDueAt(sql, now) }
}

/** Returns when the longest overdue delivery fell due. */
export function oldestDueAt(sql: Sql, now: number): Date | undefined {
  const dueAt = readTime(sql.oldestDue.get()?.['due_at'])
  return dueAt !== undefined && dueAt.getTime() <= now ? dueAt : undefined
}

function buildConditions(filter: contract.EventFilter): { conditions: string[]; values: (string | number)[] } {
  const { id, realm, source, type, state, handler, since, until, after, oldestFirst } = filter
  const byDelivery = (deliveryStates as readonly string[]).includes(state ?? '')
  // Repeats the condition of the partial index on stopped deliveries, so that SQLite uses the index.
  const isStopped = state === 'dead' || state === 'parked'
  const deliveryTerms = [
    ...(handler === undefined ? [] : [term('handler = ?', handler)]),
    ...(byDelivery ? [term(isStopped ? "state = ? AND state IN ('dead', 'parked')" : 'state = ?', state ?? '')] : [])
  ]
  const terms = [
    ...(id === undefined ? [] : [term('id = ?', id)]),
    ...(realm === undefined ? [] : [term('realm = ?', realm)]),
    ...(source === undefined ? [] : [term('source = ?', source)]),
    ...(after === undefined ? [] : [term(oldestFirst === true ? 'seq > ?' : 'seq < ?', after)]),
    ...(since === undefined ? [] : [term('received_at >= ?', since.getTime())]),
    ...(until === undefined ? [] : [term('received_at < ?', until.getTime())]),
    ...(type === undefined ? [] : [typeTerm(type)]),
    ...(state === undefined || byDelivery
      ? []
      : [term(state === 'quarantined' ? "state = ? AND state = 'quarantined'" : 'state = ?', state)]),
    ...(deliveryTerms.length === 0 ? [] : [deliveryTerm(deliveryTerms, byDelivery && handler === undefined)])
  ]
  return { conditions: terms.map(({ sql }) => sql), values: terms.flatMap(({ values }) => values) }
}

interface Term {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

function term(sql: string, ...values: (string | number)[]): Term {
  return { sql, values }
}

function typeTerm(pattern: string): Term {
  if (pattern === '*') return term("state = 'accepted'")
  const prefix = prefixOf(pattern)
  if (prefix === undefined) return term("state = 'accepted' AND type = ?", pattern)
  // Compute the length in SQLite, which counts characters. JavaScript counts UTF-16 units.
  return term("state = 'accepted' AND type <> ? AND substr(type, 1, length(?)) = ?", prefix, prefix, prefix)
}

/** By state alone, look up the few deliveries in that state. Otherwise check the deliveries of each event. */
function deliveryTerm(terms: readonly Term[], byState: boolean): Term {
  const condition = terms.map(({ sql }) => sql).join(' AND ')
  const values = terms.flatMap((each) => each.values)
  return byState
    ? term(`seq IN (SELECT event_seq FROM delivery WHERE ${condition})`, ...values)
    : term(`EXISTS (SELECT 1 FROM delivery WHERE event_seq = event.seq AND ${condition})`, ...values)
}
