import type { AlarmKey } from '../../model/alarm.ts'
import type { Act } from '../../model/audit.ts'

/** The state of the alarms, and which process may raise them. Part of `Inbox`. */
export interface InboxAlarms {
  /**
   * Takes or keeps the right to raise alarms for `leaseMs`. One process has it at a time. Each call that succeeds gives
   * a higher token.
   */
  holdAlarms(request: AlarmHold): Promise<HeldAlarms>

  /**
   * Stores the state of the alarms, forgets acknowledgements, and extends the lease.
   * @returns false, and changes nothing, for an old token
   */
  saveAlarms(request: AlarmSave): Promise<boolean>

  /** Returns the state of the alarms that was stored last, and which alarms are acknowledged. */
  alarmState(): Promise<StoredAlarms>

  /**
   * Stores that alarms are acknowledged, with the time, or removes that. Does not look at the state: the process that
   * raises alarms forgets what holds for none of them.
   * @returns how many were changed
   */
  acknowledgeAlarms(alarms: readonly AlarmKey[], isAcknowledged: boolean, act?: Act): Promise<number>
}

/** An alarm that is acknowledged. */
export interface AcknowledgedAlarm extends AlarmKey {
  /** When it was acknowledged. */
  readonly at: Date
}

export interface StoredAlarms {
  /** Undefined if none was stored. */
  readonly state: string | undefined
  /** In the order of condition, subject and time. */
  readonly acknowledged: readonly AcknowledgedAlarm[]
}

export interface AlarmHold {
  /** The name of the process. */
  readonly owner: string
  readonly leaseMs: number
}

export interface HeldAlarms extends StoredAlarms {
  /** The fencing token; undefined if another process has the right. */
  readonly token: number | undefined
}

export interface AlarmSave {
  readonly token: number
  /** From now; 0 gives the right up. */
  readonly leaseMs: number
  /** Undefined: the stored state stays. */
  readonly state?: string | undefined
  /** Acknowledgements that are deleted, unless they have another time now. Default: none. */
  readonly forget?: readonly AcknowledgedAlarm[] | undefined
}
