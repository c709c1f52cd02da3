import type { AcknowledgedAlarm } from '../../inbox/inbox.ts'
import { alarmConditions, type Alarm, type AlarmChange, type AlarmName, type ListedAlarm } from '../../model/alarm.ts'
import { dayMs, hourMs } from './words.ts'

/** That a condition holds for a subject. */
export interface Finding extends Pick<Alarm, 'subject' | 'level' | 'text'> {
  readonly value?: number | undefined
  readonly threshold?: number | undefined
  /** Worse if it is higher. Default 1. */
  readonly step?: number | undefined
}

/** All findings of each condition. A condition that is missing could not be checked: its alarms stay as they are. */
export type Findings = ReadonlyMap<AlarmName, readonly Finding[]>

/** A condition that holds, or held a moment ago. Times are in milliseconds since the epoch. */
export interface AlarmEntry extends Finding {
  readonly condition: AlarmName
  readonly step: number
  readonly since: number
  /** Undefined until the alarm is raised. */
  readonly reported?: { readonly at: number; readonly step: number } | undefined
  /** Since when the condition does not hold any more. */
  readonly okSince?: number | undefined
  /** True if it was raised again soon after it was resolved. */
  readonly isFlapping?: boolean | undefined
}

/** An alarm that was resolved a short time ago. */
export interface ResolvedEntry {
  readonly condition: AlarmName
  readonly subject: string
  readonly at: number
}

/** The alarms, and those that were. */
export interface AlarmBook {
  readonly entries: readonly AlarmEntry[]
  readonly resolved: readonly ResolvedEntry[]
}

/** An alarm that lasts is reported again after this time. */
const remindMs = dayMs

/**
 * An alarm that is raised again within this time after it was resolved is flapping: it is resolved only after this
 * time, so that it is reported twice in an hour at most from then on.
 */
const flapMs = hourMs

/**
 * Decides which alarms are raised and resolved. An alarm is raised after its condition has held for some time, and
 * resolved after it has not held for some time, so that it does not flap. One that is acknowledged is not reported
 * again, unless it is worse.
 * @param input.now milliseconds since the epoch
 */
export function updateAlarms(
  { entries, resolved }: AlarmBook,
  {
    findings,
    acknowledged = [],
    now
  }: {
    readonly findings: Findings
    readonly acknowledged?: readonly AcknowledgedAlarm[]
    readonly now: number
  }
): AlarmBook & { readonly changes: readonly AlarmChange[] } {
  const changes: AlarmChange[] = []
  const kept: AlarmEntry[] = []
  const lately = resolved.filter(({ at }) => now - at < flapMs)
  const flapping = new Set(lately.map(keyOf))
  const known = new Map(entries.map((entry) => [keyOf(entry), entry]))
  const keep = (entry: AlarmEntry, change: AlarmChange['change'] | undefined): void => {
    if (change === 'resolved') lately.push({ condition: entry.condition, subject: entry.subject, at: now })
    else kept.push(entry)
    if (change !== undefined) changes.push({ ...toAlarm(entry), change })
  }
  for (const [condition, found] of findings) {
    for (const finding of found) {
      const before = known.get(keyOf({ condition, ...finding }))
      const isQuiet = before !== undefined && isAcknowledged(before, acknowledged)
      const { entry, change } = hold(before, { condition, finding, isQuiet, now })
      known.delete(keyOf(entry))
      const isFlapping = entry.isFlapping === true || (change === 'raised' && flapping.has(keyOf(entry)))
      keep(isFlapping ? { ...entry, isFlapping } : entry, change)
    }
  }
  for (const entry of known.values()) {
    if (!findings.has(entry.condition)) keep(entry, undefined)
    // It was never raised.
    else if (entry.reported !== undefined) {
      const okSince = entry.okSince ?? now
      const { resolveMs } = alarmConditions[entry.condition]
      const isResolved = now - okSince >= (entry.isFlapping === true ? flapMs : resolveMs)
      keep({ ...entry, okSince }, isResolved ? 'resolved' : undefined)
    }
  }
  return { entries: kept, resolved: lately, changes }
}

/** True if somebody has acknowledged what was reported last of an alarm. */
export function isAcknowledged(entry: AlarmEntry, acknowledged: readonly AcknowledgedAlarm[]): boolean {
  return acknowledged.some((each) => isAbout(each, entry))
}

/** True if an acknowledgement holds for an alarm: not for the next alarm of its kind, and not for a worse one. */
export function isAbout(
  { condition, subject, since, at }: AcknowledgedAlarm,
  entry: Pick<AlarmEntry, 'condition' | 'subject' | 'since' | 'reported'>
): boolean {
  const isSame = condition === entry.condition && subject === entry.subject && since.getTime() === entry.since
  return isSame && entry.reported !== undefined && at.getTime() >= entry.reported.at
}

/** The alarms that are raised, in the order of the conditions. */
export function listRaised(
  entries: readonly AlarmEntry[],
  acknowledged: readonly AcknowledgedAlarm[] = []
): readonly ListedAlarm[] {
  const names = Object.keys(alarmConditions)
  return entries
    .filter(({ reported }) => reported !== undefined)
    .map((entry): ListedAlarm => {
      const state = isAcknowledged(entry, acknowledged) ? 'acknowledged' : 'raised'
      return { ...toAlarm(entry), state }
    })
    .sort((one, other) => names.indexOf(one.condition) - names.indexOf(other.condition) || compare(one, other))
}

function hold(
  before: AlarmEntry | undefined,
  {
    condition,
    finding,
    isQuiet,
    now
  }: {
    readonly condition: AlarmName
    readonly finding: Finding
    readonly isQuiet: boolean
    readonly now: number
  }
): { readonly entry: AlarmEntry; readonly change: AlarmChange['change'] | undefined } {
  const { step = 1 } = finding
  const { since = now, reported, isFlapping } = before ?? {}
  const entry: AlarmEntry = { ...finding, condition, step, since, reported, isFlapping }
  if (reported === undefined && now - since < alarmConditions[condition].forMs) return { entry, change: undefined }
  const change =
    reported === undefined
      ? 'raised'
      : step > reported.step
        ? 'worse'
        : !isQuiet && now - reported.at >= remindMs
          ? 'still'
          : undefined
  if (change === undefined) return { entry, change }
  return { entry: { ...entry, reported: { at: now, step: Math.max(step, reported?.step ?? 0) } }, change }
}

/** The last finding of an alarm. */
export function toFinding({ subject, level, text, value, threshold, step }: AlarmEntry): Finding {
  return { subject, level, text, value, threshold, step }
}

function toAlarm({ condition, subject, level, text, value, threshold, since }: AlarmEntry): Alarm {
  return { condition, subject, level, text, value, threshold, since: new Date(since) }
}

function keyOf({ condition, subject }: Pick<AlarmEntry, 'condition' | 'subject'>): string {
  return JSON.stringify([condition, subject])
}

function compare({ subject: one }: Alarm, { subject: other }: Alarm): number {
  return one < other ? -1 : Number(one > other)
}
