import type pg from 'pg'

import type { AlarmKey } from '../../model/alarm.ts'
import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
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
import type { CountedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'
import type * as contract from '../inbox.ts'
import { newSigningKey } from '../rows.ts'
import { requestRow, TallyNames } from '../tally.ts'
import { listHandlers, listServers } from './adopt.ts'
import { listAudits, pruneAudits, restoreAudits, writeAudit } from './audit.ts'
import { claim, claimSuspects, findSuspects, type Times } from './claim.ts'
import type { Database } from './database.ts'
import { addJob, advanceJob, claimJob, endJob, findJob, findPosition, listJobs, replayInJob, stopJob } from './jobs.ts'
import { countRetries, listFailed } from './failed.ts'
import { acknowledge, flag, listDrifts } from './mismatches.ts'
import { listPauses, pause, resume } from './pause.ts'
import type { PostgresInboxOptions } from './options.ts'
import { clockTime, probe } from './probe.ts'
import { adviseVacuum, erase } from './erase.ts'
import { prune, remove } from './prune.ts'
import { readLengths } from './lengths.ts'
import { readLevels } from './levels.ts'
import { listEvents } from './list.ts'
import { countAll, findEvent } from './read.ts'
import { findKnown, haveDeliveries, record, type RecordTerms } from './record.ts'
import { admit } from './admit.ts'
import { acknowledgeAlarms, findAlarmState, holdAlarms, saveAlarms } from './alarms.ts'
import { findEncryption, reseal, saveEncryption } from './encryption.ts'
import { reindex } from './reindex.ts'
import { replay } from './replay.ts'
import { restore } from './restore.ts'
import { extend, settle } from './settle.ts'
import { findSigningKey } from './signing.ts'
import { indexed } from './storable.ts'
import { Store } from './store.ts'
import { addCounts, listTally, pruneTally, restoreTally } from './tally.ts'
import { advance, findWatermark, listWatermarks } from './watermarks.ts'

/** The calls of an inbox on PostgreSQL. */
export class PostgresInbox implements contract.Inbox {
  readonly name = 'postgres'
  readonly #store: Store
  readonly #tallyNames = new TallyNames()

  constructor(options: PostgresInboxOptions) {
    this.#store = new Store(options)
  }

  get role(): 'server' | 'command' {
    return this.#store.role
  }

  open(): Promise<void> {
    return this.#store.open()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<readonly (contract.RecordResult | RiverhookError)[]> {
    const results = await record(await this.#store.opened(), arrivals, this.#recordTerms())
    if (haveDeliveries(arrivals, results)) this.#store.announceDue()
    return results
  }

  async known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return findKnown(await this.#store.opened(), checkText(realm, 'realm'), checkIds(ids, 'known()', 1000))
  }

  async now(): Promise<Date> {
    const database = await this.#store.opened()
    return this.#store.times.fixed ?? clockTime(database)
  }

  async watermark(realm: string, name: string): Promise<Date | undefined> {
    return findWatermark(
      await this.#store.opened(),
      indexed(checkText(realm, 'realm')),
      checkText(name, 'name of a watermark')
    )
  }

  async watermarks(): Promise<readonly contract.Watermark[]> {
    return this.#store.read(listWatermarks)
  }

  async advance(realm: string, name: string, to: Date): Promise<void> {
    await advance(
      await this.#store.opened(),
      indexed(checkText(realm, 'realm')),
      checkText(name, 'name of a watermark'),
      checkInstant(to, 'watermark'),
      this.#store.times
    )
  }

  async flag(drifts: readonly contract.Mismatch[]): Promise<readonly (contract.FlagResult | RiverhookError)[]> {
    return flag(await this.#store.opened(), drifts)
  }

  async drifts(): Promise<readonly contract.Mismatch[]> {
    return this.#store.read(listDrifts)
  }

  async acknowledge(given: readonly contract.MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const kinds = checkMismatchKinds(given)
    const checked = checkAct(act, 'acknowledge()')
    return acknowledge(await this.#store.opened(), kinds, isAcknowledged, checked, this.#store.times)
  }

  async adopt(handlers: readonly contract.HandlerRecord[]): Promise<contract.Adopted> {
    await this.#store.opened()
    return this.#store.presence.adopt(handlers)
  }

  async handlers(): Promise<readonly contract.HandlerRecord[]> {
    return this.#store.read(listHandlers)
  }

  async pause(handler: string, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'pause()')
    return pause(await this.#store.opened(), checkText(handler, 'name of a handler'), act, this.#store.times)
  }

  async resume(handler: string, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'resume()')
    return this.#thenWake((db, times) => resume(db, checkText(handler, 'name of a handler'), act, times))
  }

  async pauses(): Promise<readonly contract.Pause[]> {
    return listPauses(await this.#store.opened())
  }

  async servers(): Promise<readonly string[]> {
    return this.#store.read((session) => listServers(session, this.#store.instance))
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    return claim(await this.#store.opened(), checkClaim(request), this.#store.times)
  }

  async suspects(handlers: readonly contract.HandlerName[]): Promise<readonly contract.Suspect[]> {
    return findSuspects(await this.#store.opened(), handlers, this.#store.times)
  }

  async claimSuspects(request: contract.ClaimSuspectsRequest): Promise<readonly contract.ClaimedDelivery[]> {
    return claimSuspects(await this.#store.opened(), request, this.#store.times)
  }

  async extend(
    leases: readonly contract.Lease[],
    leaseMs: number,
    onLoss?: contract.OnLoss
  ): Promise<readonly number[]> {
    return extend(await this.#store.opened(), leases, leaseMs, onLoss, this.#store.times.fixed)
  }

  async settle(
    settlements: readonly contract.Settlement[]
  ): Promise<readonly (contract.SettleResult | RiverhookError)[]> {
    const { results, due } = await settle(await this.#store.opened(), settlements, this.#store.times)
    if (due) this.#store.announceDue()
    return results
  }

  async replay(
    targets: readonly contract.ReplayTarget[],
    given?: Act
  ): Promise<readonly (contract.ReplayResult | RiverhookError)[]> {
    return this.#thenWake((db, times) => replay(db, checkTargets(targets), checkAct(given, 'replay()'), times))
  }

  async admit(
    requests: readonly contract.Admission[],
    given?: Act
  ): Promise<readonly (contract.AdmitResult | RiverhookError)[]> {
    const act = checkAct(given, 'admit()')
    return this.#thenWake((db) => admit(db, checkAdmissions(requests), act, this.#recordTerms()))
  }

  transact<Result>(
    held: contract.HeldDelivery,
    work: (client: pg.PoolClient) => Promise<Result>,
    signal?: AbortSignal
  ): Promise<Result> {
    return this.#store.transact(held, work, signal)
  }

  async events(filter: contract.EventFilter): Promise<contract.EventPage> {
    const checked = checkEventFilter(filter)
    return this.#store.read((session) => listEvents(session, checked))
  }

  async event(key: EventKey): Promise<contract.EventDetail | undefined> {
    const checked = checkKey(key, 'event()')
    return this.#store.read((session) => findEvent(session, checked))
  }

  async reindex(entries: readonly contract.IndexEntry[]): Promise<number> {
    return reindex(await this.#store.opened(), checkIndexEntries(entries))
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    return this.#thenWake((db, times) => restore(db, checkRestored(events), times))
  }

  async remove(targets: readonly contract.RemovalTarget[], given?: Act): Promise<number> {
    const act = checkAct(given, 'remove()')
    const checked = checkSeenEvents(targets, 'remove()')
    return this.#thenWake((db, times) => remove(db, checked, act, times))
  }

  async erase(targets: readonly contract.RemovalTarget[], given?: Act): Promise<number> {
    const act = checkAct(given, 'erase()')
    const checked = checkSeenEvents(targets, 'erase()')
    return this.#thenWake((db, times) => erase(db, checked, act, times))
  }

  async scrub(): Promise<string> {
    await this.#store.opened()
    return adviseVacuum(this.#store.schema)
  }

  async tally(query: TallyQuery): Promise<readonly TallyRow[]> {
    const checked = checkTallyQuery(query)
    return this.#store.read((session) => listTally(session, checked))
  }

  async countRequests(requests: readonly CountedRequests[]): Promise<void> {
    await addCounts(await this.#store.opened(), checkCounted(requests).map(requestRow))
  }

  async pruneTally(request: contract.PruneTallyRequest): Promise<boolean> {
    return pruneTally(await this.#store.opened(), checkPruneTally(request), this.#store.times)
  }

  async holdAlarms(request: contract.AlarmHold): Promise<contract.HeldAlarms> {
    return holdAlarms(await this.#store.opened(), checkAlarmHold(request), this.#store.times)
  }

  async saveAlarms(request: contract.AlarmSave): Promise<boolean> {
    return saveAlarms(await this.#store.opened(), checkAlarmSave(request), this.#store.times)
  }

  async alarmState(): Promise<contract.StoredAlarms> {
    return this.#store.read(findAlarmState)
  }

  async acknowledgeAlarms(given: readonly AlarmKey[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const alarms = checkAlarmKeys(given)
    const checked = checkAct(act, 'acknowledgeAlarms()')
    return acknowledgeAlarms(await this.#store.opened(), alarms, isAcknowledged, checked, this.#store.times)
  }

  async audit(act: Act, result: ActResult): Promise<void> {
    const checked = checkAct(act, 'audit()')
    await writeAudit(await this.#store.opened(), checked, checkActResult(result), this.#store.times.fixed)
  }

  async audits(filter: contract.AuditFilter): Promise<contract.AuditPage> {
    const checked = checkAuditFilter(filter)
    return this.#store.read((session) => listAudits(session, checked))
  }

  async restoreAudits(given: readonly AuditEntry[]): Promise<void> {
    const checked = checkRestoredAudits(given)
    await restoreAudits(await this.#store.opened(), checked)
  }

  async restoreTally(given: readonly TallyRow[]): Promise<void> {
    const checked = checkRestoredTally(given)
    await restoreTally(await this.#store.opened(), checked)
  }

  async pruneAudits(request: contract.AuditPruneRequest): Promise<number> {
    return pruneAudits(await this.#store.opened(), checkAuditPrune(request))
  }

  async failed(request: { readonly limit: number }): Promise<readonly contract.FailedDelivery[]> {
    const { limit } = checkFailed(request)
    return this.#store.read((session) => listFailed(session, limit))
  }

  async retries(): Promise<readonly contract.RetryCount[]> {
    return this.#store.read(countRetries)
  }

  async stats(): Promise<contract.InboxStats> {
    return this.#store.read((session) => countAll(session, this.#store.times))
  }

  async levels(): Promise<contract.InboxLevels> {
    return this.#store.read((session) => readLevels(session, this.#store.times))
  }

  async lengths(): Promise<readonly contract.AttemptLengths[]> {
    return this.#store.read(readLengths)
  }

  async probe(): Promise<contract.Backlog> {
    return { oldestDueAt: await probe(await this.#store.opened(), this.#store.times) }
  }

  async prune(request: contract.PruneRequest): Promise<contract.PruneResult> {
    return prune(await this.#store.opened(), checkPrune(request), this.#store.times)
  }

  async signingKey(): Promise<Uint8Array> {
    return findSigningKey(await this.#store.opened(), newSigningKey())
  }

  async encryption(): Promise<string | undefined> {
    return findEncryption(await this.#store.opened())
  }

  async saveEncryption(expected: string | undefined, state: string | undefined): Promise<boolean> {
    return saveEncryption(await this.#store.opened(), expected, state)
  }

  async reseal(changes: readonly contract.Resealing[]): Promise<number> {
    return reseal(await this.#store.opened(), changes)
  }

  async position(): Promise<number> {
    return findPosition(await this.#store.opened())
  }

  async addJob(job: NewJob, given?: Act): Promise<contract.AddedJob> {
    const act = checkAct(given, 'addJob()')
    return addJob(await this.#store.opened(), checkNewJob(job), act, this.#store.times)
  }

  async jobs(request: contract.JobsRequest): Promise<readonly Job[]> {
    const checked = checkJobsRequest(request)
    return this.#store.read((session) => listJobs(session, checked))
  }

  async job(id: number): Promise<Job | undefined> {
    const checked = checkJobId(id)
    return this.#store.read((session) => findJob(session, checked))
  }

  async stopJob(id: number, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'stopJob()')
    return stopJob(await this.#store.opened(), checkJobId(id), act, this.#store.times)
  }

  async claimJob(request: contract.JobClaim): Promise<contract.ClaimedJob | undefined> {
    return claimJob(await this.#store.opened(), checkJobClaim(request), this.#store.times)
  }

  async replayInJob(
    lease: contract.JobLease,
    targets: readonly contract.ReplayTarget[]
  ): Promise<readonly (contract.JobReplayResult | RiverhookError)[] | undefined> {
    return this.#thenWake((db, times) => replayInJob(db, checkJobLease(lease), checkTargets(targets), times))
  }

  async advanceJob(lease: contract.JobLease, progress: contract.JobProgress): Promise<boolean> {
    return advanceJob(await this.#store.opened(), checkJobLease(lease), progress, this.#store.times)
  }

  async endJob(lease: contract.JobLease, end: contract.JobEnd): Promise<boolean> {
    return endJob(await this.#store.opened(), checkJobLease(lease), end, this.#store.times)
  }

  onDue(wake: () => void): () => void {
    return this.#store.onDue(wake)
  }

  #recordTerms(): RecordTerms {
    return { now: this.#store.times.fixed, names: this.#tallyNames }
  }

  /** Does work after which deliveries may be due. */
  async #thenWake<Result>(work: (database: Database, times: Times) => Promise<Result>): Promise<Result> {
    const result = await work(await this.#store.opened(), this.#store.times)
    this.#store.announceDue()
    return result
  }
}
