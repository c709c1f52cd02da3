import { randomUUID } from 'node:crypto'

import type pg from 'pg'

import { ownerName } from '../../model/owner-name.ts'
import type { Act, ActResult } from '../../model/audit.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import type { Job, NewJob } from '../../model/job.ts'
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
  checkPruneTally,
  checkRefused,
  checkRemovalTargets,
  checkRestored,
  checkTallyQuery,
  checkTargets,
  checkText
} from '../check.ts'
import type { RefusedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'
import { checkAgainst } from '../../model/option-rules.ts'
import type * as contract from '../inbox.ts'
import { defaultReadLimitMs } from '../read-turns.ts'
import { newSigningKey } from '../rows.ts'
import { Semaphore } from '../semaphore.ts'
import { refusalRow, TallyNames } from '../tally.ts'
import { listHandlers, listServers } from './adopt.ts'
import { listAudits, pruneAudits, writeAudit } from './audit.ts'
import { claim, claimSuspects, findSuspects, type Times } from './claim.ts'
import { checkPool, Connections, ownPool } from './connections.ts'
import { Database, longTimeoutMs, type Session } from './database.ts'
import { isDatabaseError, isPermanentAtStart, unavailable } from './faults.ts'
import { addJob, advanceJob, claimJob, endJob, findJob, findPosition, listJobs, replayInJob, stopJob } from './jobs.ts'
import { Listener } from './listener.ts'
import { countRetries, listFailed } from './failed.ts'
import { explainRefusal, migrate, requireSchema } from './migrate.ts'
import { acknowledge, flag, listDrifts } from './mismatches.ts'
import { assertOwners } from './owners.ts'
import { listPauses, pause, resume } from './pause.ts'
import { optionRules, type PostgresInboxOptions } from './options.ts'
import { Presence } from './presence.ts'
import { clockTime, probe } from './probe.ts'
import { prune, remove } from './prune.ts'
import { readLengths } from './lengths.ts'
import { readLevels } from './levels.ts'
import { listEvents } from './list.ts'
import { countAll, findEvent } from './read.ts'
import { Reader, readUnlimited } from './reader.ts'
import { findKnown, record, type RecordTerms } from './record.ts'
import { admit } from './admit.ts'
import { reindex } from './reindex.ts'
import { replay } from './replay.ts'
import { restore } from './restore.ts'
import { checkSchemaName } from './schema-name.ts'
import { schemaVersion } from './schema.ts'
import { extend, settle } from './settle.ts'
import { findSigningKey } from './signing.ts'
import { indexed } from './storable.ts'
import { addCounts, listTally, pruneTally } from './tally.ts'
import { transact } from './transact.ts'
import { advance, findWatermark, listWatermarks } from './watermarks.ts'

declare module '../../model/event.ts' {
  interface InboxTransactions {
    readonly postgres: pg.PoolClient
  }
}

/** Shorter than the time in which a request must be answered. */
const statementTimeoutMs = 2_000

/**
 * Creates an inbox on PostgreSQL 13 or newer, for any number of replicas on several machines. Every commit is on disk
 * before a call returns.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for an unusable schema name; RIVERHOOK_OPTIONS_INVALID
 */
export function postgresInbox(options: PostgresInboxOptions): contract.Inbox {
  checkAgainst(optionRules, options, 'postgresInbox')
  if (options.pool !== undefined) checkPool(options.pool)
  return new PostgresInbox(options)
}

class PostgresInbox implements contract.Inbox {
  readonly name = 'postgres'
  readonly role: 'server' | 'command'
  readonly #schema: string
  readonly #owner: string | undefined
  readonly #clock: (() => number) | undefined
  readonly #connections: Connections
  /** Separate connections for handlers' transactions, so that long ones leave connections for recording. */
  readonly #workConnections: Connections
  /** Not for a command, which reads on its other connections. */
  readonly #reader: Reader | undefined
  readonly #semaphore: Semaphore
  readonly #transactions = new Set<AbortController>()
  readonly #database: Database
  readonly #listener: Listener
  readonly #presence: Presence
  readonly #instance = randomUUID()
  readonly #wakers = new Set<() => void>()
  readonly #tallyNames = new TallyNames()
  #state: 'new' | 'open' | 'closed' = 'new'
  #ready: Promise<void> | undefined
  #isReady = false

  constructor({
    connectionString,
    pool,
    schema = 'riverhook',
    owner,
    role = 'server',
    maxConnections = 10,
    readLimitMs = defaultReadLimitMs,
    clock,
    presenceMs = 15_000
  }: PostgresInboxOptions) {
    checkSchemaName(schema)
    this.#schema = schema
    this.#owner = owner
    this.role = role
    this.#clock = clock
    const isOwn = pool === undefined
    const timeoutMs = role === 'server' ? statementTimeoutMs : longTimeoutMs
    const mainPool = pool ?? ownPool(connectionString, { max: maxConnections + 1, statementTimeoutMs: timeoutMs })
    this.#connections = new Connections({ pool: mainPool, isOwn, statementTimeoutMs: timeoutMs })
    this.#workConnections = isOwn
      ? new Connections({
          pool: ownPool(connectionString, { max: maxConnections }),
          isOwn,
          statementTimeoutMs: timeoutMs
        })
      : this.#connections
    // Leave half of the application's pool for requests and heartbeats: they must not wait for handlers.
    this.#semaphore = new Semaphore(pool === undefined ? maxConnections : Math.max(1, Math.floor(pool.options.max / 2)))
    this.#database = new Database(this.#connections, schema)
    this.#reader =
      role === 'server'
        ? new Reader({ connectionString, schema, limitMs: readLimitMs, shared: isOwn ? undefined : this.#connections })
        : undefined
    const instance = this.#instance
    this.#listener = new Listener({
      connections: this.#connections,
      channel: `${schema}_due`,
      instance,
      onNotification: () => {
        this.#wake()
      }
    })
    this.#presence = new Presence({
      database: this.#database,
      replica: { instance, owner: ownerName() },
      times: () => this.#times(),
      onDue: () => {
        this.#announceDue()
      },
      onBeat: () => {
        this.#listener.ping()
      },
      beatMs: presenceMs
    })
  }

  async open(): Promise<void> {
    if (this.#state === 'open') return
    if (this.#state === 'closed')
      throw new RiverhookError(
        'RIVERHOOK_INBOX_CLOSED',
        'The inbox was closed with its connections, and cannot be opened again: pass its address, or make another one'
      )
    this.#state = 'open'
    try {
      await this.#prepareOnce()
    } catch (error) {
      // A server starts without its database, and answers 503 until the database is back. A command fails at once, and
      // so does any error that waiting cannot fix.
      const mayPass =
        error instanceof RiverhookError &&
        error.code === 'RIVERHOOK_INBOX_UNAVAILABLE' &&
        this.role === 'server' &&
        !isPermanentAtStart(error.cause)
      if (!mayPass) throw error
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    for (const transaction of this.#transactions)
      transaction.abort(
        new RiverhookError(
          'RIVERHOOK_INBOX_CLOSED',
          'The inbox was closed during the transaction. Nothing was committed'
        )
      )
    await this.#listener.end()
    await this.#reader?.end()
    if (this.#isReady && this.role === 'server') await this.#presence.end()
    await Promise.all([...new Set([this.#connections, this.#workConnections])].map((each) => each.end()))
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<readonly (contract.RecordResult | RiverhookError)[]> {
    const results = await record(await this.#opened(), arrivals, this.#recordTerms())
    if (
      arrivals.some(
        (arrival, index) =>
          results[index] === 'accepted' && arrival.state === 'accepted' && arrival.deliveries.length > 0
      )
    )
      this.#announceDue()
    return results
  }

  async known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return findKnown(await this.#opened(), checkText(realm, 'realm'), checkIds(ids, 'known()', 1000))
  }

  async now(): Promise<Date> {
    const database = await this.#opened()
    return this.#times().fixed ?? clockTime(database)
  }

  async watermark(realm: string, name: string): Promise<Date | undefined> {
    return findWatermark(
      await this.#opened(),
      indexed(checkText(realm, 'realm')),
      checkText(name, 'name of a watermark')
    )
  }

  async watermarks(): Promise<readonly contract.Watermark[]> {
    return this.#read(listWatermarks)
  }

  async advance(realm: string, name: string, to: Date): Promise<void> {
    await advance(
      await this.#opened(),
      indexed(checkText(realm, 'realm')),
      checkText(name, 'name of a watermark'),
      checkInstant(to, 'watermark'),
      this.#times()
    )
  }

  async flag(drifts: readonly contract.Mismatch[]): Promise<readonly (contract.FlagResult | RiverhookError)[]> {
    return flag(await this.#opened(), drifts)
  }

  async drifts(): Promise<readonly contract.Mismatch[]> {
    return this.#read(listDrifts)
  }

  async acknowledge(given: readonly contract.MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const kinds = checkMismatchKinds(given)
    const checked = checkAct(act, 'acknowledge()')
    return acknowledge(await this.#opened(), kinds, isAcknowledged, checked, this.#times())
  }

  async adopt(
    handlers: readonly contract.HandlerRecord[]
  ): Promise<{ readonly parked: number; readonly resumed: number }> {
    await this.#opened()
    return this.#presence.adopt(handlers)
  }

  async handlers(): Promise<readonly contract.HandlerRecord[]> {
    return this.#read(listHandlers)
  }

  async pause(handler: string, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'pause()')
    return pause(await this.#opened(), checkText(handler, 'name of a handler'), act, this.#times())
  }

  async resume(handler: string, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'resume()')
    const wasPaused = await resume(await this.#opened(), checkText(handler, 'name of a handler'), act, this.#times())
    this.#announceDue()
    return wasPaused
  }

  async pauses(): Promise<readonly contract.Pause[]> {
    return listPauses(await this.#opened())
  }

  async servers(): Promise<readonly string[]> {
    return this.#read((session) => listServers(session, this.#instance))
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    return claim(await this.#opened(), checkClaim(request), this.#times())
  }

  async suspects(handlers: readonly contract.HandlerName[]): Promise<readonly contract.Suspect[]> {
    return findSuspects(await this.#opened(), handlers, this.#times())
  }

  async claimSuspects(request: contract.ClaimSuspectsRequest): Promise<readonly contract.ClaimedDelivery[]> {
    return claimSuspects(await this.#opened(), request, this.#times())
  }

  async extend(
    leases: readonly contract.Lease[],
    leaseMs: number,
    onLoss?: contract.OnLoss
  ): Promise<readonly number[]> {
    return extend(await this.#opened(), leases, leaseMs, onLoss, this.#times().fixed)
  }

  async settle(
    settlements: readonly contract.Settlement[]
  ): Promise<readonly (contract.SettleResult | RiverhookError)[]> {
    const { results, due } = await settle(await this.#opened(), settlements, this.#times())
    if (due) this.#announceDue()
    return results
  }

  async replay(
    targets: readonly contract.ReplayTarget[],
    given?: Act
  ): Promise<readonly (contract.ReplayResult | RiverhookError)[]> {
    const act = checkAct(given, 'replay()')
    const results = await replay(await this.#opened(), checkTargets(targets), act, this.#times())
    this.#announceDue()
    return results
  }

  async admit(
    requests: readonly contract.Admission[],
    given?: Act
  ): Promise<readonly (contract.AdmitResult | RiverhookError)[]> {
    const act = checkAct(given, 'admit()')
    const results = await admit(await this.#opened(), checkAdmissions(requests), act, this.#recordTerms())
    this.#announceDue()
    return results
  }

  async transact<Result>(
    held: contract.HeldDelivery,
    work: (client: pg.PoolClient) => Promise<Result>,
    signal?: AbortSignal
  ): Promise<Result> {
    const database = await this.#opened()
    const controller = new AbortController()
    const abort = (): void => {
      controller.abort(signal?.reason)
    }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    this.#transactions.add(controller)
    try {
      return await transact(
        {
          connections: this.#workConnections,
          semaphore: this.#semaphore,
          database,
          times: () => this.#times(),
          signal: controller.signal
        },
        held,
        work
      )
    } finally {
      this.#transactions.delete(controller)
      signal?.removeEventListener('abort', abort)
      this.#announceDue()
    }
  }

  async events(filter: contract.EventFilter): Promise<contract.EventPage> {
    const checked = checkEventFilter(filter)
    return this.#read((session) => listEvents(session, checked))
  }

  async event(key: EventKey): Promise<contract.EventDetail | undefined> {
    const checked = checkKey(key, 'event()')
    return this.#read((session) => findEvent(session, checked))
  }

  async reindex(entries: readonly contract.IndexEntry[]): Promise<number> {
    return reindex(await this.#opened(), checkIndexEntries(entries))
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    const stored = await restore(await this.#opened(), checkRestored(events), this.#times())
    this.#announceDue()
    return stored
  }

  async remove(targets: readonly contract.RemovalTarget[], given?: Act): Promise<number> {
    const act = checkAct(given, 'remove()')
    const removed = await remove(await this.#opened(), checkRemovalTargets(targets, 'remove()'), act, this.#times())
    this.#announceDue()
    return removed
  }

  async tally(query: TallyQuery): Promise<readonly TallyRow[]> {
    const checked = checkTallyQuery(query)
    return this.#read((session) => listTally(session, checked))
  }

  async countRefused(refused: readonly RefusedRequests[]): Promise<void> {
    await addCounts(await this.#opened(), checkRefused(refused).map(refusalRow))
  }

  async pruneTally(request: contract.PruneTallyRequest): Promise<boolean> {
    return pruneTally(await this.#opened(), checkPruneTally(request), this.#times())
  }

  async audit(act: Act, result: ActResult): Promise<void> {
    const checked = checkAct(act, 'audit()')
    await writeAudit(await this.#opened(), checked, checkActResult(result), this.#times().fixed)
  }

  async audits(filter: contract.AuditFilter): Promise<contract.AuditPage> {
    const checked = checkAuditFilter(filter)
    return this.#read((session) => listAudits(session, checked))
  }

  async pruneAudits(request: contract.AuditPruneRequest): Promise<number> {
    return pruneAudits(await this.#opened(), checkAuditPrune(request))
  }

  async failed(request: { readonly limit: number }): Promise<readonly contract.FailedDelivery[]> {
    const { limit } = checkFailed(request)
    return this.#read((session) => listFailed(session, limit))
  }

  async retries(): Promise<readonly contract.RetryCount[]> {
    return this.#read(countRetries)
  }

  async stats(): Promise<contract.InboxStats> {
    return this.#read((session) => countAll(session, this.#times()))
  }

  async levels(): Promise<contract.InboxLevels> {
    return this.#read((session) => readLevels(session, this.#times()))
  }

  async lengths(): Promise<readonly contract.AttemptLengths[]> {
    return this.#read(readLengths)
  }

  async probe(): Promise<contract.Backlog> {
    return { oldestDueAt: await probe(await this.#opened(), this.#times()) }
  }

  async prune(request: contract.PruneRequest): Promise<{ readonly purged: number; readonly next: number | undefined }> {
    return prune(await this.#opened(), checkPrune(request), this.#times())
  }

  async signingKey(): Promise<Uint8Array> {
    return findSigningKey(await this.#opened(), newSigningKey())
  }

  async position(): Promise<number> {
    return findPosition(await this.#opened())
  }

  async addJob(job: NewJob, given?: Act): Promise<contract.AddedJob> {
    const act = checkAct(given, 'addJob()')
    return addJob(await this.#opened(), checkNewJob(job), act, this.#times())
  }

  async jobs(request: contract.JobsRequest): Promise<readonly Job[]> {
    const checked = checkJobsRequest(request)
    return this.#read((session) => listJobs(session, checked))
  }

  async job(id: number): Promise<Job | undefined> {
    const checked = checkJobId(id)
    return this.#read((session) => findJob(session, checked))
  }

  async stopJob(id: number, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'stopJob()')
    return stopJob(await this.#opened(), checkJobId(id), act, this.#times())
  }

  async claimJob(request: contract.JobClaim): Promise<contract.ClaimedJob | undefined> {
    return claimJob(await this.#opened(), checkJobClaim(request), this.#times())
  }

  async replayInJob(
    lease: contract.JobLease,
    targets: readonly contract.ReplayTarget[]
  ): Promise<readonly (contract.JobReplayResult | RiverhookError)[] | undefined> {
    const results = await replayInJob(await this.#opened(), checkJobLease(lease), checkTargets(targets), this.#times())
    this.#announceDue()
    return results
  }

  async advanceJob(lease: contract.JobLease, progress: contract.JobProgress): Promise<boolean> {
    return advanceJob(await this.#opened(), checkJobLease(lease), progress, this.#times())
  }

  async endJob(lease: contract.JobLease, end: contract.JobEnd): Promise<boolean> {
    return endJob(await this.#opened(), checkJobLease(lease), end, this.#times())
  }

  onDue(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  #recordTerms(): RecordTerms {
    return { now: this.#times().fixed, names: this.#tallyNames }
  }

  #times(): Times {
    const now = this.#clock?.()
    return { now: now ?? Date.now(), fixed: now === undefined ? undefined : new Date(now) }
  }

  /** Runs a read for people. */
  async #read<Result>(read: (session: Session) => Promise<Result>): Promise<Result> {
    const database = await this.#opened()
    return this.#reader === undefined ? readUnlimited(database, read) : this.#reader.read(database, read)
  }

  async #opened(): Promise<Database> {
    if (this.#state !== 'open')
      throw new RiverhookError(
        'RIVERHOOK_INBOX_CLOSED',
        `The inbox is ${this.#state === 'new' ? 'not open yet' : 'closed'}`
      )
    if (!this.#isReady) await this.#prepareOnce()
    return this.#database
  }

  /** Prepares the schema: at start-up, or at the first call after the database is reachable. */
  #prepareOnce(): Promise<void> {
    this.#ready ??= this.#prepare().finally(() => {
      this.#ready = undefined
    })
    return this.#ready
  }

  async #prepare(): Promise<void> {
    try {
      await this.#connections.assertSessions()
      await this.#database.learn()
      await assertOwners(this.#database, this.#schema, this.#owner)
      if (this.role !== 'server') await requireSchema(this.#database, this.#schema)
      // Another role may have created the schema since the first check.
      else if ((await migrate(this.#database, this.#schema)) < schemaVersion)
        await assertOwners(this.#database, this.#schema, this.#owner)
    } catch (error) {
      const known = isDatabaseError(error) ? unavailable(error, this.#connections.place) : error
      throw explainRefusal(known, this.#schema) ?? known
    }
    this.#isReady = true
    if (this.role === 'server') this.#listener.start()
  }

  /** Wakes this process and the other replicas: deliveries may be due. */
  #announceDue(): void {
    this.#wake()
    this.#listener.notify()
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}
