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
  readonly state: Pick<AlarmsState, 'silence' | 'runningSince'>
  /** Conditions that are not checked. */
  readonly skipped: ReadonlySet<AlarmName>
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly log: Pick<Log, 'debug'>
}

type Group = Readonly<Partial<Record<AlarmName, readonly Finding[]>>>

/**
 * Checks the conditions that all processes of an inbox see alike. Those whose check fails are missing in the result.
 */
export async function findAll({ subject, reasons, freeShare, state, skipped, now, log }: FindInput): Promise<{
  readonly findings: ReadonlyMap<AlarmName, readonly Finding[]>
  readonly silence: SilenceChecks
}> {
  let { silence } = state
  const checks: readonly (() => Promise<Group>)[] = [
    async () => ({ space: findAboutSpace(freeShare), registration: findAboutRegistrations(subject) }),
    async () => ({ ...(await findAboutRequests(subject, reasons, now)) }),
    async () => {
      const levels = await subject.inbox.levels()
      const deliveries = findAboutDeliveries(levels, subject, now)
      return { ...deliveries, quarantine: await findQuarantine(subject, levels, now) }
    },
    async () => ({ failing: await findFailing(subject, now) }),
    async () => ({ conflict: await findConflicts(subject, now) }),
    async () => ({ drift: await findDrift(subject, now) }),
    async () => ({ retention: await findUnpurged(subject, now) }),
    async () => ({ backfill: await findAboutBackfills(subject, now) }),
    async () => {
      if (skipped.has('silence')) return {}
      const { runningSince } = state
      const found = await findSilence({ ...subject, checks: silence, runningSince, now, log })
      silence = found.checks
      return { silence: found.findings }
    }
  ]
  const findings = new Map<AlarmName, readonly Finding[]>()
  for (const check of checks) {
    try {
      for (const [name, found] of Object.entries(await check()) as [AlarmName, readonly Finding[]][])
        if (!skipped.has(name)) findings.set(name, found)
    } catch (error) {
      log.debug({ err: loggedError(error) }, 'a condition of the alarms could not be checked; its alarms stay')
    }
  }
  return { findings, silence }
}
