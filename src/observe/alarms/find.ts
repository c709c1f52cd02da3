import type { AlarmName } from '../../model/alarm.ts'
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

/** A check of some conditions. */
interface Check {
  readonly of: readonly AlarmName[]
  readonly run: () => Promise<Group>
}

type Group = Readonly<Partial<Record<AlarmName, readonly Finding[]>>>

export interface Found {
  /** Lacks the conditions whose check failed. */
  readonly findings: ReadonlyMap<AlarmName, readonly Finding[]>
  /** These, with the error. */
  readonly failed: ReadonlyMap<AlarmName, unknown>
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
  const one = (name: AlarmName, find: () => readonly Finding[] | Promise<readonly Finding[]>): Check => ({
    of: [name],
    run: async () => ({ [name]: await find() })
  })
  const checks: readonly Check[] = [
    ...(freeShare === undefined ? [] : [one('space', () => findAboutSpace(freeShare))]),
    one('registration', () => findAboutRegistrations(subject, entries)),
    {
      of: ['unauthenticated', 'refusing', 'slow', 'clock', 'stale'],
      run: async () => ({ ...(await findAboutRequests({ ...subject, reasons, entries, checkedAt, now })) })
    },
    {
      of: ['backlog', 'dead', 'parked', 'quarantine'],
      run: async () => {
        const levels = await subject.inbox.levels()
        const deliveries = findAboutDeliveries(levels, subject, now)
        return { ...deliveries, quarantine: await findQuarantine(subject, levels, now) }
      }
    },
    one('failing', () => findFailing(subject, now)),
    one('conflict', () => findConflicts(subject, now)),
    one('drift', () => findDrift(subject)),
    one('retention', () => findUnpurged(subject, now)),
    one('backfill', () => findAboutBackfills(subject, now)),
    one('silence', async () => {
      const found = await findSilence({ ...subject, entries, checks: silence, runningSince, now, signal, keep, log })
      silence = found.checks
      return found.findings
    })
  ]
  const findings = new Map<AlarmName, readonly Finding[]>()
  const failed = new Map<AlarmName, unknown>()
  for (const { of, run } of checks) {
    const wanted = of.filter((name) => !skipped.has(name))
    if (wanted.length === 0) continue
    if (!(await keep())) return undefined
    try {
      const found = await run()
      for (const name of wanted) findings.set(name, found[name] ?? [])
    } catch (error) {
      if (signal.aborted) return undefined
      for (const name of wanted) failed.set(name, error)
    }
  }
  return signal.aborted ? undefined : { findings, failed, silence }
}
