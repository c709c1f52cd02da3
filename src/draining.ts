/** How `drain()` ends the work of this process. */
export interface DrainOptions {
  /**
   * Milliseconds in which requests are still recorded and answered 202, while `health()` says not ready: for a load balancer that learns late that this
   * process is going. Default 0. Handlers are not affected: no attempt starts any more, and the grace period counts from now.
   */
  readonly delay?: number
}

/**
 * `serving`   -> drain()
 * `leaving`   not ready, no attempt starts; requests are still recorded. -> the delay is over, or drain() is called again without one
 * `refusing`  requests are answered 503. The end.
 */
type Phase = 'serving' | 'leaving' | 'refusing'

/** The way from serving to stopped. */
export class Draining {
  readonly #stop: () => Promise<void>
  #phase: Phase = 'serving'
  #stopped: Promise<void> | undefined
  readonly #refused = Promise.withResolvers<undefined>()
  #timer: NodeJS.Timeout | undefined

  /** @param stop lets the attempts under way finish; called once */
  constructor(stop: () => Promise<void>) {
    this.#stop = stop
  }

  get isLeaving(): boolean {
    return this.#phase !== 'serving'
  }

  get isRefusing(): boolean {
    return this.#phase === 'refusing'
  }

  /** Resolves when requests are refused and every attempt has ended. May be called again: without a delay, it ends the delay under way. */
  async drain({ delay = 0 }: DrainOptions = {}): Promise<void> {
    if (!(Number.isFinite(delay) && delay >= 0 && delay <= maxDelayMs)) throw new RangeError(`drain(): "delay" must be milliseconds, from 0 to ${maxDelayMs}`)
    if (delay === 0) this.#refuse()
    else if (this.#phase === 'serving') {
      this.#phase = 'leaving'
      this.#timer = setTimeout(() => { this.#refuse() }, delay)
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

/** An hour: a process that leaves for longer has been forgotten. */
const maxDelayMs = 3_600_000
