import type { AlarmName } from '../../model/alarm.ts'
import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import type { Finding } from './book.ts'
import { findAboutDeliveries, findFailing } from './deliveries.ts'
import { findConflicts, findDrift, findQuarantine, findUnpurged } from './events.ts'
import { findAboutBackfills, findAboutRegistrations } from './provider.ts'
import { findAboutRequests, type Reasons } from './requests.ts'
import { findSilence, type SilenceChecks } from './silence.ts'
import type { AlarmsState } from './state.ts'
import { findAboutSpace } from './store.ts'
import type { AlarmSubject } from './subject.ts'

export interface FindInput {
  readonly subject: AlarmSubject
  readonly reasons: Reasons
  /** The free part of the inbox's disk. */
  readonly freeShare: number | undefined
  readonly state: Pick<AlarmsState, 'silence' | 'runningSince' | 'entries' | 'checkedAt'>
  /** Conditions that are not checked. */
  readonly skipped: ReadonlySet<AlarmName>
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Aborted when this process ends. */
  readonly signal: AbortSignal
  /** Called before each check. @returns false if another process has the right to raise alarms */
  readonly keep: () => Promise<boolean>
  readonly log: Pick<Log, 'debug'>
}

type Group = Readonly<Partial<Record<AlarmName, readonly Finding[]>>>

export interface Found {
  /** Lacks the conditions whose check failed. */
  readonly findings: ReadonlyMap<AlarmName, readonly Finding[]>
  readonly silence: SilenceChecks
}

/**
 * Checks the conditions that all processes of an inbox see alike. @returns undefined if this process ends, or another
 * one has taken over
 */
export async function findAll(input: FindInput): Promise<Found | undefined> {
  const { subject, reasons, freeShare, state, skipped, now, signal, keep, log } = input
  const { entries, checkedAt, runningSince } = state
  let { silence } = state
  const checks: readonly (() => Promise<Group>)[] = [
    async () => (freeShare === undefined ? {} : { space: findAboutSpace(freeShare) }),
    async () => ({ registration: findAboutRegistrations(subject, entries) }),
    async () => ({ ...(await findAboutRequests({ ...subject, reasons, entries, checkedAt, now })) }),
    async () => {
      const levels = await subject.inbox.levels()
      const deliveries = findAboutDeliveries(levels, subject, now)
      return { ...deliveries, quarantine: await findQuarantine(subject, levels, now) }
    },
    async () => ({ failing: await findFailing(subject, now) }),
    async () => ({ conflict: await findConflicts(subject, now) }),
    async () => ({ drift: await findDrift(subject) }),
    async () => ({ retention: await findUnpurged(subject, now) }),
    async () => ({ backfill: await findAboutBackfills(subject, now) }),
    async () => {
      if (skipped.has('silence')) return {}
      const found = await findSilence({ ...subject, checks: silence, runningSince, now, signal, keep, log })
      silence = found.checks
      return { silence: found.findings }
    }
  ]
  const findings = new Map<AlarmName, readonly Finding[]>()
  for (const check of checks) {
    if (!(await keep())) return undefined
    try {
      for (const [name, found] of Object.entries(await check()) as [AlarmName, readonly Finding[]][])
        if (!skipped.has(name)) findings.set(name, found)
    } catch (error) {
      if (signal.aborted) return undefined
      log.debug({ err: loggedError(error) }, 'a condition of the alarms could not be checked; its alarms stay')
    }
  }
  return signal.aborted ? undefined : { findings, silence }
}
