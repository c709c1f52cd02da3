import type { AlarmKey } from '../../model/alarm.ts'
import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import type { Job, NewJob } from '../../model/job.ts'
import type { CountedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'
import {
  acknowledgeResult,
  admitResult,
  eraseResult,
  pauseResult,
  removeResult,
  replayResult,
  resumeResult
} from '../act-results.ts'
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
import type * as contract from '../inbox.ts'
import { admit } from './admit.ts'
import { acknowledgeAlarms, findAlarmState, holdAlarms, saveAlarms } from './alarms.ts'
import { adopt, listHandlers } from './adopt.ts'
import { listAudits, pruneAudits, restoreAudits, writeAudit } from './audit.ts'
import { claim, claimSuspects, findSuspects } from './claim.ts'
import { addJob, advanceJob, claimJob, endJob, listJobs, replayInJob, stopJob } from './jobs.ts'
import { readLengths } from './lengths.ts'
import { readLevels } from './levels.ts'
import { countRetries, listFailed } from './failed.ts'
import { acknowledge, flag, listDrifts } from './mismatches.ts'
import { listPauses, pause, resume } from './pause.ts'
import { reseal, saveEncryption } from './encryption.ts'
import { probe } from './probe.ts'
import { erase } from './erase.ts'
import { prune, remove } from './prune.ts'
import { countAll, findEvent, listEvents } from './read.ts'
import { findKnown, record, recordAndClaim } from './record.ts'
import { reindex } from './reindex.ts'
import { replay } from './replay.ts'
import { restore } from './restore.ts'
import { extend, settle } from './settle.ts'
import { Store } from './store.ts'
import { listTally, pruneTally, restoreTally } from './tally.ts'
import { advance, findWatermark, listWatermarks } from './watermarks.ts'

/** The calls of an inbox in memory. */
export class MemoryInbox implements contract.Inbox {
  readonly name = 'memory'
  readonly #now: () => number
  readonly #store = new Store()
  readonly #wakers = new Set<() => void>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(now: () => number) {
    this.#now = now
  }

  async open(): Promise<void> {
    this.#state = 'open'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<readonly contract.RecordResult[]> {
    const { results, due } = record(this.#opened(), arrivals, this.#now())
    if (due) this.#wake()
    return results
  }

  async recordAndClaim(
    arrivals: readonly contract.Arrival[],
    request: contract.ClaimRequest
  ): Promise<contract.RecordedAndClaimed> {
    const { due, ...recorded } = recordAndClaim(this.#opened(), arrivals, checkClaim(request), this.#now())
    if (due) this.#wake()
    return recorded
  }

  async known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return findKnown(this.#opened(), checkText(realm, 'realm'), checkIds(ids, 'known()', 1000))
  }

  async now(): Promise<Date> {
    this.#opened()
    return new Date(this.#now())
  }

  async watermark(realm: string, name: string): Promise<Date | undefined> {
    return findWatermark(this.#opened(), checkText(realm, 'realm'), checkText(name, 'name of a watermark'))
  }

  async watermarks(): Promise<readonly contract.Watermark[]> {
    return listWatermarks(this.#opened())
  }

  async advance(realm: string, name: string, to: Date): Promise<void> {
    advance(
      this.#opened(),
      checkText(realm, 'realm'),
      checkText(name, 'name of a watermark'),
      checkInstant(to, 'watermark'),
      this.#now()
    )
  }

  async flag(drifts: readonly contract.Mismatch[]): Promise<readonly contract.FlagResult[]> {
    return flag(this.#opened(), drifts)
  }

  async drifts(): Promise<readonly contract.Mismatch[]> {
    return listDrifts(this.#opened())
  }

  async acknowledge(given: readonly contract.MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const kinds = checkMismatchKinds(given)
    const checked = checkAct(act, 'acknowledge()')
    const changed = acknowledge(this.#opened(), kinds, isAcknowledged, this.#now())
    writeAudit(this.#opened(), checked, acknowledgeResult(isAcknowledged, changed), this.#now())
    return changed
  }

  async adopt(handlers: readonly contract.HandlerRecord[]): Promise<contract.Adopted> {
    const result = adopt(this.#opened(), handlers, this.#now())
    if (result.resumed > 0) this.#wake()
    return result
  }

  async handlers(): Promise<readonly contract.HandlerRecord[]> {
    return listHandlers(this.#opened())
  }

  async pause(handler: string, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'pause()')
    const isChanged = pause(this.#opened(), checkText(handler, 'name of a handler'), this.#now())
    writeAudit(this.#store, act, pauseResult(isChanged), this.#now())
    return isChanged
  }

  async resume(handler: string, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'resume()')
    const wasPaused = resume(this.#opened(), checkText(handler, 'name of a handler'))
    writeAudit(this.#store, act, resumeResult(wasPaused), this.#now())
    this.#wake()
    return wasPaused
  }

  async pauses(): Promise<readonly contract.Pause[]> {
    return listPauses(this.#opened())
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    return claim(this.#opened(), checkClaim(request), this.#now())
  }

  async suspects(handlers: readonly contract.HandlerName[]): Promise<readonly contract.Suspect[]> {
    return findSuspects(this.#opened(), handlers, this.#now())
  }

  async claimSuspects(request: contract.ClaimSuspectsRequest): Promise<readonly contract.ClaimedDelivery[]> {
    return claimSuspects(this.#opened(), request, this.#now())
  }

  async extend(
    leases: readonly contract.Lease[],
    leaseMs: number,
    onLoss?: contract.OnLoss
  ): Promise<readonly number[]> {
    return extend(this.#opened(), leases, leaseMs, onLoss, this.#now())
  }

  async settle(settlements: readonly contract.Settlement[]): Promise<readonly contract.SettleResult[]> {
    const results = settle(this.#opened(), settlements, this.#now())
    this.#wake()
    return results
  }

  async replay(targets: readonly contract.ReplayTarget[], given?: Act): Promise<readonly contract.ReplayResult[]> {
    const act = checkAct(given, 'replay()')
    const results = replay(this.#opened(), checkTargets(targets), this.#now())
    writeAudit(this.#store, act, replayResult(results), this.#now())
    this.#wake()
    return results
  }

  async admit(requests: readonly contract.Admission[], given?: Act): Promise<readonly contract.AdmitResult[]> {
    const act = checkAct(given, 'admit()')
    const results = admit(this.#opened(), checkAdmissions(requests), this.#now())
    writeAudit(this.#store, act, admitResult(results), this.#now())
    this.#wake()
    return results
  }

  async events(filter: contract.EventFilter): Promise<contract.EventPage> {
    return listEvents(this.#opened(), checkEventFilter(filter))
  }

  async event(key: EventKey): Promise<contract.EventDetail | undefined> {
    return findEvent(this.#opened(), checkKey(key, 'event()'))
  }

  async reindex(entries: readonly contract.IndexEntry[]): Promise<number> {
    return reindex(this.#opened(), checkIndexEntries(entries))
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    const stored = restore(this.#opened(), checkRestored(events), this.#now())
    this.#wake()
    return stored
  }

  async remove(targets: readonly contract.RemovalTarget[], given?: Act): Promise<number> {
    const act = checkAct(given, 'remove()')
    const checked = checkSeenEvents(targets, 'remove()')
    const removed = remove(this.#opened(), checked)
    writeAudit(this.#store, act, removeResult(checked.length, removed), this.#now())
    this.#wake()
    return removed
  }

  async erase(targets: readonly contract.RemovalTarget[], given?: Act): Promise<number> {
    const act = checkAct(given, 'erase()')
    const checked = checkSeenEvents(targets, 'erase()')
    const erased = erase(this.#opened(), checked)
    writeAudit(this.#store, act, eraseResult(checked.length, erased), this.#now())
    this.#wake()
    return erased
  }

  async scrub(): Promise<undefined> {
    this.#opened()
  }

  async tally(query: TallyQuery): Promise<readonly TallyRow[]> {
    return listTally(this.#opened(), checkTallyQuery(query))
  }

  async countRequests(requests: readonly CountedRequests[]): Promise<void> {
    this.#opened().tally.addRequests(checkCounted(requests))
  }

  async pruneTally(request: contract.PruneTallyRequest): Promise<boolean> {
    return pruneTally(this.#opened(), checkPruneTally(request))
  }

  async holdAlarms(request: contract.AlarmHold): Promise<contract.HeldAlarms> {
    return holdAlarms(this.#opened(), checkAlarmHold(request), this.#now())
  }

  async saveAlarms(request: contract.AlarmSave): Promise<boolean> {
    return saveAlarms(this.#opened(), checkAlarmSave(request), this.#now())
  }

  async alarmState(): Promise<contract.StoredAlarms> {
    return findAlarmState(this.#opened())
  }

  async acknowledgeAlarms(given: readonly AlarmKey[], isAcknowledged: boolean, act?: Act): Promise<number> {
    const alarms = checkAlarmKeys(given)
    const checked = checkAct(act, 'acknowledgeAlarms()')
    const changed = acknowledgeAlarms(this.#opened(), alarms, isAcknowledged, this.#now())
    writeAudit(this.#opened(), checked, acknowledgeResult(isAcknowledged, changed), this.#now())
    return changed
  }

  async audit(act: Act, result: ActResult): Promise<void> {
    writeAudit(this.#opened(), checkAct(act, 'audit()'), checkActResult(result), this.#now())
  }

  async audits(filter: contract.AuditFilter): Promise<contract.AuditPage> {
    return listAudits(this.#opened(), checkAuditFilter(filter))
  }

  async restoreAudits(given: readonly AuditEntry[]): Promise<void> {
    const checked = checkRestoredAudits(given)
    restoreAudits(this.#opened(), checked)
  }

  async restoreTally(given: readonly TallyRow[]): Promise<void> {
    const checked = checkRestoredTally(given)
    restoreTally(this.#opened(), checked)
  }

  async pruneAudits(request: contract.AuditPruneRequest): Promise<number> {
    return pruneAudits(this.#opened(), checkAuditPrune(request))
  }

  async failed(request: { readonly limit: number }): Promise<readonly contract.FailedDelivery[]> {
    return listFailed(this.#opened(), checkFailed(request).limit)
  }

  async retries(): Promise<readonly contract.RetryCount[]> {
    return countRetries(this.#opened())
  }

  async stats(): Promise<contract.InboxStats> {
    return countAll(this.#opened(), this.#now())
  }

  async levels(): Promise<contract.InboxLevels> {
    return readLevels(this.#opened(), this.#now())
  }

  async lengths(): Promise<readonly contract.AttemptLengths[]> {
    return readLengths(this.#opened())
  }

  async probe(): Promise<contract.Backlog> {
    return probe(this.#opened(), this.#now())
  }

  async prune(request: contract.PruneRequest): Promise<contract.PruneResult> {
    return prune(this.#opened(), checkPrune(request), this.#now())
  }

  async signingKey(): Promise<Uint8Array> {
    return this.#opened().signingKey
  }

  async encryption(): Promise<string | undefined> {
    return this.#opened().encryption
  }

  async saveEncryption(expected: string | undefined, state: string | undefined): Promise<boolean> {
    return saveEncryption(this.#opened(), expected, state)
  }

  async reseal(changes: readonly contract.Resealing[]): Promise<number> {
    return reseal(this.#opened(), changes)
  }

  async position(): Promise<number> {
    return this.#opened().lastSeq
  }

  async addJob(job: NewJob, given?: Act): Promise<contract.AddedJob> {
    const act = checkAct(given, 'addJob()')
    return addJob(this.#opened(), checkNewJob(job), act, this.#now())
  }

  async jobs(request: contract.JobsRequest): Promise<readonly Job[]> {
    return listJobs(this.#opened(), checkJobsRequest(request))
  }

  async job(id: number): Promise<Job | undefined> {
    return this.#opened().jobs.get(checkJobId(id))?.job
  }

  async stopJob(id: number, given?: Act): Promise<boolean> {
    const act = checkAct(given, 'stopJob()')
    return stopJob(this.#opened(), checkJobId(id), act, this.#now())
  }

  async claimJob(request: contract.JobClaim): Promise<contract.ClaimedJob | undefined> {
    return claimJob(this.#opened(), checkJobClaim(request), this.#now())
  }

  async replayInJob(
    lease: contract.JobLease,
    targets: readonly contract.ReplayTarget[]
  ): Promise<readonly contract.JobReplayResult[] | undefined> {
    const args = { lease: checkJobLease(lease), targets: checkTargets(targets) }
    const results = replayInJob(this.#opened(), args, this.#now())
    this.#wake()
    return results
  }

  async advanceJob(lease: contract.JobLease, progress: contract.JobProgress): Promise<boolean> {
    return advanceJob(this.#opened(), { lease: checkJobLease(lease), progress }, this.#now())
  }

  async endJob(lease: contract.JobLease, end: contract.JobEnd): Promise<boolean> {
    return endJob(this.#opened(), { lease: checkJobLease(lease), end }, this.#now())
  }

  onDue(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => this.#wakers.delete(wake)
  }

  #opened(): Store {
    if (this.#state === 'open') return this.#store
    throw new RiverhookError(
      'RIVERHOOK_INBOX_CLOSED',
      `The inbox is ${this.#state === 'new' ? 'not open yet' : 'closed'}`
    )
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }
}
