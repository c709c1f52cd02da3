import type { Delivery } from './rows.ts'

/** The deliveries that are neither done nor dead: by handler, and by realm and order key. */
export class MemoryLines {
  readonly #byHandler = new Map<string, { readonly all: Set<Delivery>; readonly byKey: Map<string, Set<Delivery>> }>()

  get handlers(): readonly string[] {
    return [...this.#byHandler.keys()]
  }

  of(handler: string): Iterable<Delivery> {
    return this.#byHandler.get(handler)?.all ?? []
  }

  add(delivery: Delivery): void {
    const { handler, orderKey } = delivery
    const lines = this.#byHandler.get(handler) ?? { all: new Set(), byKey: new Map<string, Set<Delivery>>() }
    this.#byHandler.set(handler, lines)
    lines.all.add(delivery)
    if (orderKey === undefined) return
    const key = keyOf(delivery)
    const line = lines.byKey.get(key) ?? new Set()
    lines.byKey.set(key, line)
    line.add(delivery)
  }

  delete(delivery: Delivery): void {
    const lines = this.#byHandler.get(delivery.handler)
    lines?.all.delete(delivery)
    if (delivery.orderKey === undefined) return
    const key = keyOf(delivery)
    const line = lines?.byKey.get(key)
    line?.delete(delivery)
    if (line?.size === 0) lines?.byKey.delete(key)
  }

  lineUpAll(handler: string): void {
    for (const line of this.#byHandler.get(handler)?.byKey.values() ?? []) lineUp(line)
  }

  /** Failed deliveries of the key that are due again get in line. */
  getInLine(delivery: Delivery, now: number): void {
    const line = this.#lineOf(delivery)
    for (const other of line) if (other.state === 'pending' && other.dueAt <= now) other.overtakable = false
    lineUp(line)
  }

  /** Puts the deliveries of the delivery's realm, handler and order key in line. */
  lineUp(delivery: Delivery): void {
    lineUp(this.#lineOf(delivery))
  }

  #lineOf(delivery: Delivery): Iterable<Delivery> {
    if (delivery.orderKey === undefined) return []
    return this.#byHandler.get(delivery.handler)?.byKey.get(keyOf(delivery)) ?? []
  }
}

/** Who holds the credentials of one realm must not hold up an order key of another. */
function keyOf({ row, orderKey }: Delivery): string {
  return JSON.stringify([row.arrival.realm, orderKey])
}

/**
 * Puts the deliveries of one line in order. Those that are due or wait go in the order in which their events arrived:
 * the first is pending, or waits with the others while one of the line is running, or while one that arrived before it
 * is parked.
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
