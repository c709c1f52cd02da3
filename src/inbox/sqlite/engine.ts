import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'

import { errorCodes, RiverhookError, type RiverhookErrorCode } from '../../errors.ts'
import { checkClaim, checkEventFilter, checkIds, checkInstant, checkPrune, checkTargets, checkText } from '../check.ts'
import type * as contract from '../inbox.ts'
import type { FileSettings } from './database.ts'
import { packArrivals, type Answer, type Call, type Message, type OperationName, type Operations } from './protocol.ts'

export interface SqliteInboxOptions {
  /** The file; it and its folder are created where they do not exist. */
  readonly path: string
  /**
   * `server` (default) is the one process that delivers from this file. `command` reads, replays and removes
   * beside it, and needs the file to exist.
   */
  readonly role?: 'server' | 'command'
  /** The most bytes that the file may grow to; then requests get 503 until there is room. Default: the disk's limit. */
  readonly maxBytes?: number
  /** How long a write waits for another program's lock on the file. Default 1,000. */
  readonly busyTimeoutMs?: number
  /** Milliseconds since the epoch; given by tests. */
  readonly clock?: () => number
}

/**
 * The embedded engine: one file, one server process, every commit on disk (WAL, synchronous=FULL) before it is
 * answered. It needs a local disk: SQLite's locks do not hold on network file systems.
 */
export function sqliteInbox(options: SqliteInboxOptions): contract.Inbox {
  return new SqliteInbox(options)
}

interface Pending {
  resolve(result: unknown): void
  reject(error: RiverhookError): void
}

class SqliteInbox implements contract.Inbox {
  readonly name = 'sqlite'
  readonly #settings: FileSettings
  readonly #clock: () => number
  readonly #pending = new Map<number, Pending>()
  readonly #wakers = new Set<() => void>()
  #worker: Worker | undefined
  #state: 'new' | 'open' | 'closed' = 'new'
  #starting: Promise<void> | undefined
  #lastCallId = 0

  constructor({ path, role = 'server', maxBytes, busyTimeoutMs = 1000, clock = Date.now }: SqliteInboxOptions) {
    const owner = `process ${process.pid} on ${hostname()}`
    this.#settings = { path: realPath(path), role, owner, instance: randomUUID(), maxBytes, busyTimeoutMs }
    this.#clock = clock
  }

  async open(): Promise<void> {
    if (this.#state === 'open') return
    await this.#ensureStarted()
    this.#state = 'open'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage({ name: 'close' } satisfies Message)
    await ended
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<readonly contract.RecordResult[]> {
    const args = packArrivals(arrivals)
    const { results, due } = await this.#call('record', args, [args.bodies.buffer as ArrayBuffer])
    if (due) this.#wake()
    return results
  }

  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#call('known', checkIds(ids, 'known()', 1000))
  }

  async watermark(name: string): Promise<Date | undefined> {
    return this.#call('watermark', checkText(name, 'name of a watermark'))
  }

  watermarks(): Promise<ReadonlyMap<string, Date>> {
    return this.#call('watermarks', undefined)
  }

  async advance(name: string, to: Date): Promise<void> {
    return this.#call('advance', { name: checkText(name, 'name of a watermark'), to: checkInstant(to, 'watermark') })
  }

  flag(drifts: readonly contract.DriftNote[]): Promise<void> {
    return this.#call('flag', drifts)
  }

  drifts(): Promise<readonly contract.DriftRecord[]> {
    return this.#call('drifts', undefined)
  }

  async adopt(handlers: readonly contract.HandlerRecord[]): Promise<{ parked: number; resumed: number }> {
    // Only what can be cloned crosses to the worker: a caller may hand over richer objects.
    const result = await this.#call('adopt', handlers.map(({ name, pattern, ordered }) => ({ name, pattern, ordered })))
    this.#wake()
    return result
  }

  handlers(): Promise<readonly contract.HandlerRecord[]> {
    return this.#call('handlers', undefined)
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    return this.#call('claim', checkClaim(request))
  }

  extend(leases: readonly contract.Lease[], leaseMs: number): Promise<readonly number[]> {
    return this.#call('extend', { leases: leases.map(({ id, token }) => ({ id, token })), leaseMs })
  }

  async settle(settlements: readonly contract.Settlement[]): Promise<readonly contract.SettleResult[]> {
    const { results, due } = await this.#call('settle', settlements)
    if (due) this.#wake()
    return results
  }

  async replay(targets: readonly contract.ReplayTarget[]): Promise<readonly contract.ReplayResult[]> {
    const results = await this.#call('replay', checkTargets(targets))
    this.#wake()
    return results
  }

  async events(filter: contract.EventFilter): Promise<contract.EventPage> {
    return this.#call('events', checkEventFilter(filter))
  }

  async event(id: string): Promise<contract.EventDetail | undefined> {
    return this.#call('event', checkText(id, 'id of an event'))
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    const stored = await this.#call('restore', events)
    this.#wake()
    return stored
  }

  async remove(ids: readonly string[]): Promise<number> {
    const removed = await this.#call('remove', checkIds(ids, 'remove()'))
    this.#wake()
    return removed
  }

  stats(): Promise<contract.InboxStats> {
    return this.#call('stats', undefined)
  }

  probe(): Promise<contract.Backlog> {
    return this.#call('probe', undefined)
  }

  async prune(request: contract.PruneRequest): Promise<{ readonly purged: number; readonly next: number | undefined }> {
    return this.#call('prune', checkPrune(request))
  }

  onDue(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  /** The thread is started by open(), and again by the first call after it was lost. */
  #ensureStarted(): Promise<void> | undefined {
    if (this.#worker !== undefined && this.#starting === undefined) return undefined
    this.#starting ??= this.#start().finally(() => { this.#starting = undefined })
    return this.#starting
  }

  /** Starts the thread and lets it open the file. @throws what a fault that will not pass by itself gives */
  #start(): Promise<void> {
    // The same folder holds worker.ts in a clone and worker.js in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: this.#settings,
      name: 'riverhook-sqlite',
      // Node 22 warns that its SQLite module may change; what we use of it is the same in every version we support, and tested.
      // The process's own flags are not passed on: a worker refuses some, such as --max-old-space-size.
      execArgv: ['--disable-warning=ExperimentalWarning']
    })
    this.#worker = worker
    return new Promise((opened, failed) => {
      worker.on('message', (message: readonly Answer[] | { opened: true } | { opened: false; error: ErrorMessage }) => {
        if (!('opened' in message)) {
          for (const answer of message) this.#answer(answer)
        } else if (message.opened) {
          opened()
        } else {
          this.#worker = undefined
          failed(errorOf(message.error))
          void worker.terminate()
        }
      })
      const lose = (cause: unknown): void => {
        this.#lose(worker, cause)
        failed(unavailable(this.#settings.path, cause))
      }
      worker.on('error', lose)
      worker.on('exit', () => { lose(new Error('the thread that writes the file has ended')) })
      worker.postMessage({ name: 'open', now: this.#clock() } satisfies Message)
    })
  }

  /** The thread is gone: what it had not answered fails, and the next call starts another. */
  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = undefined
    for (const [callId, pending] of this.#pending) {
      this.#pending.delete(callId)
      pending.reject(unavailable(this.#settings.path, cause))
    }
  }

  async #call<Name extends OperationName>(
    name: Name,
    args: Operations[Name]['args'],
    transfer: ArrayBuffer[] = []
  ): Promise<Operations[Name]['result']> {
    if (this.#state !== 'open') {
      throw new RiverhookError('RIVERHOOK_INBOX_CLOSED', `The inbox is ${this.#state === 'new' ? 'not open yet' : 'closed'}`)
    }
    await this.#ensureStarted()
    const worker = this.#worker
    if (worker === undefined) throw unavailable(this.#settings.path, new Error('the thread that writes the file has ended'))
    const callId = ++this.#lastCallId
    const result = new Promise<unknown>((resolve, reject) => this.#pending.set(callId, { resolve, reject }))
    worker.postMessage({ callId, name, args, now: this.#clock() } satisfies Call<Name>, transfer)
    return (await result) as Operations[Name]['result']
  }

  #answer(answer: Answer): void {
    const pending = this.#pending.get(answer.callId)
    if (pending === undefined) return
    this.#pending.delete(answer.callId)
    if ('error' in answer) pending.reject(errorOf(answer.error))
    else pending.resolve(answer.result)
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}

interface ErrorMessage {
  readonly code: string
  readonly message: string
}

function errorOf({ code, message }: ErrorMessage): RiverhookError {
  const known = code in errorCodes ? (code as RiverhookErrorCode) : 'RIVERHOOK_INBOX_UNAVAILABLE'
  return new RiverhookError(known, message)
}

function unavailable(path: string, cause: unknown): RiverhookError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `${path}: ${reason}`, { cause })
}

/** The same text for the same file, by whatever links it is named: the lock that keeps a second server out lies beside it. */
function realPath(path: string): string {
  const real = (link: string): string | undefined => {
    try {
      return realpathSync(link)
    } catch {
      // Not there yet.
      return undefined
    }
  }
  const whole = resolve(path)
  return real(whole) ?? join(real(dirname(whole)) ?? dirname(whole), basename(whole))
}
