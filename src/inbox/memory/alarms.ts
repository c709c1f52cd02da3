import type { AlarmHold, AlarmSave, HeldAlarms } from '../inbox.ts'
import type { Store } from './store.ts'

/** Takes or keeps the right to raise alarms. */
export function holdAlarms(store: Store, { owner, leaseMs }: AlarmHold, now: number): HeldAlarms {
  const { alarms } = store
  if (alarms !== undefined && alarms.owner !== owner && alarms.leaseUntil > now)
    return { token: undefined, state: alarms.state }
  const token = (alarms?.token ?? 0) + 1
  store.alarms = { owner, token, leaseUntil: now + leaseMs, state: alarms?.state }
  return { token, state: alarms?.state }
}

/** Stores the state. @returns false if the token is not the latest */
export function saveAlarms(store: Store, { token, leaseMs, state }: AlarmSave, now: number): boolean {
  if (store.alarms?.token !== token) return false
  store.alarms = { ...store.alarms, leaseUntil: now + leaseMs, state: state ?? store.alarms.state }
  return true
}
