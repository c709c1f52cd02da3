import { RiverhookError } from '../model/errors.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'
import { Semaphore } from './semaphore.ts'

/** The longest that a read for people may take, in milliseconds. */
export const defaultReadLimitMs = 2_000

/** The longest that a read for people waits for those before it, in milliseconds. */
const waitLimitMs = 2_000

/** Lets a few reads for people run at a time. The others wait for a while, and are then refused. */
export class ReadTurns {
  readonly #semaphore: Semaphore
  readonly #waitMs: number
  readonly #reads = new Set<Promise<unknown>>()

  constructor(count: number, waitMs = waitLimitMs) {
    this.#semaphore = new Semaphore(count)
    this.#waitMs = waitMs
  }

  /**
   * Runs a read when it has its turn.
   * @throws {RiverhookError} RIVERHOOK_INBOX_READS_BUSY if it had to wait too long
   */
  async run<Result>(read: () => Promise<Result>): Promise<Result> {
    const running = this.#run(read)
    this.#reads.add(running)
    try {
      return await running
    } finally {
      this.#reads.delete(running)
    }
  }

  /** Waits for the end of all reads. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#reads)
  }

  async #run<Result>(read: () => Promise<Result>): Promise<Result> {
    const release = await this.#acquire()
    try {
      return await read()
    } finally {
      release()
    }
  }

  async #acquire(): Promise<() => void> {
    const waiting = new AbortController()
    const timer = setTimeout(() => {
      waiting.abort(
        new RiverhookError(
          'RIVERHOOK_INBOX_READS_BUSY',
          `The inbox is busy with other reads: this one had no turn within ${this.#waitMs} ms. Try again later, with fewer reads at a time`
        )
      )
    }, this.#waitMs)
    try {
      return await this.#semaphore.acquire(waiting.signal)
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Creates the error of a read for people that was ended because of its time limit. */
export function readTooLong(limitMs: number, options?: ErrorOptions): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_READ_LIMIT',
    `The read took longer than ${limitMs} ms, and was ended. Ask for less: a shorter time (since, until), one event type, one handler, or a smaller page. A command, such as riverhook events list, has no such limit`,
    options
  )
}
