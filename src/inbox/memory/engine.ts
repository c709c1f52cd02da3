import { isSettled } from '../rows.ts'
import { purgedMark } from '../../model/purged-mark.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import {
  checkAdmissions,
  checkClaim,
  checkEventFilter,
  checkEventKeys,
  checkIds,
  checkInstant,
  checkKey,
  checkPrune,
  checkRestored,
  checkTargets,
  checkText
} from '../check.ts'
import { readClock } from '../../model/option-rules.ts'
import type * as contract from '../inbox.ts'
import { MemoryLines } from './order.ts'
import { addDrift, latestDrifts } from './mismatches.ts'
import {
  arrivalOf,
  arrivalOfRow,
  countAll,
  detailOf,
  dueAtOf,
  dueSuspects,
  end,
  inTurn,
  isDone,
  isLastOld,
  isPending,
  isSuspect,
  lease,
  restored,
  nameOf,
  newDelivery,
  pageOf,
  park,
  replaceRow,
  rewind,
  type Delivery,
  type Row
} from './rows.ts'

/**
 * The contract in its plainest form: everything in this process's memory, gone when it ends. For tests and for
 * trying things out; a merchant's events belong in an engine that survives a crash.
 * @param options.clock milliseconds since the epoch; given by tests
 */
export function memoryInbox(options: { clock?: () => number } = {}): contract.Inbox {
  return new MemoryInbox(readClock(options, 'memoryInbox'))
}

class MemoryInbox implements contract.Inbox {
  readonly name = 'memory'
  readonly #clock: () => number
  /** In the order of their arrival: see `nameOf`. */
  readonly #rows = new Map<string, Row>()
  readonly #lines = new MemoryLines()
  readonly #byId = new Map<number, Delivery>()
  readonly #wakers = new Set<() => void>()
  /** By realm and name. */
  readonly #watermarks = new Map<string, contract.Watermark>()
  readonly #drifts = new Map<string, contract.Mismatch>()
  #handlers: readonly contract.HandlerRecord[] = []
  #state: 'new' | 'open' | 'closed' = 'new'
  #lastSeq = 0
  #lastDeliveryId = 0

  constructor(clock: () => number) {
    this.#clock = clock
  }

  async open(): Promise<void> {
    this.#state = 'open'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<contract.RecordResult[]> {
    this.#assertOpen()
    const results = arrivals.map((arrival) => this.#recordOne(arrival))
    if (arrivals.some((arrival) => arrival.state === 'accepted' && arrival.deliveries.length > 0)) this.#wake()
    return results
  }

  async known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    this.#assertOpen()
    const inRealm = checkText(realm, 'realm')
    return new Set(checkIds(ids, 'known()', 1000).filter((id) => this.#rows.has(nameOf({ realm: inRealm, id }))))
  }

  async now(): Promise<Date> {
    this.#assertOpen()
    return new Date(this.#clock())
  }

  async watermark(realm: string, name: string): Promise<Date | undefined> {
    this.#assertOpen()
    return this.#watermarks.get(markOf(realm, name))?.at
  }

  async watermarks(): Promise<readonly contract.Watermark[]> {
    this.#assertOpen()
    return [...this.#watermarks.values()]
  }

  async advance(realm: string, name: string, to: Date): Promise<void> {
    this.#assertOpen()
    const key = markOf(realm, name)
    const [mark, last] = [checkInstant(to, 'watermark'), this.#watermarks.get(key)?.at]
    const now = new Date(this.#clock())
    if (last === undefined || last < mark || last > now)
      this.#watermarks.set(key, { realm, name, at: mark > now ? now : mark })
  }

  async flag(drifts: readonly contract.Mismatch[]): Promise<readonly contract.FlagResult[]> {
    this.#assertOpen()
    return drifts.map((note) => addDrift(this.#drifts, note))
  }

  async drifts(): Promise<readonly contract.Mismatch[]> {
    this.#assertOpen()
    return latestDrifts(this.#drifts)
  }

  async adopt(handlers: readonly contract.HandlerRecord[]): Promise<{ parked: number; resumed: number }> {
    this.#assertOpen()
    const now = this.#clock()
    this.#handlers = handlers.map(({ name, source, pattern, ordered = false }) => ({ name, source, pattern, ordered }))
    let parked = 0
    let resumed = 0
    for (const handler of this.#lines.handlers) {
      for (const delivery of this.#lines.of(handler)) {
        const known = this.#knows(delivery)
        if (!known && park(delivery, now)) parked += 1
        else if (known && delivery.state === 'parked') {
          delivery.state = delivery.orderKey === undefined ? 'pending' : 'waiting'
          resumed += 1
        }
      }
      this.#lines.lineUpAll(handler)
    }
    if (resumed > 0) this.#wake()
    return { parked, resumed }
  }

  async handlers(): Promise<readonly contract.HandlerRecord[]> {
    this.#assertOpen()
    return this.#handlers
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    this.#assertOpen()
    const now = this.#clock()
    const claimed: contract.ClaimedDelivery[] = []
    let nextDueAt: number | undefined
    let left = request.limit
    for (const want of checkClaim(request).wants) {
      const room = Math.min(want.limit, left)
      const turns = inTurn(this.#ofHandler({ name: want.handler, source: want.source }), now).filter(
        (delivery) => !isSuspect(delivery)
      )
      const found = turns.filter((delivery, index) => index < room && dueAtOf(delivery) <= now)
      left -= found.length
      const leased = found.flatMap((delivery) => this.#leaseNext(delivery, { ...request, onLoss: 'loss' }, now))
      claimed.push(...leased)
      // Deliveries that were skipped wait in their line now.
      const rest = turns[found.length]
      const next = leased.length < found.length ? now : rest && dueAtOf(rest)
      if (next !== undefined) nextDueAt = Math.min(nextDueAt ?? Infinity, next)
    }
    return { deliveries: claimed, nextDueAt: nextDueAt === undefined ? undefined : new Date(nextDueAt) }
  }

  async suspects(handlers: readonly contract.HandlerName[]): Promise<contract.Suspect[]> {
    this.#assertOpen()
    const due = dueSuspects(
      handlers.flatMap((handler) => this.#ofHandler(handler)),
      this.#clock()
    )
    return due.slice(0, 100).map(({ id, handler, suspicion }) => ({ id, handler, suspicion }))
  }

  async claimSuspects(request: contract.ClaimSuspectsRequest): Promise<contract.ClaimedDelivery[]> {
    this.#assertOpen()
    const now = this.#clock()
    const due = request.ids
      .map((id) => this.#byId.get(id))
      .filter((delivery) => delivery !== undefined && isPending(delivery) && delivery.dueAt <= now)
    return due.flatMap((delivery) => (delivery === undefined ? [] : this.#leaseNext(delivery, request, now)))
  }

  async extend(leases: readonly contract.Lease[], leaseMs: number, onLoss?: contract.OnLoss): Promise<number[]> {
    this.#assertOpen()
    const lost: number[] = []
    for (const lease of leases) {
      const delivery = this.#held(lease)
      if (delivery === undefined) {
        lost.push(lease.id)
        continue
      }
      delivery.leaseUntil = this.#clock() + leaseMs
      delivery.onLoss = onLoss ?? delivery.onLoss
    }
    return lost
  }

  async settle(settlements: readonly contract.Settlement[]): Promise<contract.SettleResult[]> {
    this.#assertOpen()
    const results = settlements.map((settlement): contract.SettleResult => {
      const delivery = this.#held(settlement)
      if (delivery === undefined) return 'stale'
      this.#settleOne(delivery, settlement)
      return 'settled'
    })
    this.#wake()
    return results
  }

  async replay(targets: readonly contract.ReplayTarget[]): Promise<contract.ReplayResult[]> {
    this.#assertOpen()
    const results = checkTargets(targets).map((target) => this.#replayOne(target))
    this.#wake()
    return results
  }

  async admit(requests: readonly contract.Admission[]): Promise<contract.AdmitResult[]> {
    this.#assertOpen()
    const results = checkAdmissions(requests).map((request) => this.#admitOne(request))
    this.#wake()
    return results
  }

  async events(given: contract.EventFilter): Promise<contract.EventPage> {
    this.#assertOpen()
    const filter = checkEventFilter(given)
    return pageOf([...this.#rows.values()], filter)
  }

  async event(key: EventKey): Promise<contract.EventDetail | undefined> {
    this.#assertOpen()
    const row = this.#row(checkKey(key, 'event()'))
    return row && detailOf(row)
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    this.#assertOpen()
    const unknown = checkRestored(events).filter((event) => this.#row(event) === undefined)
    for (const event of unknown) this.#restoreOne(event)
    this.#wake()
    return unknown.length
  }

  async remove(keys: readonly EventKey[]): Promise<number> {
    this.#assertOpen()
    const gone = new Set(
      checkEventKeys(keys, 'remove()')
        .flatMap((key) => this.#row(key) ?? [])
        .filter(({ deliveries }) => deliveries.every(({ state }) => state !== 'running'))
    )
    for (const row of gone) this.#drop(row)
    return gone.size
  }

  async stats(): Promise<contract.InboxStats> {
    this.#assertOpen()
    return { ...countAll([...this.#rows.values()]), ...(await this.probe()) }
  }

  async probe(): Promise<contract.Backlog> {
    this.#assertOpen()
    const now = this.#clock()
    const overdue = this.#lines.handlers.flatMap((handler) =>
      inTurn(this.#lines.of(handler), now).filter(({ state, dueAt }) => state === 'pending' && dueAt <= now)
    )
    const oldest = overdue.reduce((least, { dueAt }) => Math.min(least, dueAt), Infinity)
    return { oldestDueAt: oldest === Infinity ? undefined : new Date(oldest) }
  }

  async prune(given: contract.PruneRequest): Promise<{ purged: number; next: number | undefined }> {
    this.#assertOpen()
    const request = checkPrune(given)
    const rows = [...this.#rows.values()].filter(({ seq }) => seq > (request.after ?? 0)).slice(0, request.limit)
    const now = this.#clock()
    const old = rows.filter((row) => arrivalOfRow(row, now) < request.before.getTime())
    const settled = old.filter(isDone)
    for (const row of settled) {
      this.#drop(row)
      await this.advance(row.arrival.realm, purgedMark, new Date(arrivalOfRow(row, now)))
    }
    return {
      purged: settled.length,
      next: rows.length < request.limit || isLastOld(rows, old, now) ? undefined : rows.at(-1)?.seq
    }
  }

  onDue(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  #assertOpen(): void {
    if (this.#state === 'open') return
    throw new RiverhookError(
      'RIVERHOOK_INBOX_CLOSED',
      `The inbox is ${this.#state === 'new' ? 'not open yet' : 'closed'}`
    )
  }

  #recordOne(arrival: contract.Arrival): contract.RecordResult {
    const known = this.#row(arrival)
    if (known !== undefined) {
      known.duplicates += 1
      const isRewritten = known.arrival.receipt.backfilled === true || arrival.receipt.backfilled === true
      if (isRewritten || Buffer.compare(known.arrival.body, arrival.body) === 0) return 'duplicate'
      known.conflicts += 1
      return 'conflict'
    }
    const row: Row = { seq: ++this.#lastSeq, arrival, duplicates: 0, conflicts: 0, deliveries: [] }
    this.#rows.set(nameOf(arrival), row)
    if (arrival.state === 'accepted') for (const delivery of arrival.deliveries) this.#add(row, delivery)
    return 'accepted'
  }

  #admitOne({ request, id, deliveries, ...read }: contract.Admission): contract.AdmitResult {
    const row = this.#row(request)
    if (row?.arrival.state !== 'quarantined') return 'unknown_request'
    const { reason: _reason, ...kept } = row.arrival
    const arrival = { ...kept, state: 'accepted', id, deliveries, ...read } as const
    if (this.#row(arrival) !== undefined) {
      const result = this.#recordOne(arrival)
      if (result === 'duplicate') this.#drop(row)
      return result
    }
    const admitted: Row = { ...row, arrival }
    replaceRow(this.#rows, row, admitted)
    for (const delivery of deliveries) this.#add(admitted, delivery)
    return 'accepted'
  }

  #restoreOne(event: contract.EventDetail): void {
    const row: Row = {
      seq: ++this.#lastSeq,
      arrival: arrivalOf(event),
      duplicates: event.duplicates,
      conflicts: event.conflicts,
      deliveries: []
    }
    this.#rows.set(nameOf(event), row)
    for (const detail of event.deliveries) {
      const delivery = restored(detail, ++this.#lastDeliveryId, row, this.#clock())
      row.deliveries.push(delivery)
      this.#byId.set(delivery.id, delivery)
      if (isSettled(delivery)) continue
      this.#lines.add(delivery)
      if (delivery.state !== 'parked') this.#enqueue(delivery)
    }
  }

  #add(row: Row, { handler, orderKey }: contract.NewDelivery, dueAt = this.#clock()): void {
    const delivery = newDelivery({ id: ++this.#lastDeliveryId, row, handler, orderKey, dueAt })
    row.deliveries.push(delivery)
    this.#byId.set(delivery.id, delivery)
    this.#lines.add(delivery)
    this.#enqueue(delivery)
  }

  /** Makes a delivery pending, or waiting behind others of its line. */
  #enqueue(delivery: Delivery): void {
    delivery.state = delivery.orderKey === undefined ? 'pending' : 'waiting'
    this.#lines.lineUp(delivery)
  }

  /** Puts a failed delivery that is due again back in its line. A lost run still has its place. */
  #leaseNext(
    delivery: Delivery,
    terms: Omit<contract.ClaimSuspectsRequest, 'ids'>,
    now: number
  ): contract.ClaimedDelivery[] {
    if (delivery.state === 'running') return [lease(delivery, terms, now)]
    this.#lines.getInLine(delivery, now)
    return isPending(delivery) ? [lease(delivery, terms, now)] : []
  }

  #held({ id, token }: contract.Lease): Delivery | undefined {
    const delivery = this.#byId.get(id)
    return delivery?.state === 'running' && delivery.token === token ? delivery : undefined
  }

  #settleOne(delivery: Delivery, settlement: contract.Settlement): void {
    end(delivery, settlement, this.#clock())
    if (isSettled(delivery)) this.#lines.delete(delivery)
    this.#lines.lineUp(delivery)
  }

  #replayOne({ event, handler, orderKey, unlessDone, dueInMs = 0 }: contract.ReplayTarget): contract.ReplayResult {
    const row = this.#row(event)
    if (row?.arrival.state !== 'accepted') return 'unknown_event'
    const delivery = row.deliveries.find((candidate) => candidate.handler === handler)
    if (delivery === undefined) {
      this.#add(row, { handler, orderKey }, this.#clock() + dueInMs)
      return 'created'
    }
    if (delivery.state === 'running' || (delivery.state === 'done' && unlessDone === true)) return delivery.state
    rewind(delivery, this.#clock(), dueInMs)
    this.#lines.add(delivery)
    delivery.state = !this.#knows(delivery) ? 'parked' : delivery.orderKey === undefined ? 'pending' : 'waiting'
    this.#lines.lineUp(delivery)
    return 'replayed'
  }

  /** There is a handler of the delivery's name, and it is for events of this event's source. */
  #knows({ handler, row }: Delivery): boolean {
    return this.#handlers.some(({ name, source }) => name === handler && source === row.arrival.source)
  }

  #ofHandler({ name, source }: contract.HandlerName): Delivery[] {
    return [...this.#lines.of(name)].filter(({ row }) => row.arrival.source === source)
  }

  #row(key: EventKey): Row | undefined {
    return this.#rows.get(nameOf(key))
  }

  #drop(row: Row): void {
    this.#rows.delete(nameOf(row.arrival))
    for (const delivery of row.deliveries) {
      this.#byId.delete(delivery.id)
      this.#lines.delete(delivery)
      this.#lines.lineUp(delivery)
    }
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}

function markOf(realm: string, name: string): string {
  return JSON.stringify([checkText(realm, 'realm'), checkText(name, 'name of a watermark')])
}
