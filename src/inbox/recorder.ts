import { RiverhookError } from '../model/errors.ts'
import type { Arrival, Inbox, RecordResult } from './inbox.ts'
import { clearTimeout, setImmediate, setTimeout } from '../model/timers.ts'

export interface RecorderOptions {
  /** At most so many bytes of bodies wait or are being written; one more request is refused. Default 32 MiB. */
  readonly maxWaitingBytes?: number
  /** Milliseconds on a clock that never goes back. */
  readonly clock?: () => number
}

/** The most arrivals that go into one transaction: more make the commit longer without making it cheaper. */
const largestBatch = 512
/**
 * A commit that takes more than this share of its callers' time was too large for the store as it is now: the next
 * one is half as large. Without that, a slow store would be given batches whose callers have all gone when they are
 * written.
 */
const patience = 1 / 4

interface Waiting {
  readonly arrival: Arrival
  readonly since: number
  readonly ackTimeoutMs: number
  readonly timer: NodeJS.Timeout
  resolve(result: RecordResult): void
  reject(error: RiverhookError): void
  answered: boolean
}

/**
 * Group commit: many callers, one `inbox.record()` at a time. What arrives while a transaction is being
 * committed goes into the next one, so the batch grows with the load by itself.
 *
 * Each caller is answered after the commit, or with an error at its deadline. Load is shed early: when the oldest
 * caller has waited half its time, a new one would hardly be served within its own, so it is refused at once
 * and the sender tries again. That bounds the queue by the store's own speed; `maxWaitingBytes` bounds the memory.
 */
export class Recorder {
  readonly #inbox: Inbox
  readonly #maxWaitingBytes: number
  readonly #clock: () => number
  /** In order of arrival. Entries answered at their deadline stay until the next batch is taken out. */
  #queue: Waiting[] = []
  #inFlight: readonly Waiting[] = []
  #waitingBytes = 0
  #idle: Promise<void> | undefined
  #batchSize = largestBatch

  constructor(inbox: Inbox, options: RecorderOptions = {}) {
    this.#inbox = inbox
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 32 * 1024 * 1024
    this.#clock = options.clock ?? (() => performance.now())
  }

  /**
   * Stores one arrival, together with all that wait.
   * @param ackTimeoutMs how long the caller can wait
   * @throws {RiverhookError} RIVERHOOK_INBOX_OVERLOADED at once, RIVERHOOK_INBOX_DEADLINE after `ackTimeoutMs` (a write
   * that was under way may still succeed: the sender's retry is then a duplicate), RIVERHOOK_INBOX_UNAVAILABLE
   */
  record(arrival: Arrival, ackTimeoutMs: number): Promise<RecordResult> {
    const now = this.#clock()
    const refusal = this.#refusal(arrival, now)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        arrival,
        since: now,
        ackTimeoutMs,
        timer: setTimeout(() => {
          this.#expire(waiting)
        }, ackTimeoutMs),
        resolve,
        reject,
        answered: false
      }
      this.#waitingBytes += arrival.body.byteLength
      this.#queue.push(waiting)
      // The run starts in the next tick of the event loop, so that requests read in this one share the commit.
      this.#idle ??= this.#run()
    })
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#idle
  }

  #refusal(arrival: Arrival, now: number): RiverhookError | undefined {
    const oldest = this.#inFlight[0] ?? this.#queue[0]
    const waitedMs = oldest === undefined ? 0 : now - oldest.since
    if (oldest !== undefined && waitedMs > oldest.ackTimeoutMs / 2) {
      return new RiverhookError(
        'RIVERHOOK_INBOX_OVERLOADED',
        `The inbox is behind: the oldest of ${this.#queue.length + this.#inFlight.length} waiting requests has waited ${Math.round(waitedMs)} ms`
      )
    }
    if (this.#waitingBytes + arrival.body.byteLength > this.#maxWaitingBytes) {
      return new RiverhookError(
        'RIVERHOOK_INBOX_OVERLOADED',
        `The inbox is behind: ${this.#waitingBytes} bytes of bodies are waiting to be written`
      )
    }
    return undefined
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      // Nobody waits any more for what was answered at its deadline: not writing it spares an overloaded store.
      this.#forget(this.#queue.filter(({ answered }) => answered))
      this.#queue = this.#queue.filter(({ answered }) => !answered)
      const batch = this.#queue.splice(0, this.#batchSize)
      this.#inFlight = batch
      if (batch.length > 0) await this.#commit(batch)
      this.#inFlight = []
      this.#forget(batch)
    }
    this.#idle = undefined
  }

  #forget(gone: readonly Waiting[]): void {
    for (const { arrival } of gone) this.#waitingBytes -= arrival.body.byteLength
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const start = this.#clock()
    await this.#record(batch)
    const least = Math.min(...batch.map(({ ackTimeoutMs }) => ackTimeoutMs))
    if (this.#clock() - start > least * patience) this.#batchSize = Math.max(1, Math.floor(batch.length / 2))
    else if (batch.length === this.#batchSize) this.#batchSize = Math.min(largestBatch, this.#batchSize * 2)
  }

  async #record(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#inbox.record(batch.map(({ arrival }) => arrival))
      batch.forEach((waiting, index) => {
        const result = results[index]
        if (result === undefined) this.#answer(waiting, unavailable(new Error('the engine gave too few results')))
        else this.#answer(waiting, result)
      })
    } catch (error) {
      for (const waiting of batch) this.#answer(waiting, unavailable(error))
    }
  }

  #expire(waiting: Waiting): void {
    this.#answer(
      waiting,
      new RiverhookError(
        'RIVERHOOK_INBOX_DEADLINE',
        `The inbox did not commit within ${waiting.ackTimeoutMs} ms; the disk or the database is too slow or stuck`
      )
    )
  }

  #answer(waiting: Waiting, answer: RecordResult | RiverhookError): void {
    if (waiting.answered) return
    waiting.answered = true
    clearTimeout(waiting.timer)
    if (answer instanceof RiverhookError) waiting.reject(answer)
    else waiting.resolve(answer)
  }
}

function unavailable(cause: unknown): RiverhookError {
  if (cause instanceof RiverhookError && cause.statusCode === 503) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `The inbox could not write: ${reason}`, { cause })
}
