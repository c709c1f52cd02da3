import type { Delivery } from './rows.ts'

/** The deliveries that are neither done nor dead: by handler, and by order key. */
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
    const line = lines.byKey.get(orderKey) ?? new Set()
    lines.byKey.set(orderKey, line)
    line.add(delivery)
  }

  delete(delivery: Delivery): void {
    const lines = this.#byHandler.get(delivery.handler)
    lines?.all.delete(delivery)
    if (delivery.orderKey === undefined) return
    const line = lines?.byKey.get(delivery.orderKey)
    line?.delete(delivery)
    if (line?.size === 0) lines?.byKey.delete(delivery.orderKey)
  }

  lineUpAll(handler: string): void {
    for (const orderKey of this.#byHandler.get(handler)?.byKey.keys() ?? []) this.lineUp({ handler, orderKey })
  }

  /** Failed deliveries of the key that are due again get in line. */
  getInLine({ handler, orderKey }: Pick<Delivery, 'handler' | 'orderKey'>, now: number): void {
    if (orderKey === undefined) return
    for (const delivery of this.#byHandler.get(handler)?.byKey.get(orderKey) ?? []) {
      if (delivery.state === 'pending' && delivery.dueAt <= now) delivery.overtakable = false
    }
    this.lineUp({ handler, orderKey })
  }

  /**
   * Puts the deliveries of an order key in line. Those that are due or wait go in the order in which their events
   * arrived: the first is pending, or waits with the others while one of the key is running, or while one that
   * arrived before it is parked.
   */
  lineUp({ handler, orderKey }: Pick<Delivery, 'handler' | 'orderKey'>): void {
    if (orderKey === undefined) return
    let first: Delivery | undefined
    let isRunning = false
    let parkedSeq = Infinity
    const heads: Delivery[] = []
    for (const delivery of this.#byHandler.get(handler)?.byKey.get(orderKey) ?? []) {
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
}
