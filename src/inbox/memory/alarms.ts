import type { AlarmKey } from '../../model/alarm.ts'
import type { AcknowledgedAlarm, AlarmHold, AlarmSave, HeldAlarms, StoredAlarms } from '../inbox.ts'
import type { Store } from './store.ts'
import { compareTexts } from './tally.ts'

/** Takes or keeps the right to raise alarms. */
export function holdAlarms(store: Store, { owner, leaseMs }: AlarmHold, now: number): HeldAlarms {
  const { alarms } = store
  if (alarms !== undefined && alarms.owner !== owner && alarms.leaseUntil > now)
    return { token: undefined, ...findAlarmState(store) }
  const token = (alarms?.token ?? 0) + 1
  store.alarms = { owner, token, leaseUntil: now + leaseMs, state: alarms?.state }
  return { token, ...findAlarmState(store) }
}

/** Stores the state. @returns false if the token is not the latest */
export function saveAlarms(store: Store, { token, leaseMs, state, forget = [] }: AlarmSave, now: number): boolean {
  if (store.alarms?.token !== token) return false
  store.alarms = { ...store.alarms, leaseUntil: now + leaseMs, state: state ?? store.alarms.state }
  for (const alarm of forget) {
    const known = store.acknowledged.get(keyOf(alarm))
    if (known?.at.getTime() === alarm.at.getTime()) store.acknowledged.delete(keyOf(alarm))
  }
  return true
}

/** Returns the state that was stored last, and which alarms are acknowledged. */
export function findAlarmState({ alarms, acknowledged }: Store): StoredAlarms {
  return { state: alarms?.state, acknowledged: [...acknowledged.values()].sort(compare) }
}

/** Acknowledges alarms, or removes that. @returns how many were changed */
export function acknowledgeAlarms(
  { acknowledged }: Store,
  alarms: readonly AlarmKey[],
  isAcknowledged: boolean,
  now: number
): number {
  if (!isAcknowledged) return alarms.filter((alarm) => acknowledged.delete(keyOf(alarm))).length
  for (const alarm of alarms) acknowledged.set(keyOf(alarm), { ...alarm, at: new Date(now) })
  return alarms.length
}

function compare(one: AcknowledgedAlarm, other: AcknowledgedAlarm): number {
  return (
    compareTexts(one.condition, other.condition) ||
    compareTexts(one.subject, other.subject) ||
    one.since.getTime() - other.since.getTime()
  )
}

function keyOf({ condition, subject, since }: AlarmKey): string {
  return JSON.stringify([condition, subject, since.getTime()])
}
