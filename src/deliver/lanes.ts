import type { Handler, Handlers, RetryOptions } from '../handlers/registry.ts'
import type { Claim } from '../inbox/inbox.ts'
import { retryRule, type RetryRule } from './retry.ts'

/**
 * The least wait for something that is overdue and yet was not given out, another process may have it: no busy loop.
 */
const leastWaitMs = 5

/** One handler as the dispatcher sees it. */
export interface Lane {
  readonly handler: Handler
  readonly rule: RetryRule
  /** How many attempts are under way. */
  running: number
  /** False after a claim found less than there was room for, until something says otherwise. */
  mayBeDue: boolean
}

export interface LanesOptions {
  readonly handlers: Handlers
  readonly retry: RetryOptions | undefined
  /** How many attempts may be under way in all. */
  readonly concurrency: number
  readonly pollMs: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Which handlers to ask the inbox for, and when. */
export class Lanes {
  readonly #options: LanesOptions
  readonly #byName = new Map<string, Lane>()
  /** When a lane that is not known to be due falls due, as far as any claim has said. */
  #nextDueAt = Infinity
  /** On the clock that never goes back. */
  #pollAt = 0

  constructor(options: LanesOptions) {
    this.#options = options
    for (const handler of options.handlers.all) {
      const rule = retryRule(handler.retry, options.retry)
      this.#byName.set(handler.name, { handler, rule, running: 0, mayBeDue: true })
    }
  }

  get all(): readonly Lane[] {
    return [...this.#byName.values()]
  }

  get(handler: string): Lane | undefined {
    return this.#byName.get(handler)
  }

  everythingMayBeDue(): void {
    for (const lane of this.#byName.values()) lane.mayBeDue = true
    this.#nextDueAt = Infinity
    this.#pollAt = performance.now() + this.#options.pollMs
  }

  dueAt(instant: Date): void {
    this.#nextDueAt = Math.min(this.#nextDueAt, instant.getTime())
  }

  /** What to ask for now; empty where nothing is due as far as is known, or there is no room. */
  wants(): readonly Want[] {
    if (performance.now() >= this.#pollAt || this.#options.clock() >= this.#nextDueAt) this.everythingMayBeDue()
    return wantsOf([...this.#byName.values()], this.#options.concurrency)
  }

  /** How long until there may be something to ask for, unless a hint comes first. In milliseconds. */
  get waitMs(): number {
    const waitMs = Math.min(this.#pollAt - performance.now(), this.#nextDueAt - this.#options.clock())
    return Math.max(waitMs, leastWaitMs)
  }

  /** Before the claim is sent, so that a hint that comes while it is under way stands. */
  asked(wants: readonly Want[]): void {
    for (const { lane } of wants) lane.mayBeDue = false
  }

  failed(wants: readonly Want[]): void {
    for (const { lane } of wants) lane.mayBeDue = true
  }

  answered(wants: readonly Want[], { deliveries, nextDueAt }: Claim): void {
    const counts = new Map<string, number>()
    for (const { handler } of deliveries) counts.set(handler, (counts.get(handler) ?? 0) + 1)
    let isFilled = false
    for (const { lane, limit } of wants) {
      if ((counts.get(lane.handler.name) ?? 0) < limit) continue
      // There may be more than there was room for.
      lane.mayBeDue = true
      isFilled = true
    }
    if (nextDueAt === undefined) return
    const now = this.#options.clock()
    if (nextDueAt.getTime() > now) this.dueAt(nextDueAt)
    else if (!isFilled) this.dueAt(new Date(now + leastWaitMs))
  }
}

export interface Want {
  readonly lane: Lane
  readonly limit: number
}

/**
 * What to ask the inbox for. Pure.
 *
 * While there are as many slots as handlers, one slot is kept free for each handler that runs nothing: handlers that
 * hang can fill all the others, but they cannot keep an idle handler from starting. What is left is shared out, those
 * with the fewest attempts under way first; what one does not use is offered to the others with the next claim.
 *
 * @param concurrency how many attempts may be under way in all
 * @returns limits that add up to the free slots at most
 */
export function wantsOf(lanes: readonly Lane[], concurrency: number): readonly Want[] {
  let free = concurrency
  let idle = 0
  for (const lane of lanes) {
    free -= lane.running
    if (lane.running === 0) idle += 1
  }
  const asking = lanes
    .filter((lane) => lane.mayBeDue && lane.running < lane.handler.concurrency)
    .map((lane) => ({ lane, limit: 0 }))
    .sort((a, b) => a.lane.running - b.lane.running)
  let shared = free
  if (concurrency >= lanes.length) {
    shared = free - idle
    for (const want of asking) if (want.lane.running === 0) want.limit = 1
  }
  let open = asking.filter(hasRoom)
  while (shared > 0 && open.length > 0) {
    const share = Math.max(1, Math.floor(shared / open.length))
    for (const want of open) {
      const more = Math.min(share, shared, want.lane.handler.concurrency - want.lane.running - want.limit)
      want.limit += more
      shared -= more
    }
    open = open.filter(hasRoom)
  }
  return asking.filter(({ limit }) => limit > 0)
}

function hasRoom({ lane, limit }: Want): boolean {
  return lane.running + limit < lane.handler.concurrency
}
