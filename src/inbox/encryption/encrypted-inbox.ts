import type { AlarmKey } from '../../model/alarm.ts'
import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import type { EncryptionKeys } from '../../model/encryption-keys.ts'
import type { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import type { Job, NewJob } from '../../model/job.ts'
import type { CountedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'
import { checkIndexEntries, checkNewJob, checkAdmissions, checkAlarmSave } from '../check.ts'
import { checkRestored } from '../check-restored.ts'
import type * as contract from '../inbox.ts'
import { shownError } from '../rows.ts'
import { openAlarms, openJob, sealAlarms, sealJob, sealProgress } from './beside-events.ts'
import { openClaimed } from './claimed.ts'
import { listEncrypted } from './list.ts'
import {
  openDetail,
  openError,
  sealAbout,
  sealArrivals,
  sealBody,
  sealDetail,
  sealError,
  sealHeaders,
  sealNewDelivery,
  sealOrderKey,
  shown
} from './fields.ts'
import { openChecked } from './key-guard.ts'
import { KnownBodies } from './known-bodies.ts'
import { resealEvents } from './reencrypt.ts'
import type { Keys } from './state.ts'
import { Turning } from './turning.ts'

/** How an inbox is encrypted. */
export interface EncryptedInboxOptions {
  /** Asked when the inbox is opened: lines, as those of `RIVERHOOK_ENCRYPTION_KEYS_FILE`, or a rejection. */
  readonly keys: () => Promise<EncryptionKeys>
  /** True if it is encrypted from now on, or not, as the keys say. False: as it was before. */
  readonly mayTurn: boolean
}

/**
 * An inbox whose engine gets only encrypted data. The state of the encryption is read when it is opened, and again from
 * time to time: another process may have changed it.
 */
export class EncryptedInbox implements contract.Inbox {
  readonly #inner: contract.Inbox
  readonly #turning: Turning
  readonly role?: 'server' | 'command'
  readonly notes?: () => readonly contract.InboxNote[]
  readonly servers?: () => Promise<readonly string[]>
  readonly recordAndClaim?: contract.Inbox['recordAndClaim'] & {}
  readonly transact?: contract.Inbox['transact'] & {}

  constructor(inner: contract.Inbox, options: EncryptedInboxOptions) {
    this.#inner = inner
    this.#turning = new Turning(inner, options)
    if (inner.role !== undefined) this.role = inner.role
    if (inner.notes !== undefined) this.notes = () => inner.notes?.() ?? []
    if (inner.servers !== undefined) this.servers = async () => (await inner.servers?.()) ?? []
    const transact = inner.transact?.bind(inner)
    if (transact !== undefined) this.transact = transact
    const recordAndClaim = inner.recordAndClaim?.bind(inner)
    if (recordAndClaim !== undefined)
      this.recordAndClaim = async (arrivals, request) => {
        const keys = await this.keys()
        const recorded = await recordAndClaim(await this.#sealArrivals(keys, arrivals), request)
        return { ...recorded, claim: openClaim(keys, recorded.claim) }
      }
  }

  get name(): string {
    return this.#inner.name
  }

  /** The engine, whose data is encrypted. */
  get inner(): contract.Inbox {
    return this.#inner
  }

  /** The keys of this process, and what they are used for. */
  keys(): Promise<Keys> {
    return this.#turning.keys()
  }

  /** Reads the state again: this process has changed it. */
  forget(): void {
    this.#turning.forget()
  }

  open(): Promise<void> {
    return openChecked(this.#inner, () => this.keys())
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async record(arrivals: readonly contract.Arrival[]): Promise<readonly (contract.RecordResult | RiverhookError)[]> {
    return this.#inner.record(await this.#sealArrivals(await this.keys(), arrivals))
  }

  async #sealArrivals(keys: Keys, arrivals: readonly contract.Arrival[]): Promise<readonly contract.Arrival[]> {
    if (keys.index === undefined) return arrivals
    const known = await KnownBodies.find(this.#inner, keys, arrivals)
    return sealArrivals(keys, arrivals, (arrival) => known.of(arrival))
  }

  known(realm: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#inner.known(realm, ids)
  }

  signingKey(): Promise<Uint8Array> {
    return this.#inner.signingKey()
  }

  encryption(): Promise<string | undefined> {
    return this.#inner.encryption()
  }

  saveEncryption(expected: string | undefined, state: string | undefined): Promise<boolean> {
    return this.#inner.saveEncryption(expected, state)
  }

  reseal(changes: readonly contract.Resealing[]): Promise<number> {
    return this.#inner.reseal(changes)
  }

  now(): Promise<Date> {
    return this.#inner.now()
  }

  watermark(realm: string, name: string): Promise<Date | undefined> {
    return this.#inner.watermark(realm, name)
  }

  watermarks(): Promise<readonly contract.Watermark[]> {
    return this.#inner.watermarks()
  }

  advance(realm: string, name: string, to: Date): Promise<void> {
    return this.#inner.advance(realm, name, to)
  }

  flag(drifts: readonly contract.Mismatch[]): Promise<readonly (contract.FlagResult | RiverhookError)[]> {
    return this.#inner.flag(drifts)
  }

  drifts(): Promise<readonly contract.Mismatch[]> {
    return this.#inner.drifts()
  }

  acknowledge(kinds: readonly contract.MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number> {
    return this.#inner.acknowledge(kinds, isAcknowledged, act)
  }

  async adopt(handlers: readonly contract.HandlerRecord[]): Promise<contract.Adopted> {
    await this.keys()
    return this.#inner.adopt(handlers)
  }

  handlers(): Promise<readonly contract.HandlerRecord[]> {
    return this.#inner.handlers()
  }

  pause(handler: string, act?: Act): Promise<boolean> {
    return this.#inner.pause(handler, act)
  }

  resume(handler: string, act?: Act): Promise<boolean> {
    return this.#inner.resume(handler, act)
  }

  pauses(): Promise<readonly contract.Pause[]> {
    return this.#inner.pauses()
  }

  async claim(request: contract.ClaimRequest): Promise<contract.Claim> {
    const keys = await this.keys()
    return openClaim(keys, await this.#inner.claim(request))
  }

  suspects(handlers: readonly contract.HandlerName[]): Promise<readonly contract.Suspect[]> {
    return this.#inner.suspects(handlers)
  }

  async claimSuspects(request: contract.ClaimSuspectsRequest): Promise<readonly contract.ClaimedDelivery[]> {
    const keys = await this.keys()
    return (await this.#inner.claimSuspects(request)).map((delivery) => openClaimed(keys, delivery))
  }

  extend(leases: readonly contract.Lease[], leaseMs: number, onLoss?: contract.OnLoss): Promise<readonly number[]> {
    return this.#inner.extend(leases, leaseMs, onLoss)
  }

  async settle(
    settlements: readonly contract.Settlement[]
  ): Promise<readonly (contract.SettleResult | RiverhookError)[]> {
    const keys = await this.keys()
    if (keys.index === undefined) return this.#inner.settle(settlements)
    return this.#inner.settle(
      settlements.map(({ event, ...settlement }) => {
        const { outcome, orderKey } = settlement
        // While lines are converted, the engine finds the key of a delivery itself.
        const line =
          keys.isPartlyPlain || !orderKey
            ? { orderKey: orderKey === null && !keys.isPartlyPlain ? null : undefined }
            : { orderKey: { ...orderKey, orderKey: sealOrderKey(keys, orderKey) } }
        if (!('error' in outcome)) return { ...settlement, ...line }
        return { ...settlement, ...line, outcome: { ...outcome, error: sealError(keys, event, outcome.error) } }
      })
    )
  }

  async replay(
    targets: readonly contract.ReplayTarget[],
    act?: Act
  ): Promise<readonly (contract.ReplayResult | RiverhookError)[]> {
    return this.#inner.replay(await this.#sealTargets(targets), act)
  }

  /** The deliveries must be in the lines of new ones, so their events are converted first. */
  async #sealTargets(targets: readonly contract.ReplayTarget[]): Promise<readonly contract.ReplayTarget[]> {
    const keys = await this.keys()
    if (keys.index === undefined) return targets
    if (keys.isPartlyPlain)
      await resealEvents(
        this.#inner,
        keys,
        targets.map(({ event }) => event)
      )
    return targets.map((target) => sealNewDelivery(keys, target.event.realm, target))
  }

  position(): Promise<number> {
    return this.#inner.position()
  }

  async addJob(job: NewJob, act?: Act): Promise<contract.AddedJob> {
    const keys = await this.keys()
    const { isNew, ...added } = await this.#inner.addJob(sealJob(keys, checkNewJob(job)), act)
    return { ...openJob(keys, added), isNew }
  }

  async jobs(request: contract.JobsRequest): Promise<readonly Job[]> {
    const keys = await this.keys()
    return (await this.#inner.jobs(request)).map((job) => openJob(keys, job))
  }

  async job(id: number): Promise<Job | undefined> {
    const keys = await this.keys()
    const job = await this.#inner.job(id)
    return job && openJob(keys, job)
  }

  stopJob(id: number, act?: Act): Promise<boolean> {
    return this.#inner.stopJob(id, act)
  }

  async claimJob(request: contract.JobClaim): Promise<contract.ClaimedJob | undefined> {
    const keys = await this.keys()
    const claimed = await this.#inner.claimJob(request)
    return claimed && { ...claimed, job: openJob(keys, claimed.job) }
  }

  async replayInJob(
    lease: contract.JobLease,
    targets: readonly contract.ReplayTarget[]
  ): Promise<readonly (contract.JobReplayResult | RiverhookError)[] | undefined> {
    return this.#inner.replayInJob(lease, await this.#sealTargets(targets))
  }

  async advanceJob(lease: contract.JobLease, progress: contract.JobProgress): Promise<boolean> {
    return this.#inner.advanceJob(lease, sealProgress(await this.keys(), progress))
  }

  async endJob(lease: contract.JobLease, end: contract.JobEnd): Promise<boolean> {
    return this.#inner.endJob(lease, sealProgress(await this.keys(), end))
  }

  async admit(
    requests: readonly contract.Admission[],
    act?: Act
  ): Promise<readonly (contract.AdmitResult | RiverhookError)[]> {
    const keys = await this.keys()
    if (keys.index === undefined) return this.#inner.admit(requests, act)
    return this.#inner.admit(
      await Promise.all(checkAdmissions(requests).map((each) => this.#sealAdmission(keys, each))),
      act
    )
  }

  async #sealAdmission(keys: Keys, admission: contract.Admission): Promise<contract.Admission> {
    const { request, id, about = [], resource } = admission
    const event = { realm: request.realm, id }
    const sealed = {
      ...admission,
      ...sealAbout(keys, event, { about, resource }),
      deliveries: admission.deliveries.map((delivery) => sealNewDelivery(keys, request.realm, delivery))
    }
    const stored = await this.#inner.event(request)
    if (stored?.state !== 'quarantined') return sealed
    const { body, headers } = openDetail(keys, stored)
    const known = await KnownBodies.find(this.#inner, keys, [{ ...event, body }])
    return {
      ...sealed,
      body: known.of({ ...event, body }) ?? sealBody(keys, event, body),
      headers: sealHeaders(keys, event, headers)
    }
  }

  async events(filter: contract.EventFilter): Promise<contract.EventPage> {
    return listEncrypted(this.#inner, await this.keys(), filter)
  }

  async event(key: EventKey): Promise<contract.EventDetail | undefined> {
    const keys = await this.keys()
    const event = await this.#inner.event(key)
    return event && openDetail(keys, event)
  }

  async reindex(entries: readonly contract.IndexEntry[]): Promise<number> {
    const keys = await this.keys()
    return this.#inner.reindex(
      checkIndexEntries(entries).map((entry) => ({ ...entry, ...sealAbout(keys, entry.event, entry) }))
    )
  }

  async restore(events: readonly contract.EventDetail[]): Promise<number> {
    const keys = await this.keys()
    if (keys.index === undefined) return this.#inner.restore(events)
    return this.#inner.restore(checkRestored(events).map((event) => sealDetail(keys, event)))
  }

  remove(targets: readonly contract.RemovalTarget[], act?: Act): Promise<number> {
    return this.#inner.remove(targets, act)
  }

  erase(targets: readonly contract.RemovalTarget[], act?: Act): Promise<number> {
    return this.#inner.erase(targets, act)
  }

  scrub(): Promise<string | undefined> {
    return this.#inner.scrub()
  }

  audit(act: Act, result: ActResult): Promise<void> {
    return this.#inner.audit(act, result)
  }

  audits(filter: contract.AuditFilter): Promise<contract.AuditPage> {
    return this.#inner.audits(filter)
  }

  pruneAudits(request: contract.AuditPruneRequest): Promise<number> {
    return this.#inner.pruneAudits(request)
  }

  restoreAudits(entries: readonly AuditEntry[]): Promise<void> {
    return this.#inner.restoreAudits(entries)
  }

  tally(query: TallyQuery): Promise<readonly TallyRow[]> {
    return this.#inner.tally(query)
  }

  countRequests(requests: readonly CountedRequests[]): Promise<void> {
    return this.#inner.countRequests(requests)
  }

  async holdAlarms(request: contract.AlarmHold): Promise<contract.HeldAlarms> {
    const keys = await this.keys()
    const held = await this.#inner.holdAlarms(request)
    return { ...held, state: openAlarms(keys, held.state) }
  }

  async saveAlarms(given: contract.AlarmSave): Promise<boolean> {
    const keys = await this.keys()
    const request = checkAlarmSave(given)
    const { state } = request
    return this.#inner.saveAlarms(state === undefined ? request : { ...request, state: sealAlarms(keys, state) })
  }

  async alarmState(): Promise<contract.StoredAlarms> {
    const keys = await this.keys()
    const stored = await this.#inner.alarmState()
    return { ...stored, state: openAlarms(keys, stored.state) }
  }

  acknowledgeAlarms(alarms: readonly AlarmKey[], isAcknowledged: boolean, act?: Act): Promise<number> {
    return this.#inner.acknowledgeAlarms(alarms, isAcknowledged, act)
  }

  restoreTally(rows: readonly TallyRow[]): Promise<void> {
    return this.#inner.restoreTally(rows)
  }

  pruneTally(request: contract.PruneTallyRequest): Promise<boolean> {
    return this.#inner.pruneTally(request)
  }

  async failed(request: { readonly limit: number }): Promise<readonly contract.FailedDelivery[]> {
    const keys = await this.keys()
    return (await this.#inner.failed(request)).map((one) => ({
      ...one,
      error: shown(() => openError(keys, one.event, one.error)).slice(0, shownError)
    }))
  }

  retries(): Promise<readonly contract.RetryCount[]> {
    return this.#inner.retries()
  }

  stats(): Promise<contract.InboxStats> {
    return this.#inner.stats()
  }

  levels(): Promise<contract.InboxLevels> {
    return this.#inner.levels()
  }

  lengths(): Promise<readonly contract.AttemptLengths[]> {
    return this.#inner.lengths()
  }

  probe(): Promise<contract.Backlog> {
    return this.#inner.probe()
  }

  prune(request: contract.PruneRequest): Promise<contract.PruneResult> {
    return this.#inner.prune(request)
  }

  onDue(wake: () => void): () => void {
    return this.#inner.onDue(wake)
  }
}

function openClaim(keys: Keys, claim: contract.Claim): contract.Claim {
  return { ...claim, deliveries: claim.deliveries.map((delivery) => openClaimed(keys, delivery)) }
}
