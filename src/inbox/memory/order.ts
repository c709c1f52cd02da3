import type { Delivery } from './rows.ts'

/** The unsettled deliveries: by handler, and by realm and order key. */
export class Lines {
  readonly #byHandler = new Map<string, { readonly all: Set<Delivery>; readonly byKey: Map<string, Set<Delivery>> }>()

  /** The handlers that have had an unsettled delivery. */
  get handlers(): readonly string[] {
    return [...this.#byHandler.keys()]
  }

  /** The unsettled deliveries of a handler. */
  of(handler: string): Iterable<Delivery> {
    return this.#byHandler.get(handler)?.all ?? []
  }

  add(delivery: Delivery): void {
    const { handler, orderKey } = delivery
    const lines = this.#byHandler.get(handler) ?? { all: new Set(), byKey: new Map<string, Set<Delivery>>() }
    this.#byHandler.set(handler, lines)
    lines.all.add(delivery)
    if (orderKey === undefined) return
    const key = lineText(delivery)
    const line = lines.byKey.get(key) ?? new Set()
    lines.byKey.set(key, line)
    line.add(delivery)
  }

  delete(delivery: Delivery): void {
    const lines = this.#byHandler.get(delivery.handler)
    lines?.all.delete(delivery)
    if (delivery.orderKey === undefined) return
    const key = lineText(delivery)
    const line = lines?.byKey.get(key)
    line?.delete(delivery)
    if (line?.size === 0) lines?.byKey.delete(key)
  }

  /** Puts all lines of a handler in order. */
  lineUpAll(handler: string): void {
    for (const line of this.#byHandler.get(handler)?.byKey.values() ?? []) lineUp(line)
  }

  /** Puts failed deliveries of the key that are due again back in line. */
  rejoin(delivery: Delivery, now: number): void {
    const line = this.#find(delivery)
    for (const other of line) if (other.state === 'pending' && other.dueAt <= now) other.overtakable = false
    lineUp(line)
  }

  /** Puts the deliveries of the delivery's realm, handler and order key in line. */
  lineUp(delivery: Delivery): void {
    lineUp(this.#find(delivery))
  }

  #find(delivery: Delivery): Iterable<Delivery> {
    if (delivery.orderKey === undefined) return []
    return this.#byHandler.get(delivery.handler)?.byKey.get(lineText(delivery)) ?? []
  }
}

/** Includes the realm: a sender of one realm must not delay an order key of another. */
function lineText({ row, orderKey }: Delivery): string {
  return JSON.stringify([row.arrival.realm, orderKey])
}

/**
 * Puts the deliveries of one line in the order in which their events arrived. The first one becomes pending. It waits
 * with the others while a delivery of the line is running, or one that arrived earlier is parked.
 */
function lineUp(line: Iterable<Delivery>): void {
  let first: Delivery | undefined
  let isRunning = false
  let parkedSeq = Infinity
  const heads: Delivery[] = []
  for (const delivery of line) {
    const { state, overtakable, row } = delivery
    if (state === 'running') isRunning = true
    else if (state === 'parked') parkedSeq = Math.min(parkedSeq, row.seq)
    else if (state === 'waiting' || !overtakable) {
      if (state === 'pending') heads.push(delivery)
      if (first === undefined || row.seq < first.row.seq) first = delivery
    }
  }
  for (const head of heads) head.state = 'waiting'
  if (first !== undefined && !isRunning && first.row.seq < parkedSeq) first.state = 'pending'
}
