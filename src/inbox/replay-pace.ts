import { delay } from '../model/timers.ts'
import type { ReplayTarget } from './inbox.ts'

/**
 * How long before its time a batch is replayed, in milliseconds. So the last deliveries of a line are not due yet when
 * the next ones get in line behind them.
 */
const leadMs = 2_000
const mostInBatch = 200

/** Spreads replays over time: each delivery has its own due time, so there are no bursts. */
export class ReplayPace {
  readonly batchSize: number
  readonly #msEach: number
  readonly #signal: AbortSignal | undefined
  #nextAt = performance.now()

  /** @param signal ends the waits, which then reject */
  constructor(ratePerSecond: number, signal?: AbortSignal) {
    this.#msEach = 1_000 / ratePerSecond
    this.batchSize = Math.min(ratePerSecond, mostInBatch)
    this.#signal = signal
  }

  /** Waits for the time of the next batch. @returns its deliveries, with their delays */
  async next(targets: readonly ReplayTarget[]): Promise<readonly ReplayTarget[]> {
    const at = Math.max(this.#nextAt, performance.now())
    await delay(Math.max(0, at - leadMs - performance.now()), undefined, { signal: this.#signal })
    const now = performance.now()
    this.#nextAt = at + targets.length * this.#msEach
    return targets.map((target, index) => ({
      ...target,
      dueInMs: Math.round(Math.max(0, at + index * this.#msEach - now))
    }))
  }
}
