import { leaseRanOut } from '../../model/lease.ts'
import type { Adopted, HandlerRecord } from '../inbox.ts'
import { readHandler, readText, type Row } from '../rows.ts'
import { checkAgain, type claimChecksSql } from './claim-checks.ts'
import { lineUp, readLine, type orderSql } from './order.ts'
import { claimable, type Prepared } from './prepared.ts'
import type { settleSql } from './settle.ts'
import type { Counting } from './tally.ts'

/** Deliveries changed per transaction, so that a backlog of millions delays no recording. */
const batchSize = 500

/** Limits deliveries to events of one source, or, with NULL, to those whose event was deleted by hand. */
const fromSource = '(SELECT source FROM event WHERE seq = event_seq) IS ?'

/** The handlers that have deliveries in a partial index. Skips from one handler to the next instead of scanning. */
const handlersWith = (condition: string): string => `
    SELECT handler FROM (
      WITH RECURSIVE name (handler) AS (
        SELECT min(handler) FROM delivery WHERE ${condition}
        UNION ALL
        SELECT (SELECT min(handler) FROM delivery WHERE ${condition} AND handler > name.handler) FROM name WHERE name.handler IS NOT NULL)
      SELECT handler FROM name WHERE handler IS NOT NULL)`

/** The deliveries of a handler in each state. */
const [pending, waiting, parked] = [
  `handler = ? AND ${claimable} AND state = 'pending'`,
  "handler = ? AND order_key IS NOT NULL AND state = 'waiting'",
  "handler = ? AND state = 'parked'"
]
/** A batch of them. */
const some = (deliveries: string): string => `id IN (SELECT id FROM delivery WHERE ${deliveries} LIMIT ${batchSize})`
const park = "UPDATE delivery SET state = 'parked' WHERE"
const unpark = "UPDATE delivery SET state = iif(order_key IS NULL OR overtakable, 'pending', 'waiting') WHERE"

export const adoptSql = {
  unsettledHandlers: [claimable, "order_key IS NOT NULL AND state = 'waiting'", "state = 'parked'"]
    .map(handlersWith)
    .join(' UNION '),
  /** The sources of the events of each handler: those in the index of lists, and those after its last step. */
  handlerSources: `
    SELECT handler, source FROM kind WHERE handler IS NOT NULL
    UNION SELECT delivery.handler, event.source FROM event CROSS JOIN delivery ON delivery.event_seq = event.seq
      WHERE event.seq > (SELECT seq FROM list_index)`,
  /** Pending deliveries, and running ones whose lease has run out. */
  abandoned: `
    SELECT id, state, attempts, due_at, owner FROM delivery
    WHERE handler = ? AND ${claimable} AND (state = 'pending' OR due_at <= ?) LIMIT ${batchSize}`,
  expiredOfSource: `
    SELECT id, attempts, due_at, owner FROM delivery
    WHERE handler = ? AND ${claimable} AND state = 'running' AND due_at <= ? AND ${fromSource}`,
  expire: `
    UPDATE delivery SET state = 'pending', owner = NULL, overtakable = 0, losses = losses + (on_loss <> 'attempt'),
      suspicion = suspicion + (on_loss <> 'nothing'), last_error = ? WHERE id = ?`,
  parkWaiting: `${park} ${some(waiting)}`,
  parkPendingOfSource: `${park} ${pending} AND ${fromSource}`,
  parkWaitingOfSource: `${park} ${waiting} AND ${fromSource}`,
  unpark: `${unpark} ${some(parked)} RETURNING handler, realm, order_key`,
  unparkOfSource: `${unpark} ${parked} AND ${fromSource}`,
  clearHandlers: 'DELETE FROM handler WHERE true',
  insertHandler: 'INSERT INTO handler (name, source, pattern, ordered) VALUES (?, ?, ?, ?)',
  handlers: 'SELECT name, source, pattern, ordered FROM handler ORDER BY position'
} as const

type Sql = Prepared<typeof adoptSql & typeof claimChecksSql & typeof orderSql & typeof settleSql> & Counting

/** A handler, the sources that it is for, and others from which it has or had events. */
interface Sources {
  readonly handler: string
  readonly known: readonly string[]
  readonly others: readonly string[]
}

/** Stores the list of handlers. Parks the deliveries of missing handlers, and resumes parked ones of these: a batch. */
export function adopt(sql: Sql, handlers: readonly HandlerRecord[], now: number): Adopted {
  sql.clearHandlers.run()
  for (const { name, source, pattern, ordered } of handlers)
    sql.insertHandler.run(name, source, pattern, ordered === true ? 1 : 0)
  const sources = readSources(sql)
  const ofOtherSources: Sources[] = []
  let [parked, resumed] = [0, 0]
  for (const row of sql.unsettledHandlers.all()) {
    const handler = String(row['handler'])
    const known = handlers.flatMap(({ name, source }) => (name === handler ? [source] : []))
    const others = (sources.get(handler) ?? []).filter((source) => !known.includes(source))
    if (known.length > 0 && others.length > 0) {
      ofOtherSources.push({ handler, known, others })
      continue
    }
    const batch = known.length === 0 ? parkSome(sql, handler, now) : resumeSome(sql, handler)
    parked += batch.parked
    resumed += batch.resumed
    if (batch.resumed > 0) checkAgain(sql, handler, now)
    if (batch.hasMore === true) return { parked, resumed, hasMore: true }
  }
  // Last, so that no later batch reads them again.
  for (const each of ofOtherSources) {
    const changed = adoptSources(sql, each, now)
    parked += changed.parked
    if (changed.resumed > 0) checkAgain(sql, each.handler, now)
    resumed += changed.resumed
  }
  return { parked, resumed }
}

/** Reads from which sources each handler has events, or had some. */
function readSources(sql: Sql): ReadonlyMap<string, readonly string[]> {
  const sources = new Map<string, string[]>()
  for (const row of sql.handlerSources.all()) {
    const [handler, source] = [String(row['handler']), String(row['source'])]
    sources.set(handler, [...(sources.get(handler) ?? []), source])
  }
  return sources
}

/** Parks a batch of the deliveries of a missing handler. */
function parkSome(sql: Sql, handler: string, now: number): Adopted {
  const rows = sql.abandoned.all(handler, now)
  for (const row of rows) {
    if (row['state'] === 'running') expire(sql, handler, row, now)
    sql.setState.run('parked', Number(row['id']))
  }
  if (rows.length === batchSize) return { parked: rows.length, resumed: 0, hasMore: true }
  const waiting = Number(sql.parkWaiting.run(handler).changes)
  return { parked: rows.length + waiting, resumed: 0, hasMore: waiting === batchSize }
}

/** Resumes a batch of the parked deliveries of a handler. */
function resumeSome(sql: Sql, handler: string): Adopted {
  const lines = sql.unpark.all(handler).map(readLine)
  const keys = new Map(lines.map((line) => [JSON.stringify([line.realm, line.orderKey]), line]))
  for (const line of keys.values()) lineUp(sql, line)
  return { parked: 0, resumed: lines.length, hasMore: lines.length === batchSize }
}

/**
 * Parks the deliveries of the sources that the handler is no longer for, and resumes the others, all at once. These
 * include deliveries whose event was deleted by hand: a claim removes them.
 */
function adoptSources(sql: Sql, { handler, known, others }: Sources, now: number): Adopted {
  let [parked, resumed] = [0, 0]
  for (const source of others) {
    for (const row of sql.expiredOfSource.all(handler, now, source)) expire(sql, handler, row, now)
    parked += Number(sql.parkPendingOfSource.run(handler, source).changes)
    parked += Number(sql.parkWaitingOfSource.run(handler, source).changes)
  }
  for (const source of [...new Set(known), null]) resumed += Number(sql.unparkOfSource.run(handler, source).changes)
  if (parked + resumed > 0) for (const line of sql.waitingLines.all(handler)) lineUp(sql, readLine(line))
  return { parked, resumed }
}

/** Lists the handlers last adopted. */
export function listHandlers(sql: Sql): HandlerRecord[] {
  return sql.handlers.all().map(readHandler)
}

/** Ends the attempt of a running delivery whose lease has run out. */
function expire(sql: Sql, handler: string, row: Row, now: number): void {
  const error = leaseRanOut(readText(row['owner']))
  sql.logAttempt.run(Number(row['id']), Number(row['attempts']), 'lost', Number(row['due_at']), now, error)
  sql.expire.run(error, Number(row['id']))
  sql.counts.addAttempt(handler, 'lost', 0, now)
}
