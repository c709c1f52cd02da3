import type { EventKey } from '../../model/event.ts'
import type {
  Claim,
  ClaimedDelivery,
  ClaimRequest,
  ClaimSuspectsRequest,
  HandlerRecord,
  LostRun,
  NewDelivery,
  OnLoss,
  Orphan,
  PruneRequest
} from '../inbox.ts'
import type { RecordResult, Settlement, SettleResult } from '../inbox.ts'
import { arrivedAt, isPastOld, leaseRanOut } from '../inbox.ts'
import type { OperationName, Operations, PackedArrival, RecordArgs } from './protocol.ts'
import { firstLine, hasLine, lineUp, lineUpSome, readLine, type Line } from './order.ts'
import { countAll, findEvent, headersOf, listDrifts, listEvents, oldestDueAt } from './read.ts'
import { admit, replay } from './replay.ts'
import { restore } from './restore.ts'
import type { Statements } from './statements.ts'

export type { Statements } from './statements.ts'

/** What the worker can do, each inside the transaction of its caller. `now` is in milliseconds since the epoch. */
export const operations: {
  readonly [Name in OperationName]: (
    sql: Statements,
    args: Operations[Name]['args'],
    now: number
  ) => Operations[Name]['result']
} = {
  record,
  known: (sql, { realm, ids }) => new Set(ids.filter((id) => sql.isKnown.get(id, realm) !== undefined)),
  now: (_sql, _args, now) => new Date(now),
  watermark: (sql, { realm, name }) => {
    const row = sql.watermark.get(realm, name)
    return row && new Date(Number(row['at']))
  },
  watermarks: (sql) =>
    sql.watermarks
      .all()
      .map((row) => ({ realm: String(row['realm']), name: String(row['name']), at: new Date(Number(row['at'])) })),
  restore,
  advance: (sql, { realm, name, to }, now) => {
    sql.advance.run(realm, name, Math.min(to.getTime(), now), now)
  },
  flag: (sql, notes) => {
    for (const { realm, type, path, rule, handler, count, firstAt, lastAt, eventId } of notes) {
      sql.flag.run(realm, type, path, rule, handler, count, firstAt.getTime(), lastAt.getTime(), eventId)
    }
  },
  drifts: listDrifts,
  adopt,
  handlers: (sql) =>
    sql.handlers.all().map((row) => ({
      name: String(row['name']),
      source: String(row['source']),
      pattern: String(row['pattern']),
      ordered: row['ordered'] === 1
    })),
  claim,
  suspects: (sql, handlers, now) =>
    sql.suspects
      .all(now, JSON.stringify(handlers))
      .map((row) => ({ id: Number(row['id']), handler: String(row['handler']), suspicion: Number(row['suspicion']) })),
  claimSuspects: (sql, { ids, ...terms }, now) =>
    ids.flatMap((id) => {
      const row = sql.dueSuspect.get(id, now)
      return (row && leaseRow(sql, terms, row, now)) ?? []
    }),
  extend: (sql, { leases, leaseMs, onLoss }, now) =>
    leases
      .filter(({ id, token }) => sql.extend.run(now + leaseMs, onLoss ?? null, id, token).changes === 0)
      .map(({ id }) => id),
  settle,
  replay,
  admit,
  events: listEvents,
  event: findEvent,
  remove,
  stats: countAll,
  probe,
  prune
}

function probe(sql: Statements, _args: undefined, now: number): Operations['probe']['result'] {
  // More than a page, so that a full disk or a file at its size limit shows.
  sql.fillProbe.run(16_384)
  sql.clearProbe.run()
  return { oldestDueAt: oldestDueAt(sql, now) }
}

function record(sql: Statements, { arrivals, bodies }: RecordArgs, now: number): Operations['record']['result'] {
  let start = 0
  let due = false
  const results = arrivals.map((arrival) => {
    const end = arrival[13]
    const body = bodies.subarray(start, end)
    start = end
    due ||= arrival[14].length > 0
    return recordOne(sql, arrival, body, now)
  })
  return { results, due }
}

function recordOne(sql: Statements, arrival: PackedArrival, body: Uint8Array, now: number): RecordResult {
  const [
    realm,
    id,
    source,
    state,
    type,
    liveMode,
    createdTime,
    endpoint,
    receivedAt,
    reason,
    receipt,
    headers,
    backfilled,
    ,
    deliveries
  ] = arrival
  const { changes, lastInsertRowid } = sql.insertEvent.run(
    realm,
    id,
    source,
    state,
    type,
    liveMode,
    createdTime,
    endpoint,
    receivedAt,
    reason,
    receipt,
    headers,
    backfilled,
    body
  )
  if (changes === 0)
    return sql.countDuplicate.get(backfilled, body, id, realm, backfilled, body)?.['conflict'] === 1
      ? 'conflict'
      : 'duplicate'
  for (const delivery of deliveries) addDelivery(sql, Number(lastInsertRowid), realm, delivery, now)
  return 'accepted'
}

/** A delivery of an event that arrives now: behind all others of its key. */
function addDelivery(
  sql: Statements,
  eventSeq: number,
  realm: string,
  { handler, orderKey }: NewDelivery,
  now: number
): void {
  const waits = orderKey !== undefined && hasLine(sql, { handler, realm, orderKey })
  sql.insertDelivery.run(eventSeq, realm, handler, waits ? 'waiting' : 'pending', now, orderKey ?? null)
}

function adopt(sql: Statements, handlers: readonly HandlerRecord[], now: number): { parked: number; resumed: number } {
  sql.clearHandlers.run()
  for (const { name, source, pattern, ordered } of handlers)
    sql.insertHandler.run(name, source, pattern, ordered === true ? 1 : 0)
  let parked = 0
  let resumed = 0
  for (const row of sql.unsettledHandlers.all()) {
    const handler = String(row['handler'])
    // Null where the event was deleted by hand.
    const source = row['source'] as string | null
    if (handlers.every((known) => known.name !== handler || (source !== null && known.source !== source))) {
      for (const expired of sql.expired.all(handler, now, source)) expire(sql, expired, now)
      parked += Number(sql.park.run(handler, source).changes)
    } else resumed += Number(sql.unpark.run(handler, source).changes)
    for (const line of sql.waitingLines.all(handler)) lineUp(sql, readLine(line))
  }
  return { parked, resumed }
}

function claim(sql: Statements, request: ClaimRequest, now: number): Claim {
  const deliveries: ClaimedDelivery[] = []
  const orphans: Orphan[] = []
  let nextDueAt = Infinity
  let left = request.limit
  for (const { handler, source, limit } of request.wants) {
    mendDueTimes(sql, handler, now)
    mendLines(sql, handler, now)
    const room = Math.min(limit, left)
    const rows = room === 0 ? [] : sql.due.all(handler, now, source, room)
    left -= rows.length
    const claimed = rows.flatMap((row) => {
      if (row['event_id'] !== null) return leaseRow(sql, { ...request, onLoss: 'loss' }, row, now) ?? []
      orphans.push(dropOrphan(sql, handler, row))
      return []
    })
    deliveries.push(...claimed)
    // There may be more that is due already: the claimer asks again as soon as it has room. What was passed over
    // waits in its line now.
    const isMore = room > 0 && (rows.length === room || claimed.length < rows.length)
    const next = isMore ? now : sql.nextDue.get(handler, room === 0 ? 0 : now)?.['due_at']
    if (next !== undefined) nextDueAt = Math.min(nextDueAt, Number(next))
  }
  return {
    deliveries,
    nextDueAt: nextDueAt === Infinity ? undefined : new Date(nextDueAt),
    ...(orphans.length > 0 && { orphans })
  }
}

/** First attempts due later than this were scheduled by a wrong clock: a replay delays a line by at most a minute. */
const furthestMs = 120_000
/** The latest time of a claim, by handler. */
const latest = new Map<string, number>()

/**
 * After a start, and when the clock was set back: what was due by a clock that was ahead would wait until it is there.
 */
function mendDueTimes(sql: Statements, handler: string, now: number): void {
  const last = latest.get(handler)
  latest.set(handler, now)
  if (last !== undefined && now >= last - 1_000) return
  sql.neverTried.run(now, handler, now + furthestMs)
  sql.neverTriedInLine.run(now, handler, now + furthestMs)
  sql.putOff.run(now, handler, now, now + 1_000)
}

/** How often some of the lines of a handler are checked. */
const lineCheckMs = 10_000
/** The last check, by handler. */
const lineChecks = new Map<string, { readonly at: number; readonly after: typeof firstLine }>()

/**
 * Now and then, and when the clock was set back: after a change by hand nothing else would put the rest of a line in
 * order.
 */
function mendLines(sql: Statements, handler: string, now: number): void {
  const { at, after } = lineChecks.get(handler) ?? { at: now, after: firstLine }
  const isDue = Math.abs(now - at) >= lineCheckMs
  if (isDue || !lineChecks.has(handler))
    lineChecks.set(handler, { at: now, after: isDue ? lineUpSome(sql, handler, after) : after })
}

/** Its event was deleted by hand: there is nothing to run, and others of its key must not wait for it. */
function dropOrphan(sql: Statements, handler: string, row: Record<string, unknown>): Orphan {
  const id = Number(row['id'])
  sql.deleteAttemptsOf.run(id)
  sql.deleteOrphan.run(id)
  lineUp(sql, readLine(row))
  return { id, handler }
}

/** The attempt of a running delivery whose lease has run out is over. */
function expire(sql: Statements, row: Record<string, unknown>, now: number): void {
  const error = leaseRanOut(ownerOf(row))
  sql.logAttempt.run(Number(row['id']), Number(row['attempts']), 'lost', Number(row['due_at']), now, error)
  sql.expire.run(error, Number(row['id']))
}

function ownerOf(row: Record<string, unknown>): string | undefined {
  return (row['owner'] as string | null) ?? undefined
}

function leaseRow(
  sql: Statements,
  { owner, leaseMs, onLoss }: Omit<ClaimSuspectsRequest, 'ids'>,
  row: Record<string, unknown>,
  now: number
): ClaimedDelivery | undefined {
  const id = Number(row['id'])
  const attempts = Number(row['attempts'])
  const line = readLine(row)
  const { handler, realm } = line
  const orderKey = line.orderKey ?? undefined
  const lost: LostRun | undefined =
    row['state'] === 'running'
      ? { owner: ownerOf(row), at: new Date(Number(row['due_at'])), onLoss: row['on_loss'] as OnLoss }
      : undefined
  // A lost run has its place in the line still.
  if (lost === undefined && orderKey !== undefined && !isFirst(sql, line, id, now)) return undefined
  sql.lease.run(lost === undefined ? 1 : 0, lost?.onLoss ?? onLoss, now + leaseMs, owner, id)
  return {
    id,
    token: Number(row['token']) + 1,
    handler,
    orderKey,
    attempt: lost === undefined ? attempts + 1 : attempts,
    losses: Number(row['losses']),
    suspicion: Number(row['suspicion']),
    lost,
    event: {
      realm,
      id: String(row['event_id']),
      source: String(row['source']),
      type: String(row['type']),
      headers: headersOf(row),
      endpoint: String(row['endpoint']),
      receivedAt: new Date(Number(row['received_at'])),
      body: row['body'] as Uint8Array
    }
  }
}

/** One that failed and is due again takes its place in the line. */
function isFirst(sql: Statements, line: Line, id: number, now: number): boolean {
  sql.getInLine.run(line.handler, line.realm, line.orderKey, now)
  lineUp(sql, line)
  return sql.stateOf.get(id)?.['state'] === 'pending'
}

function settle(sql: Statements, settlements: readonly Settlement[], now: number): Operations['settle']['result'] {
  let due = false
  const results = settlements.map((settlement): SettleResult => {
    const row = settleOne(sql, settlement, now)
    if (row === undefined) return 'stale'
    const line = readLine(row)
    lineUp(sql, line)
    due ||= line.orderKey !== null || settlement.outcome.state === 'released'
    return 'settled'
  })
  return { results, due }
}

function settleOne(sql: Statements, settlement: Settlement, now: number): Record<string, unknown> | undefined {
  const { id, token, outcome } = settlement
  const startedAt = settlement.startedAt.getTime()
  const endedAt = settlement.endedAt.getTime()
  switch (outcome.state) {
    case 'done':
      return sql.settleDone.get(startedAt, endedAt, id, token)
    case 'dead':
      return logged(sql.settleDead.get(startedAt, endedAt, outcome.error, id, token), outcome.error)
    case 'retry':
      return logged(
        sql.settleRetry.get(outcome.dueAt.getTime(), Number(outcome.releaseKey), outcome.error, id, token),
        outcome.error
      )
    case 'lost':
      return logged(
        sql.settleLost.get(
          outcome.dueAt.getTime(),
          Number(outcome.releaseKey),
          outcome.error,
          outcome.counts ? 0 : 1,
          id,
          token
        ),
        outcome.error
      )
    case 'released':
      return logged(sql.settleBack.get('pending', now, id, token), null)
    case 'parked':
      return logged(sql.settleBack.get('parked', now, id, token), null)
  }

  function logged(row: Record<string, unknown> | undefined, error: string | null): Record<string, unknown> | undefined {
    if (row !== undefined) sql.logAttempt.run(id, Number(row['attempts']), outcome.state, startedAt, endedAt, error)
    return row
  }
}

function remove(sql: Statements, keys: readonly EventKey[]): number {
  return keys.filter(({ realm, id }) => {
    const row = sql.removable.get(id, realm)
    if (row !== undefined) drop(sql, Number(row['seq']))
    return row !== undefined
  }).length
}

function drop(sql: Statements, seq: number): void {
  const lines = sql.linesOf.all(seq)
  sql.deleteAttempts.run(seq)
  sql.deleteDeliveries.run(seq)
  sql.deleteEvent.run(seq)
  for (const row of lines) lineUp(sql, readLine(row))
}

function prune(
  sql: Statements,
  { before, limit, after }: PruneRequest,
  now: number
): { purged: number; next: number | undefined } {
  const rows = sql.oldest.all(after ?? 0, limit)
  const arrival = (row: Record<string, unknown>): number =>
    arrivedAt(Number(row['received_at']), row['created_time'], now)
  const old = rows.filter((row) => arrival(row) < before.getTime())
  const settled = old.filter((row) => row['settled'] === 1)
  for (const row of settled) drop(sql, Number(row['seq']))
  const purgedTo = new Map<string, number>()
  for (const row of settled)
    purgedTo.set(String(row['realm']), Math.max(arrival(row), purgedTo.get(String(row['realm'])) ?? 0))
  for (const [realm, to] of purgedTo) sql.advance.run(realm, 'purged', to, now)
  const isLast =
    rows.length < limit ||
    isPastOld(
      rows.filter((row) => !old.includes(row)).map((row) => Number(row['received_at'])),
      now
    )
  return { purged: settled.length, next: isLast ? undefined : Number(rows.at(-1)?.['seq']) }
}
