/** A condition that raises alarms. */
export interface AlarmCondition {
  /** The kind of the subject of its alarms. `inbox`: the inbox as a whole. */
  readonly of: 'endpoint' | 'handler' | 'inbox'
  /** How long the condition must hold before an alarm is raised, in milliseconds. */
  readonly forMs: number
  /** How long it must not hold before the alarm is resolved, in milliseconds. So an alarm does not flap. */
  readonly resolveMs: number
  /** For the table in docs/observe.md. */
  readonly means: string
}

const minute = 60_000

/** The conditions by name. */
export const alarmConditions = {
  silence: {
    of: 'endpoint',
    forMs: 0,
    resolveMs: 0,
    means:
      'no authentic request for 6 h, or for three times the longest pause of the last 7 days if that is longer; from 3 days and 100 requests on, or after `RIVERHOOK_ALARM_SILENCE`. With an API key, the provider is asked first, and no alarm is raised if no event is missing; if it does not answer, it is asked again for 15 min'
  },
  unauthenticated: {
    of: 'endpoint',
    forMs: 0,
    resolveMs: 10 * minute,
    means:
      '5 or more requests with wrong credentials in 15 min, and none with right ones; until a request has right ones'
  },
  refusing: {
    of: 'endpoint',
    forMs: 2 * minute,
    resolveMs: 10 * minute,
    means: 'more than 5 % of at least 20 requests in 5 min were answered 5xx'
  },
  slow: {
    of: 'endpoint',
    forMs: 5 * minute,
    resolveMs: 15 * minute,
    means: 'more than 1 % of at least 20 requests in 10 min were answered after more than 2 s'
  },
  clock: {
    of: 'endpoint',
    forMs: 10 * minute,
    resolveMs: 10 * minute,
    means: 'the signed times of more than half of at least 5 requests in 10 min differ by more than a minute'
  },
  stale: {
    of: 'endpoint',
    forMs: 30 * minute,
    resolveMs: 30 * minute,
    means: 'more than half of at least 5 requests in 30 min had a new event that was created more than 1 h before'
  },
  inbox: { of: 'inbox', forMs: minute / 2, resolveMs: 5 * minute, means: 'the inbox cannot be written to' },
  space: {
    of: 'inbox',
    forMs: 5 * minute,
    resolveMs: 5 * minute,
    means: "less than 15 % of the inbox's disk, or of its size limit, is free; worse below 5 %"
  },
  backlog: {
    of: 'inbox',
    forMs: 5 * minute,
    resolveMs: 5 * minute,
    means: 'a delivery is overdue by more than `RIVERHOOK_MAX_BACKLOG_AGE`'
  },
  retention: {
    of: 'inbox',
    forMs: 60 * minute,
    resolveMs: 10 * minute,
    means:
      'an event whose deliveries are all done or dead, or a quarantined request, is still stored a day after the end of its retention'
  },
  failing: {
    of: 'handler',
    forMs: 5 * minute,
    resolveMs: 10 * minute,
    means: 'half or more of at least 10 attempts in 10 min failed'
  },
  dead: {
    of: 'handler',
    forMs: 0,
    resolveMs: 10 * minute,
    means: 'it has dead letters; worse from 10, 100 and 1,000 on'
  },
  parked: { of: 'handler', forMs: 0, resolveMs: 10 * minute, means: 'it has deliveries and is not in the code' },
  quarantine: {
    of: 'inbox',
    forMs: 0,
    resolveMs: 10 * minute,
    means: 'an authentic request that is not a valid event was stored in the last 24 h, and is still there'
  },
  conflict: {
    of: 'inbox',
    forMs: 0,
    resolveMs: 10 * minute,
    means: 'in this hour or the last one, a known event id came again with another body'
  },
  drift: {
    of: 'inbox',
    forMs: 0,
    resolveMs: 10 * minute,
    means: 'payloads do not match their schema in a way that is not acknowledged; worse from 10, 100 and 1,000 ways on'
  },
  registration: {
    of: 'endpoint',
    forMs: 10 * minute,
    resolveMs: 0,
    means:
      'the webhook at the provider is disabled, changed or deleted, or cannot be checked; until a look finds it right'
  },
  backfill: {
    of: 'endpoint',
    forMs: 5 * minute,
    resolveMs: 0,
    means:
      "the provider's list of events was not read for three intervals, or for a day after events were missed that it no longer lists"
  }
} as const satisfies Readonly<Record<string, AlarmCondition>>

export type AlarmName = keyof typeof alarmConditions

export const alarmNames = Object.keys(alarmConditions) as readonly AlarmName[]

export type AlarmLevel = 'warn' | 'error'

/** A condition that needs attention. Never holds personal data. */
export interface Alarm {
  readonly condition: AlarmName
  /** The path of the endpoint, or the name of the handler. Empty if the alarm is about the inbox as a whole. */
  readonly subject: string
  readonly level: AlarmLevel
  /** The last finding, for a person. */
  readonly text: string
  /** The number that was found, and the one from which on the alarm is raised. Undefined if there is none. */
  readonly value: number | undefined
  readonly threshold: number | undefined
  /** When the condition began to hold. */
  readonly since: Date
}

/** An alarm as it is listed. */
export interface ListedAlarm extends Alarm {
  /**
   * `acknowledged`: a person knows of it, so it is not reported again until it is resolved, unless it becomes worse.
   * `unchecked`: the condition cannot be checked, and `text` says why. Whether it holds is not known.
   */
  readonly state: 'raised' | 'acknowledged' | 'unchecked'
}

/** Which alarm: the next one about the same has another time. */
export type AlarmKey = Pick<Alarm, 'condition' | 'subject' | 'since'>

/**
 * `raised`: it is new. `worse`: it is worse than before. `still`: it was raised a day ago, or reported again a day ago.
 * `resolved`: the condition no longer holds. `test`: nothing happened, somebody tries whether alarms arrive.
 */
export type AlarmChangeKind = 'raised' | 'worse' | 'still' | 'resolved' | 'test'

/** An alarm that is reported: the argument of `onAlarm`. */
export interface AlarmChange extends Alarm {
  readonly change: AlarmChangeKind
}
