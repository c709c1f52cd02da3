import { randomUUID } from 'node:crypto'

import type { AlarmKey } from '../../model/alarm.ts'
import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import type { Job, NewJob } from '../../model/job.ts'
import type { CountedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'
import { ownerName } from '../../model/owner-name.ts'
import {
  checkAct,
  checkActResult,
  checkAdmissions,
  checkAuditFilter,
  checkAuditPrune,
  checkClaim,
  checkEventFilter,
  checkFailed,
  checkIds,
  checkIndexEntries,
  checkInstant,
  checkJobClaim,
  checkJobId,
  checkJobLease,
  checkJobsRequest,
  checkMismatchKinds,
  checkKey,
  checkNewJob,
  checkPrune,
  checkAlarmHold,
  checkAlarmKeys,
  checkAlarmSave,
  checkPruneTally,
  checkCounted,
  checkSeenEvents,
  checkTallyQuery,
  checkTargets,
  checkText
} from '../check.ts'
import { checkRestored, checkRestoredAudits, checkRestoredTally } from '../check-restored.ts'
import {
  checkAgainst,
  isBoolean,
  isFunction,
  isNumber,
  isOneOf,
  isText,
  isWholeNumber,
  longestTimerMs,
  type OptionRules
} from '../../model/option-rules.ts'
import type * as contract from '../inbox.ts'
import { defaultReadLimitMs, ReadTurns } from '../read-turns.ts'
import { newSigningKey } from '../rows.ts'
import {
  packArrivals,
  packSettlements,
  type OperationName,
  type Operations,
  type ReadName,
  type RecordArgs
} from './protocol.ts'
import { resolveLinks } from './resolve-links.ts'
import { LostFile, Thread } from './thread.ts'

export interface SqliteInboxOptions {
  /** The file. If it or its folder does not exist, it is created, with the mode 0600 or 0700. */
  readonly path: string
  /**
   * `server` (default) is the one process that delivers from this file. `command` reads, replays and removes events
   * beside it, and requires the file to exist.
   */
  readonly role?: 'server' | 'command' | undefined
  /** True (default) if a server may create a new inbox if there is no file. */
  readonly create?: boolean | undefined
  /**
   * The maximum size of the file, in bytes. If it is reached, requests get 503 until there is room. Not included is the
   * log beside it, usually up to 32 MiB. Default: no limit.
   */
  readonly maxBytes?: number | undefined
  /** How long a write waits for another program's lock on the file, in milliseconds. Default 1,000. */
  readonly busyTimeoutMs?: number | undefined
  /**
   * The longest that a list, a count or a detail may take, in milliseconds: see Inbox. Default 2,000. A `command` has
   * no limit.
   */
  readonly readLimitMs?: number | undefined
  /** For tests: the time in milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined
}

const optionRules: OptionRules<SqliteInboxOptions> = {
  path: isText,
  role: isOneOf('server', 'command'),
  create: isBoolean,
  maxBytes: isWholeNumber(1),
  busyTimeoutMs: isNumber(0, longestTimerMs, 'milliseconds'),
  readLimitMs: isNumber(1, longestTimerMs, 'milliseconds'),
  clock: isFunction
}

/**
 * Creates an inbox in a SQLite file, for one server process. Every commit is on disk (WAL, synchronous=FULL) before a
 * call returns. Requires a local disk: SQLite's locks do not work on network file systems.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function sqliteInbox(options: SqliteInboxOptions): contract.Inbox {
  checkAgainst(optionRules, options, 'sqliteInbox', '', ['path'])
  return new SqliteInbox(options)
}

/** Opens the inbox in a file beside its server, for a process that does nothing else: see `startHere`. */
export function sqliteInboxAlone(path: string): contract.Inbox {
  return new SqliteInbox({ path, role: 'command' }, true)
}

/** The attempts to empty the log. Each waits for readers, for `busyTimeoutMs`. */
const scrubs = 3

class SqliteInbox implements contract.Inbox {
  readonly name = 'sqlite'
  readonly role: 'server' | 'command'
  readonly #path: string
  readonly #thread: Thread
  /** For the reads of people. Undefined for a command, which records nothing that they could delay. */
  readonly #reader: Thread | undefined
  readonly #readTurns = new ReadTurns(1)
  readonly #wakers = new Set<() => void>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(
    {
      path,
      role = 'server',
      create = role === 'server',
      maxBytes,
      busyTimeoutMs = 1000,
      readLimitMs = defaultReadLimitMs,
      clock = Date.now
    }: SqliteInboxOptions,
    isAlone = false
  ) {
    const settings = {
      path: resolveLinks(path),
      role,
      create,
      owner: ownerName(),
      // Only a server has leases.
      instance: role === 'server' ? randomUUID() : '',
      maxBytes,
      busyTimeoutMs
    }
    this.role = role
    this.#path = settings.path
    this.#thread = new Thread('worker', { settings, clock, readLimitMs, isAlone })
    if (role === 'server')
      this.#reader = new Thread('reader', {
        settings: { ...settings, role: 'reader', create: false },
        clock,
        readLimitMs
      })
  }

  async open(): Promise<void> {
    if (this.#state === 'open') return
    await this.#thread.ensureStarted()
    this.#state = 'open'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#readTurns.end()
    await this.#reader?.close()
    // Last: SQLite writes the log to the file when its last connection is closed, and that of the reader may not.
    await this.#thread.close()
  }

  notes(): readonly contract.InboxNote[] {
    return this.#thread.notes
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<readonly contract.RecordResult[]> {
    const { results } = await this.#record(packArrivals(arrivals))
    return results
  }

  recordAndClaim(
    arrivals: readonly contract.Arrival[],
    request: contract.ClaimRequest
  ): Promise<contract.RecordedAndClaimed> {
    return this.#record(packArrivals(arrivals, checkClaim(request)))
  }

  async known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#call('known', { realm: checkText(realm, 'realm'), ids: checkIds(ids, 'known()', 1000) })
  }

  async now(): Promise<Date> {
    return this.#call('now', undefined)
  }

  async watermark(realm: string, name: string): Promise<Date | undefined> {
    return this.#call('watermark', { realm: checkText(realm, 'realm'), name: checkText(name, 'name of a watermark') })
  }

  watermarks(): Promise<readonly contract.Watermark[]> {
    return this.#read('watermarks', undefined)
  }

  async advance(realm: string, name: string, to: Date): Promise<void> {
    return this.#call('advance', {
      realm: checkText(realm, 'realm'),
      name: checkText(name, 'name of a watermark'),
      to: checkInstant(to, 'watermark')
    })
  }

  async flag(drifts: readonly contract.Mismatch[]): Promise<readonly contract.FlagResult[]> {
    await this.#call('flag', drifts)
    return drifts.map(() => 'flagged')
  }

  drifts(): Promise<readonly contract.Mismatch[]> {
    return this.#read('drifts', undefined)
  }

  async acknowledge(given: readonly contract.MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const kinds = checkMismatchKinds(given)
    return this.#call('acknowledge', { kinds, isAcknowledged, act: checkAct(act, 'acknowledge()') })
  }

  async adopt(handlers: readonly contract.HandlerRecord[]): Promise<contract.Adopted> {
    // Copy the fields: a caller may pass objects that cannot be cloned for the worker.
    const result = await this.#call(
      'adopt',
      handlers.map(({ name, source, pattern, ordered }) => ({ name, source, pattern, ordered }))
    )
    this.#wake()
    return result
  }

  handlers(): Promise<readonly contract.HandlerRecord[]> {
    return this.#read('handlers', undefined)
  }

  async pause(handler: string, act?: Act): Promise<boolean> {
    return this.#call('pause', { handler: checkText(handler, 'name of a handler'), act: checkAct(act, 'pause()') })
  }

  async resume(handler: string, act?: Act): Promise<boolean> {
    const wasPaused = await this.#call('resume', {
      handler: checkText(handler, 'name of a handler'),
      act: checkAct(act, 'resume()')
    })
    this.#wake()
    return wasPaused
  }

  pauses(): Promise<readonly contract.Pause[]> {
    return this.#call('pauses', undefined)
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    return this.#call('claim', checkClaim(request))
  }

  suspects(handlers: readonly contract.HandlerName[]): Promise<readonly contract.Suspect[]> {
    return this.#call(
      'suspects',
      handlers.map(({ name, source }) => ({ name, source }))
    )
  }

  claimSuspects(request: contract.ClaimSuspectsRequest): Promise<readonly contract.ClaimedDelivery[]> {
    return this.#call('claimSuspects', request)
  }

  extend(leases: readonly contract.Lease[], leaseMs: number, onLoss?: contract.OnLoss): Promise<readonly number[]> {
    return this.#call('extend', { leases: leases.map(({ id, token }) => ({ id, token })), leaseMs, onLoss })
  }

  async settle(settlements: readonly contract.Settlement[]): Promise<readonly contract.SettleResult[]> {
    const { stale, due } = await this.#call('settle', packSettlements(settlements))
    if (due) this.#wake()
    const results = settlements.map((): contract.SettleResult => 'settled')
    for (const index of stale) results[index] = 'stale'
    return results
  }

  async replay(targets: readonly contract.ReplayTarget[], act?: Act): Promise<readonly contract.ReplayResult[]> {
    const results = await this.#call('replay', { targets: checkTargets(targets), act: checkAct(act, 'replay()') })
    this.#wake()
    return results
  }

  async admit(requests: readonly contract.Admission[], act?: Act): Promise<readonly contract.AdmitResult[]> {
    const results = await this.#call('admit', { requests: checkAdmissions(requests), act: checkAct(act, 'admit()') })
    this.#wake()
    return results
  }

  async events(filter: contract.EventFilter): Promise<contract.EventPage> {
    return this.#read('events', checkEventFilter(filter))
  }

  async event(key: EventKey): Promise<contract.EventDetail | undefined> {
    return this.#read('event', checkKey(key, 'event()'))
  }

  async reindex(entries: readonly contract.IndexEntry[]): Promise<number> {
    return this.#call('reindex', checkIndexEntries(entries))
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    const stored = await this.#call('restore', checkRestored(events))
    this.#wake()
    return stored
  }

  async remove(targets: readonly contract.RemovalTarget[], act?: Act): Promise<number> {
    const removed = await this.#call('remove', {
      targets: checkSeenEvents(targets, 'remove()'),
      act: checkAct(act, 'remove()')
    })
    this.#wake()
    return removed
  }

  async erase(targets: readonly contract.RemovalTarget[], act?: Act): Promise<number> {
    const erased = await this.#call('erase', {
      targets: checkSeenEvents(targets, 'erase()'),
      act: checkAct(act, 'erase()')
    })
    this.#wake()
    return erased
  }

  async scrub(): Promise<string | undefined> {
    const path = this.#path
    for (let attempt = 1; attempt <= scrubs; attempt += 1) {
      const scrubbed = await this.#call('scrub', undefined)
      if (scrubbed === 'all') return undefined
      if (scrubbed === 'log')
        return `Erased data was overwritten. But unused parts of ${path} may have copies of rows that SQLite has moved. To remove these, stop the server, run: riverhook inbox backup NEW, then: riverhook inbox restore NEW, and delete NEW and the file that was replaced`
    }
    return `Another program reads ${path}, so its log ${path}-wal still has erased data. The log is overwritten while events arrive, and deleted when the server stops. To empty it now, end that program, and erase again`
  }

  async tally(query: TallyQuery): Promise<readonly TallyRow[]> {
    return this.#read('tally', checkTallyQuery(query))
  }

  async countRequests(requests: readonly CountedRequests[]): Promise<void> {
    return this.#call('countRequests', checkCounted(requests))
  }

  async pruneTally(request: contract.PruneTallyRequest): Promise<boolean> {
    return this.#call('pruneTally', checkPruneTally(request))
  }

  async holdAlarms(request: contract.AlarmHold): Promise<contract.HeldAlarms> {
    return this.#call('holdAlarms', checkAlarmHold(request))
  }

  async saveAlarms(request: contract.AlarmSave): Promise<boolean> {
    return this.#call('saveAlarms', checkAlarmSave(request))
  }

  alarmState(): Promise<contract.StoredAlarms> {
    return this.#read('alarmState', undefined)
  }

  async acknowledgeAlarms(given: readonly AlarmKey[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const alarms = checkAlarmKeys(given)
    return this.#call('acknowledgeAlarms', { alarms, isAcknowledged, act: checkAct(act, 'acknowledgeAlarms()') })
  }

  async audit(act: Act, result: ActResult): Promise<void> {
    return this.#call('audit', { act: checkAct(act, 'audit()'), result: checkActResult(result) })
  }

  async audits(filter: contract.AuditFilter): Promise<contract.AuditPage> {
    return this.#read('audits', checkAuditFilter(filter))
  }

  async restoreAudits(given: readonly AuditEntry[]): Promise<void> {
    const checked = checkRestoredAudits(given)
    await this.#call('restoreAudits', checked)
  }

  async restoreTally(given: readonly TallyRow[]): Promise<void> {
    const checked = checkRestoredTally(given)
    await this.#call('restoreTally', checked)
  }

  async pruneAudits(request: contract.AuditPruneRequest): Promise<number> {
    return this.#call('pruneAudits', checkAuditPrune(request))
  }

  async failed(request: { readonly limit: number }): Promise<readonly contract.FailedDelivery[]> {
    return this.#read('failed', checkFailed(request))
  }

  async retries(): Promise<readonly contract.RetryCount[]> {
    return this.#read('retries', undefined)
  }

  stats(): Promise<contract.InboxStats> {
    return this.#read('stats', undefined)
  }

  levels(): Promise<contract.InboxLevels> {
    return this.#read('levels', undefined)
  }

  lengths(): Promise<readonly contract.AttemptLengths[]> {
    return this.#read('lengths', undefined)
  }

  probe(): Promise<contract.Backlog> {
    return this.#call('probe', undefined)
  }

  async prune(request: contract.PruneRequest): Promise<contract.PruneResult> {
    return this.#call('prune', checkPrune(request))
  }

  signingKey(): Promise<Uint8Array> {
    return this.#call('signingKey', newSigningKey())
  }

  encryption(): Promise<string | undefined> {
    return this.#call('encryption', undefined)
  }

  saveEncryption(expected: string | undefined, state: string | undefined): Promise<boolean> {
    return this.#call('saveEncryption', { expected, state })
  }

  reseal(changes: readonly contract.Resealing[]): Promise<number> {
    return this.#call('reseal', changes)
  }

  position(): Promise<number> {
    return this.#call('position', undefined)
  }

  async addJob(job: NewJob, given?: Act): Promise<contract.AddedJob> {
    const act = checkAct(given, 'addJob()')
    return this.#call('addJob', { job: checkNewJob(job), act })
  }

  async jobs(request: contract.JobsRequest): Promise<readonly Job[]> {
    return this.#read('jobs', checkJobsRequest(request))
  }

  async job(id: number): Promise<Job | undefined> {
    return this.#read('job', checkJobId(id))
  }

  async stopJob(id: number, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'stopJob()')
    return this.#call('stopJob', { id: checkJobId(id), act })
  }

  async claimJob(request: contract.JobClaim): Promise<contract.ClaimedJob | undefined> {
    return this.#call('claimJob', checkJobClaim(request))
  }

  async replayInJob(
    lease: contract.JobLease,
    targets: readonly contract.ReplayTarget[]
  ): Promise<readonly contract.JobReplayResult[] | undefined> {
    const results = await this.#call('replayInJob', { lease: checkJobLease(lease), targets: checkTargets(targets) })
    this.#wake()
    return results
  }

  async advanceJob(lease: contract.JobLease, progress: contract.JobProgress): Promise<boolean> {
    return this.#call('advanceJob', { lease: checkJobLease(lease), progress })
  }

  async endJob(lease: contract.JobLease, end: contract.JobEnd): Promise<boolean> {
    return this.#call('endJob', { lease: checkJobLease(lease), end })
  }

  onDue(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  /** Runs a call for people in the reader. */
  async #read<Name extends ReadName>(name: Name, args: Operations[Name]['args']): Promise<Operations[Name]['result']> {
    const reader = this.#reader
    if (reader === undefined || this.#state !== 'open') return this.#call(name, args)
    return this.#readTurns.run(async () => {
      try {
        return await reader.call(name, args)
      } catch (error) {
        if (error instanceof LostFile) return this.#thread.call(name, args)
        throw error
      }
    })
  }

  async #record(args: RecordArgs): Promise<Omit<Operations['record']['result'], 'due'>> {
    const { due, ...recorded } = await this.#call('record', args, [args.bodies.buffer as ArrayBuffer])
    if (due) this.#wake()
    return recorded
  }

  async #call<Name extends OperationName>(
    name: Name,
    args: Operations[Name]['args'],
    transfer: ArrayBuffer[] = []
  ): Promise<Operations[Name]['result']> {
    if (this.#state !== 'open') {
      throw new RiverhookError(
        'RIVERHOOK_INBOX_CLOSED',
        `The inbox is ${this.#state === 'new' ? 'not open yet' : 'closed'}`
      )
    }
    return this.#thread.call(name, args, transfer)
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}
