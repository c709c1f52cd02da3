import type { Handlers, RetryOptions } from '../handlers/registry.ts'
import type { Claim, ClaimedDelivery } from '../inbox/inbox.ts'
import type { Lane, Want } from './lane.ts'
import { Pace } from './pace.ts'
import { retryRule } from './retry.ts'
import { shareClaims } from './share-claims.ts'

/**
 * Minimum delay before asking again for an overdue delivery that was not returned (another process may hold it);
 * prevents a busy loop.
 */
const leastWaitMs = 5

export interface LanesOptions {
  readonly handlers: Handlers
  readonly retry: RetryOptions | undefined
  /** The most attempts that run at the same time. */
  readonly concurrency: number
  readonly pollMs: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Decides which handlers to claim for, and when. */
export class Lanes {
  readonly #options: LanesOptions
  readonly #byName = new Map<string, Lane>()
  /** Those whose last claim reached its limit. */
  readonly #backlogs = new Set<Lane>()
  /** Time of the next due delivery, as returned by the claims. In milliseconds since the epoch. */
  #nextDueAt = Infinity
  /** Time of the next poll, by the monotonic clock. */
  #pollAt = 0

  constructor(options: LanesOptions) {
    this.#options = options
    for (const handler of options.handlers.all) {
      const rule = retryRule(handler.retry, options.retry)
      this.#byName.set(handler.name, {
        handler,
        rule,
        running: 0,
        reserved: 0,
        prefetched: 0,
        pace: new Pace(),
        mayBeDue: true
      })
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

  /**
   * The claims to make now. Empty if nothing may be due, or no slot is free.
   * @param recorded how many new deliveries are recorded now, by handler
   */
  wants(recorded: ReadonlyMap<string, number> = new Map()): readonly Want[] {
    if (performance.now() >= this.#pollAt || this.#options.clock() >= this.#nextDueAt) this.everythingMayBeDue()
    return shareClaims(this.all, this.#options.concurrency, ({ handler, mayBeDue }) =>
      mayBeDue ? Infinity : (recorded.get(handler.name) ?? 0)
    )
  }

  /** Keeps slots for a claim under way. Call `release` at its end. */
  reserve(wants: readonly Want[]): void {
    for (const { lane, limit } of wants) lane.reserved += limit
  }

  /** Keeps slots for deliveries that start later. @returns what to release then */
  keep(deliveries: readonly Pick<ClaimedDelivery, 'handler'>[]): readonly Want[] {
    const counts = countByHandler(deliveries)
    const kept = this.all.flatMap((lane) => {
      const limit = counts.get(lane.handler.name) ?? 0
      return limit === 0 ? [] : { lane, limit }
    })
    this.reserve(kept)
    return kept
  }

  release(wants: readonly Want[]): void {
    for (const { lane, limit } of wants) lane.reserved -= limit
  }

  /** Milliseconds until something may be due, unless a hint comes first. */
  get waitMs(): number {
    const waitMs = Math.min(this.#pollAt - performance.now(), this.#nextDueAt - this.#options.clock())
    return Math.max(waitMs, leastWaitMs)
  }

  /** True if the last claim of each of these handlers reached its limit. */
  haveBacklog(wants: readonly Want[]): boolean {
    return wants.every(({ lane }) => this.#backlogs.has(lane))
  }

  /** Call before sending the claim, so that a hint during the claim is not missed. */
  asked(wants: readonly Want[]): void {
    this.reserve(wants)
    for (const { lane } of wants) lane.mayBeDue = false
  }

  /** Call after `asked`, if a claim asks for less than there may be. */
  moreMayBeDue(wants: readonly Want[]): void {
    for (const { lane } of wants) lane.mayBeDue = true
  }

  failed(wants: readonly Want[]): void {
    this.release(wants)
    this.moreMayBeDue(wants)
  }

  answered(wants: readonly Want[], { deliveries, nextDueAt }: Claim): void {
    this.release(wants)
    const counts = countByHandler(deliveries)
    let isLimitReached = false
    for (const { lane, limit } of wants) {
      const isFull = (counts.get(lane.handler.name) ?? 0) >= limit
      this.#backlogs[isFull ? 'add' : 'delete'](lane)
      if (!isFull) continue
      // The claim reached its limit: more may be due.
      lane.mayBeDue = true
      isLimitReached = true
    }
    if (nextDueAt === undefined) return
    const now = this.#options.clock()
    if (nextDueAt.getTime() > now) this.dueAt(nextDueAt)
    else if (!isLimitReached) this.dueAt(new Date(now + leastWaitMs))
  }
}

function countByHandler(deliveries: readonly Pick<ClaimedDelivery, 'handler'>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { handler } of deliveries) counts.set(handler, (counts.get(handler) ?? 0) + 1)
  return counts
}
