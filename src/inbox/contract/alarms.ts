/** The state of the alarms, and which process may raise them. Part of `Inbox`. */
export interface InboxAlarms {
  /**
   * Takes or keeps the right to raise alarms for `leaseMs`. One process has it at a time. Each call that succeeds gives
   * a higher token.
   */
  holdAlarms(request: AlarmHold): Promise<HeldAlarms>

  /** Stores the state of the alarms, and extends the lease. @returns false, and changes nothing, for an old token */
  saveAlarms(request: AlarmSave): Promise<boolean>

  /** Returns the state of the alarms; undefined if none was stored. */
  alarmState(): Promise<string | undefined>
}

export interface AlarmHold {
  /** The name of the process. */
  readonly owner: string
  readonly leaseMs: number
}

export interface HeldAlarms {
  /** The fencing token; undefined if another process has the right. */
  readonly token: number | undefined
  /** The state that was stored last. */
  readonly state: string | undefined
}

export interface AlarmSave {
  readonly token: number
  /** From now; 0 gives the right up. */
  readonly leaseMs: number
  /** Undefined: the stored state stays. */
  readonly state?: string | undefined
}
