import type { Claimer, NewlyClaimed, Reservation } from './claimer.ts'
import { publish, type CommittedMessage } from '../model/channels.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type {
  AcceptedArrival,
  Arrival,
  ClaimedDelivery,
  ClaimRequest,
  Inbox,
  NewLease,
  RecordedAndClaimed,
  RecordResult
} from './inbox.ts'
import { inboxUnavailable, isUnavailable } from '../model/inbox-unavailable.ts'
import { Deadlines, type Due } from '../model/deadlines.ts'
import { inOwnContext } from '../model/own-context.ts'
import { monotonicNow, nextTurn } from '../model/timers.ts'

export interface RecorderOptions {
  /** Claims new deliveries while their events are recorded. Default: none is claimed. */
  readonly claimer?: () => Claimer | undefined
  /** The maximum size of all bodies that wait or are being written. More requests are rejected. Default 32 MiB. */
  readonly maxWaitingBytes?: number
  /** Milliseconds on a monotonic clock. */
  readonly clock?: () => number
}

/** The most arrivals in one transaction: more would make the commit slower, and not cheaper. */
const maxBatch = 512
/**
 * If a commit takes a larger share of the callers' time than this, the next batch is half as large. Otherwise, with a
 * slow store, all callers of a batch could time out before it is written.
 */
const maxTimeShare = 1 / 4

type OnCommitted = (commit: CommittedMessage) => void

/** A caller that waits. All its arrivals are in one transaction. */
interface Waiting extends Due {
  readonly arrivals: readonly Arrival[]
  readonly events: readonly (AnyEvent | undefined)[]
  readonly bytes: number
  readonly since: number
  readonly ackTimeoutMs: number
  readonly onCommitted: OnCommitted | undefined
  resolve(results: readonly RecordResult[]): void
  reject(error: RiverhookError): void
  answered: boolean
}

/**
 * Group commit: calls `inbox.record()` for many callers at once. Arrivals during a commit wait for the next one, so
 * batches grow with the load.
 *
 * Answers each caller after the commit, or with an error at its deadline. Sheds load early: if the oldest caller has
 * waited for half its time, rejects new ones at once, because they would probably time out. The sender tries again. So
 * the speed of the store limits the queue, and `maxWaitingBytes` limits the memory.
 */
export class Recorder {
  readonly #inbox: Inbox
  readonly #maxWaitingBytes: number
  readonly #clock: () => number
  readonly #claimer: () => Claimer | undefined
  /** In order of arrival. Callers answered at their deadline stay until the next batch is taken. */
  #queue: Waiting[] = []
  #inFlight: readonly Waiting[] = []
  #waitingBytes = 0
  readonly #deadlines = new Deadlines<Waiting>((waiting) => {
    this.#expire(waiting)
  })
  #idle: Promise<void> | undefined
  #batchSize = maxBatch

  constructor(inbox: Inbox, options: RecorderOptions = {}) {
    this.#inbox = inbox
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 32 * 1024 * 1024
    this.#clock = options.clock ?? (() => performance.now())
    this.#claimer = options.claimer ?? (() => undefined)
  }

  /**
   * Stores one arrival, in one transaction with others that wait.
   * @param ackTimeoutMs how long the caller can wait
   * @param event the event as it was read, if a handler may have it: nothing else uses it any more
   * @param onCommitted called after the commit, before the promise resolves
   * @throws {RiverhookError} RIVERHOOK_INBOX_OVERLOADED at once; RIVERHOOK_INBOX_DEADLINE after `ackTimeoutMs`;
   * RIVERHOOK_INBOX_UNAVAILABLE. After the deadline the write may still succeed: then the sender's retry is a duplicate
   */
  record(arrival: Arrival, ackTimeoutMs: number, event?: AnyEvent, onCommitted?: OnCommitted): Promise<RecordResult> {
    const given = { arrivals: [arrival], events: [event], ackTimeoutMs, onCommitted }
    return this.#enqueue(given, ([result]) => result as RecordResult)
  }

  /**
   * Stores all arrivals of one request, in one call of the inbox. See `record`.
   * @returns a result for each, in order
   * @throws {RiverhookError} also if the inbox rejects one of them. The others may be stored: then they are duplicates
   * in the sender's retry
   */
  recordAll(
    arrivals: readonly Arrival[],
    ackTimeoutMs: number,
    events: readonly (AnyEvent | undefined)[] = [],
    onCommitted?: OnCommitted
  ): Promise<readonly RecordResult[]> {
    return this.#enqueue({ arrivals, events, ackTimeoutMs, onCommitted }, (results) => results)
  }

  #enqueue<Value>(
    given: Pick<Waiting, 'arrivals' | 'events' | 'ackTimeoutMs' | 'onCommitted'>,
    toValue: (results: readonly RecordResult[]) => Value
  ): Promise<Value> {
    const { arrivals, ackTimeoutMs } = given
    const now = this.#clock()
    const bytes = arrivals.reduce((sum, { body }) => sum + body.byteLength, 0)
    const refusal = this.#checkLoad(bytes, now)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        ...given,
        bytes,
        since: now,
        dueAt: monotonicNow() + ackTimeoutMs,
        resolve: (results) => {
          resolve(toValue(results))
        },
        reject,
        answered: false
      }
      this.#waitingBytes += bytes
      this.#queue.push(waiting)
      this.#deadlines.add(waiting)
      // `#run` starts in the next turn of the event loop, so that all requests of this turn share the commit, which
      // belongs to none of them.
      this.#idle ??= inOwnContext(() => this.#run())
    })
  }

  /** Resolves when no caller waits. */
  async drained(): Promise<void> {
    await this.#idle
  }

  #checkLoad(bytes: number, now: number): RiverhookError | undefined {
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
    await nextTurn()
    while (this.#queue.length > 0) {
      // Skip callers that were answered at their deadline: this reduces the load on a slow store.
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

  /** Takes callers from the queue until the batch is full. Always takes the first one, even if it exceeds the limit. */
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
    if (this.#clock() - start > least * maxTimeShare) this.#batchSize = Math.max(1, Math.floor(size / 2))
    else if (size >= this.#batchSize) this.#batchSize = Math.min(maxBatch, this.#batchSize * 2)
  }

  async #record(batch: readonly Waiting[]): Promise<void> {
    const arrivals = batch.flatMap((waiting) => waiting.arrivals)
    let reservation: Reservation | undefined
    try {
      if (this.#inbox.recordAndClaim !== undefined) reservation = this.#claimer()?.reserve(arrivals)
      const startedAt = this.#clock()
      const { results, claim, claimed } = await this.#store(arrivals, reservation?.request)
      reservation?.end(claim, toClaimed(batch, claimed))
      reservation = undefined
      const commit = { arrivals: arrivals.length, duration_ms: this.#clock() - startedAt }
      publish('committed', commit)
      let start = 0
      for (const waiting of batch) {
        waiting.onCommitted?.(commit)
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
      reservation?.end(undefined, [])
    }
  }

  /** Stores arrivals. If claiming fails, stores them without it: a damaged delivery must not stop recording. */
  async #store(
    arrivals: readonly Arrival[],
    request: ClaimRequest | undefined
  ): Promise<Partial<RecordedAndClaimed> & Pick<RecordedAndClaimed, 'results'>> {
    const recorded = request && (await this.#inbox.recordAndClaim?.(arrivals, request).catch(() => undefined))
    return recorded ?? { results: await this.#inbox.record(arrivals) }
  }

  #expire(waiting: Waiting): void {
    this.#answer(
      waiting,
      new RiverhookError(
        'RIVERHOOK_INBOX_DEADLINE',
        `The inbox did not commit within ${waiting.ackTimeoutMs} ms: the disk or the database is too slow, or hangs`
      )
    )
  }

  #answer(waiting: Waiting, answer: readonly RecordResult[] | RiverhookError): void {
    if (waiting.answered) return
    waiting.answered = true
    this.#deadlines.delete(waiting)
    if (answer instanceof RiverhookError) waiting.reject(answer)
    else waiting.resolve(answer)
  }
}

/** Adds the events to the leases of their deliveries. Call before the callers are answered. */
function toClaimed(batch: readonly Waiting[], leases: readonly NewLease[] = []): readonly NewlyClaimed[] {
  if (leases.length === 0) return []
  const given = batch.flatMap(({ arrivals, events, answered }) =>
    arrivals.map((arrival, index) => ({ arrival, event: events[index], isLate: answered }))
  )
  return leases.flatMap(({ id, token, handler, arrival: index }) => {
    const each = given[index]
    if (each?.arrival.state !== 'accepted') return []
    const { event, isLate } = each
    // The event is for one handler.
    each.event = undefined
    return { delivery: newlyClaimed(each.arrival, { id, token, handler }), event, isLate }
  })
}

/** A new delivery as a claim would return it. */
function newlyClaimed(
  { realm, id, source, type, headers, endpoint, receivedAt, body, trace }: AcceptedArrival,
  lease: Omit<NewLease, 'arrival'>
): ClaimedDelivery {
  // Copies: a caller may reuse its buffer after the answer, and a handler may change the headers.
  const copies = { headers: { ...headers }, body: Uint8Array.from(body) }
  const event = { realm, id, source, type, ...copies, endpoint, receivedAt, trace }
  return { ...lease, orderKey: undefined, attempt: 1, losses: 0, suspicion: 0, event }
}

/** Converts an error of the engine, unless it already has a status code for the sender to try again. */
function toAnswer(cause: unknown): RiverhookError {
  if (isUnavailable(cause)) return cause
  return inboxUnavailable('The inbox could not write', cause)
}
