import { RiverhookError } from '../model/errors.ts'
import type { Arrival, Inbox, RecordResult } from './inbox.ts'
import { inboxUnavailable } from '../model/inbox-unavailable.ts'
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

/** One caller. Its arrivals are never parted: they go into one transaction. */
interface Waiting {
  readonly arrivals: readonly Arrival[]
  readonly bytes: number
  readonly since: number
  readonly ackTimeoutMs: number
  readonly timer: NodeJS.Timeout
  resolve(results: readonly RecordResult[]): void
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
    return this.#enqueue([arrival], ackTimeoutMs, ([result]) => result as RecordResult)
  }

  /**
   * Stores all arrivals of one request, in one call of the inbox. See `record`.
   * @returns one result for each, in order
   * @throws also when the inbox refuses one of them; the others may be stored, and are duplicates when they come again
   */
  recordAll(arrivals: readonly Arrival[], ackTimeoutMs: number): Promise<readonly RecordResult[]> {
    return this.#enqueue(arrivals, ackTimeoutMs, (results) => results)
  }

  #enqueue<Value>(
    arrivals: readonly Arrival[],
    ackTimeoutMs: number,
    valueOf: (results: readonly RecordResult[]) => Value
  ): Promise<Value> {
    const now = this.#clock()
    const bytes = arrivals.reduce((sum, { body }) => sum + body.byteLength, 0)
    const refusal = this.#refusal(bytes, now)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        arrivals,
        bytes,
        since: now,
        ackTimeoutMs,
        timer: setTimeout(() => {
          this.#expire(waiting)
        }, ackTimeoutMs),
        resolve: (results) => {
          resolve(valueOf(results))
        },
        reject,
        answered: false
      }
      this.#waitingBytes += bytes
      this.#queue.push(waiting)
      // The run starts in the next tick of the event loop, so that requests read in this one share the commit.
      this.#idle ??= this.#run()
    })
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#idle
  }

  #refusal(bytes: number, now: number): RiverhookError | undefined {
    const oldest = this.#inFlight[0] ?? this.#queue[0]
    const waitedMs = oldest === undefined ? 0 : now - oldest.since
    if (oldest !== undefined && waitedMs > oldest.ackTimeoutMs / 2) {
      return new RiverhookError(
        'RIVERHOOK_INBOX_OVERLOADED',
        `The inbox is behind: the oldest of ${this.#queue.length + this.#inFlight.length} waiting requests has waited ${Math.round(waitedMs)} ms`
      )
    }
    if (this.#waitingBytes + bytes > this.#maxWaitingBytes) {
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
      const batch = this.#takeBatch()
      this.#inFlight = batch
      if (batch.length > 0) await this.#commit(batch)
      this.#inFlight = []
      this.#forget(batch)
    }
    this.#idle = undefined
  }

  /** Takes callers out of the queue until the batch is full. The first one is taken however many arrivals it has. */
  #takeBatch(): readonly Waiting[] {
    let size = 0
    const end = this.#queue.findIndex(({ arrivals }, index) => {
      size += arrivals.length
      return index > 0 && size > this.#batchSize
    })
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end)
  }

  #forget(gone: readonly Waiting[]): void {
    for (const { bytes } of gone) this.#waitingBytes -= bytes
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const start = this.#clock()
    await this.#record(batch)
    const least = Math.min(...batch.map(({ ackTimeoutMs }) => ackTimeoutMs))
    const size = batch.reduce((sum, { arrivals }) => sum + arrivals.length, 0)
    if (this.#clock() - start > least * patience) this.#batchSize = Math.max(1, Math.floor(size / 2))
    else if (size >= this.#batchSize) this.#batchSize = Math.min(largestBatch, this.#batchSize * 2)
  }

  async #record(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#inbox.record(batch.flatMap(({ arrivals }) => arrivals))
      let start = 0
      for (const waiting of batch) {
        const own = results.slice(start, (start += waiting.arrivals.length))
        const refused = own.find((result) => result instanceof RiverhookError)
        if (own.length < waiting.arrivals.length)
          this.#answer(
            waiting,
            inboxUnavailable('The inbox could not write', new Error('the engine returned too few results'))
          )
        else this.#answer(waiting, refused ?? (own as readonly RecordResult[]))
      }
    } catch (error) {
      for (const waiting of batch) this.#answer(waiting, toAnswer(error))
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

  #answer(waiting: Waiting, answer: readonly RecordResult[] | RiverhookError): void {
    if (waiting.answered) return
    waiting.answered = true
    clearTimeout(waiting.timer)
    if (answer instanceof RiverhookError) waiting.reject(answer)
    else waiting.resolve(answer)
  }
}

/** Converts what the engine threw, unless it is an answer to a request already. */
function toAnswer(cause: unknown): RiverhookError {
  if (cause instanceof RiverhookError && cause.statusCode === 503) return cause
  return inboxUnavailable('The inbox could not write', cause)
}
