import { backoffMs } from '../model/backoff.ts'
import { loggedError } from '../model/error-text.ts'
import type { Log } from '../model/log.ts'

const firstPauseMs = 100
const longestPauseMs = 5_000

/** An outage of one operation of the inbox: logs one line when it begins and one when it ends. */
export class Outage {
  readonly #log: Log
  readonly #what: string
  #failures = 0
  #since = 0

  /** @param what the operation, such as "claiming deliveries" */
  constructor(log: Log, what: string) {
    this.#log = log
    this.#what = what
  }

  get isOn(): boolean {
    return this.#failures > 0
  }

  /** @returns how long to wait before the next attempt, in milliseconds */
  failed(error: unknown): number {
    if (this.#failures === 0) {
      this.#since = performance.now()
      this.#log.error({ err: loggedError(error) }, `the inbox fails at ${this.#what}; retrying until it succeeds`)
    }
    this.#failures += 1
    return backoffMs(this.#failures, firstPauseMs, longestPauseMs)
  }

  succeeded(): void {
    if (this.#failures === 0) return
    const outage_ms = Math.round(performance.now() - this.#since)
    this.#log.info({ outage_ms, failures: this.#failures }, `the inbox is back at ${this.#what}`)
    this.#failures = 0
  }
}
