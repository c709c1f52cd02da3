import type { Claim, ClaimRequest, NewDelivery, NewLease, RecordResult } from '../inbox.ts'
import { eventOutcome } from '../tally.ts'
import type { claimChecksSql } from './claim-checks.ts'
import { claimDue, type claimSql } from './claim.ts'
import { followEvents, type listIndexSql } from './list-index.ts'
import { isBusy, type orderSql } from './order.ts'
import type { pauseSql } from './pause.ts'
import type { Prepared } from './prepared.ts'
import type { EventColumns, Operations, PackedArrival, RecordArgs } from './protocol.ts'
import type { Counting } from './tally.ts'

export const recordSql = {
  /** An erased event has an empty body, which node:sqlite of Node 22 binds as NULL. */
  insertEvent: `
    INSERT INTO event (realm, id, source, state, type, live_mode, created_time, endpoint, received_at, reason, receipt, headers, backfilled, about, resource, trace, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, x'')) ON CONFLICT (id, realm) DO NOTHING`,
  /** Never a conflict if one of the two was backfilled: the API serialises the event again, so the bytes differ. */
  countDuplicate: `
    UPDATE event SET duplicates = duplicates + 1, conflicts = conflicts + (NOT ? AND NOT backfilled AND state <> 'erased' AND body <> ?) WHERE id = ? AND realm = ?
    RETURNING NOT ? AND NOT backfilled AND state <> 'erased' AND body <> ? AS conflict`,
  isKnown: 'SELECT 1 FROM event WHERE id = ? AND realm = ?',
  insertDelivery:
    'INSERT INTO delivery (event_seq, realm, handler, state, due_at, order_key) VALUES (?, ?, ?, ?, ?, ?)',
  /** A delivery that is leased at once, for its first attempt. */
  insertRunning: `
    INSERT INTO delivery (event_seq, realm, handler, state, due_at, attempts, token, owner) VALUES (?, ?, ?, 'running', ?, 1, 1, ?)`
} as const

type Sql = Prepared<
  typeof recordSql & typeof claimSql & typeof claimChecksSql & typeof orderSql & typeof pauseSql & typeof listIndexSql
> &
  Counting

/** Stores arrivals with their deliveries. With a request, claims: what is due, then new deliveries. */
export function record(
  sql: Sql,
  { arrivals, bodies, request }: RecordArgs,
  now: number
): Operations['record']['result'] {
  let start = 0
  let newest: number | undefined
  const due = request === undefined ? undefined : claimDue(sql, request, now)
  const adding = new Adding(sql, request, due, now)
  const results = arrivals.map((arrival, index) => {
    const [, end, deliveries] = arrival
    const body = bodies.subarray(start, end)
    start = end
    const seq = insertEvent(sql, arrival, body)
    if (seq !== undefined) for (const delivery of deliveries) adding.add(seq, arrival[0], delivery, index)
    const result = seq === undefined ? countAgain(sql, arrival, body) : 'accepted'
    const columns = arrival[0]
    sql.counts.addEvent(columns[4], eventOutcome(result, columns[3], columns[12] === 1), now)
    newest = seq ?? newest
    return result
  })
  if (newest !== undefined) followEvents(sql, newest)
  return { results, claim: due?.claim ?? nothing, claimed: adding.claimed, due: adding.hasLeft }
}

const nothing: Claim = { deliveries: [], nextDueAt: undefined }

/** @returns its `seq`; undefined if the event is known */
function insertEvent(sql: Sql, [columns]: PackedArrival, body: Uint8Array): number | undefined {
  const { changes, lastInsertRowid } = sql.insertEvent.run(...columns, body)
  return changes === 0 ? undefined : Number(lastInsertRowid)
}

function countAgain(sql: Sql, [columns]: PackedArrival, body: Uint8Array): RecordResult {
  const [realm, id] = columns
  const backfilled = columns[12]
  const row = sql.countDuplicate.get(backfilled, body, id, realm, backfilled, body)
  return row?.['conflict'] === 1 ? 'conflict' : 'duplicate'
}

/** Adds the deliveries of events that arrive now. */
class Adding {
  readonly claimed: NewLease[] = []
  /** True if a delivery was left for a later claim. */
  hasLeft = false
  readonly #sql: Sql
  readonly #request: ClaimRequest | undefined
  readonly #now: number
  /** How many more deliveries may be claimed: in total, and by handler. */
  #left: number
  readonly #room = new Map<string, { readonly source: string; left: number }>()

  constructor(sql: Sql, request: ClaimRequest | undefined, due: ReturnType<typeof claimDue> | undefined, now: number) {
    this.#sql = sql
    this.#request = request
    this.#now = now
    const deliveries = due?.claim.deliveries ?? []
    this.#left = (request?.limit ?? 0) - deliveries.length
    for (const { handler, source, limit } of request?.wants ?? []) {
      if (due?.exhausted.has(handler) !== true) continue
      const left = limit - deliveries.filter((delivery) => delivery.handler === handler).length
      this.#room.set(handler, { source, left })
    }
  }

  /** Claims a delivery, or adds it at the end of its line. @param arrival the index of its arrival */
  add(eventSeq: number, columns: EventColumns, delivery: NewDelivery, arrival: number): void {
    const [realm] = columns
    const { handler, orderKey } = delivery
    if (this.#request !== undefined && this.#takeRoom(columns, delivery)) {
      const { owner, leaseMs } = this.#request
      const { lastInsertRowid } = this.#sql.insertRunning.run(eventSeq, realm, handler, this.#now + leaseMs, owner)
      const id = Number(lastInsertRowid)
      this.#sql.claimed.set(id, handler)
      this.claimed.push({ id, token: 1, handler, arrival })
      return
    }
    this.hasLeft = true
    const waits = orderKey !== undefined && isBusy(this.#sql, { handler, realm, orderKey })
    this.#sql.insertDelivery.run(eventSeq, realm, handler, waits ? 'waiting' : 'pending', this.#now, orderKey ?? null)
  }

  #takeRoom([, , source]: EventColumns, { handler, orderKey }: NewDelivery): boolean {
    const room = this.#room.get(handler)
    if (orderKey !== undefined || room?.source !== source || room.left === 0 || this.#left === 0) return false
    room.left -= 1
    this.#left -= 1
    return true
  }
}

/** Finds which ids the realm has. */
export function findKnown(sql: Sql, { realm, ids }: Operations['known']['args']): ReadonlySet<string> {
  return new Set(ids.filter((id) => sql.isKnown.get(id, realm) !== undefined))
}
