import { clearTimeout, setTimeout } from '../model/timers.ts'

/** How `drain()` ends the work of this process. */
export interface DrainOptions {
  /**
   * How long requests are still recorded and answered 202 while `health()` reports not ready, so that the load balancer
   * can notice. In milliseconds; default 0. Does not delay handlers: no attempt starts any more, and the grace period
   * starts now.
   */
  readonly delay?: number | undefined
  /**
   * The uncaught error that ends the process. The attempt that threw it has failed, and counts. The others are aborted
   * and handed back at once, without the grace period. If the attempt cannot be identified, each running attempt has
   * lost a run. Call `drain({ fault })` inside the listener of `uncaughtException` or `unhandledRejection`: only there
   * can the attempt be identified. Requests are recorded until the app closes.
   */
  readonly fault?: unknown
}

/**
 * - `serving`: the start. `drain()` leads to `leaving`, or at once to `refusing`.
 * - `leaving`: not ready, and no attempt starts; requests are still recorded. The end of the delay, or another
 *   `drain()` without one, leads to `refusing`.
 * - `refusing`: requests are answered 503. The end.
 */
type Phase = 'serving' | 'leaving' | 'refusing'

/** Runs the first step of the shutdown. `end()` in riverhook.ts lists all steps. */
export class Draining {
  readonly #stop: () => Promise<void>
  readonly #fail: (error: unknown) => Promise<void>
  #phase: Phase = 'serving'
  #stopped: Promise<void> | undefined
  readonly #refused = Promise.withResolvers<undefined>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param stop lets the attempts in progress finish; called once
   * @param fail ends them because of an uncaught error
   */
  constructor(stop: () => Promise<void>, fail: (error: unknown) => Promise<void>) {
    this.#stop = stop
    this.#fail = fail
  }

  get isLeaving(): boolean {
    return this.#phase !== 'serving'
  }

  get isRefusing(): boolean {
    return this.#phase === 'refusing'
  }

  /**
   * Resolves when requests are refused and every attempt has ended. Can be called again: without a delay, it ends the
   * current delay.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    if ('fault' in options) {
      if (this.#phase === 'serving') this.#phase = 'leaving'
      await this.#fail(options.fault)
      return
    }
    const { delay = 0 } = options
    if (!(Number.isFinite(delay) && delay >= 0 && delay <= maxDelayMs))
      throw new RangeError(`drain(): "delay" must be milliseconds, from 0 to ${maxDelayMs}`)
    if (delay === 0) this.#refuse()
    else if (this.#phase === 'serving') {
      this.#phase = 'leaving'
      this.#timer = setTimeout(() => {
        this.#refuse()
      }, delay)
    }
    this.#stopped ??= this.#stop()
    await Promise.all([this.#stopped, this.#refused.promise])
  }

  #refuse(): void {
    clearTimeout(this.#timer)
    this.#phase = 'refusing'
    this.#refused.resolve(undefined)
  }
}

/** An hour. A longer delay is most likely a mistake. */
const maxDelayMs = 3_600_000
