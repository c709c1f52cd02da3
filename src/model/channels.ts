import { channel } from 'node:diagnostics_channel'

import type { Alarm, AlarmChangeKind } from './alarm.ts'
import type { ActorOrigin } from './audit.ts'
import type { RiverhookErrorCode } from './errors.ts'
import type { Outcome } from './event.ts'

/** Published once for each request to an endpoint, when its answer is decided. */
export interface AnsweredMessage {
  readonly endpoint: string
  readonly realm: string
  /** `conflict` and `duplicate`: no event of the request is new. `handshake`: the source answered without an event. */
  readonly result: 'accepted' | 'duplicate' | 'conflict' | 'handshake' | 'refused'
  /** The reason, if the request was refused. */
  readonly code: RiverhookErrorCode | undefined
  readonly status_code: number
  /** Milliseconds since the request arrived. */
  readonly duration_ms: number
  /** Our clock minus the time that the sender signed, in milliseconds. Undefined if it signs none, or is unknown. */
  readonly skew_ms: number | undefined
}

/** Published for each event of a request, after the commit. */
export interface ReceivedMessage {
  readonly endpoint: string
  /** The realm of the endpoint and of the event. */
  readonly realm: string
  readonly event_id: string
  readonly event_type: string
  /** `conflict`: a known id with another body; the first body stands. */
  readonly result: 'accepted' | 'duplicate' | 'conflict'
  /** Milliseconds from the request's arrival to the commit. */
  readonly duration_ms: number
  /** Milliseconds from the event's creation to its arrival. Undefined if the source gives no time that can be read. */
  readonly age_ms: number | undefined
}

/** Published when a request was refused. */
export interface RejectedMessage {
  readonly endpoint: string
  readonly realm: string
  readonly code: RiverhookErrorCode
  readonly status_code: number
  /** Why, for a person. Never holds a secret or a payload value. */
  readonly reason: string
}

/** Published when an attempt ended and its outcome is stored. */
export interface SettledMessage {
  readonly realm: string
  readonly event_id: string
  readonly event_type: string
  readonly handler: string
  readonly attempt: number
  readonly state: Outcome['state']
  /** Milliseconds that the attempt ran. */
  readonly duration_ms: number
  /** Milliseconds from the arrival of the event to the end of the attempt. */
  readonly latency_ms: number
  /** The thrown value. Undefined if the handler did not fail. May hold personal data. */
  readonly error: unknown
}

/** Published when the inbox has stored a batch of arrivals. */
export interface CommittedMessage {
  /** The number of events and quarantined requests. */
  readonly arrivals: number
  readonly duration_ms: number
}

/** Published when the retention has purged events. */
export interface PurgedMessage {
  readonly events: number
}

/** Published when the check of an endpoint's webhook found it missing or changed. */
export interface RegistrationMessage {
  readonly endpoint: string
  readonly address: string
  readonly webhook_id: string | undefined
  readonly result: 'created' | 'updated' | 'unchanged' | 'changed' | 'failed'
}

/** Published when a backfill has read the provider's list of events completely. */
export interface BackfilledMessage {
  readonly endpoint: string
  readonly realm: string
  readonly listed: number
  readonly arrived: number
  readonly recovered: number
}

/** Published for each mismatch of a payload. */
export interface DriftMessage {
  readonly endpoint: string
  readonly realm: string
  readonly event_type: string
  readonly path: string
  readonly rule: string
  /** The handler whose schema it is; empty for the provider's schema. */
  readonly handler: string
  /** True for the first mismatch of its kind: one that is logged. */
  readonly is_new: boolean
}

/** Published when a person or a program has done something that is in the audit log. */
export interface AuditedMessage {
  readonly actor: string
  readonly via: ActorOrigin
  readonly peer: string | undefined
  readonly request_id: string | undefined
  readonly action: string
  readonly target: string
  /** How many things it changed. */
  readonly count: number
  readonly outcome: string
}

/** Published when an alarm is raised, worse, reported again, or resolved. Holds no personal data. */
export interface AlarmMessage extends Omit<Alarm, 'since'> {
  readonly change: AlarmChangeKind
  /** In ISO 8601. */
  readonly since: string
}

/**
 * The names of the diagnostics channels. Subscribe with `node:diagnostics_channel` to count and to trace. A subscriber
 * runs synchronously while the event is processed, so it must be quick.
 */
export const channels = {
  answered: channel('riverhook:answered'),
  received: channel('riverhook:received'),
  rejected: channel('riverhook:rejected'),
  committed: channel('riverhook:committed'),
  settled: channel('riverhook:settled'),
  purged: channel('riverhook:purged'),
  registration: channel('riverhook:registration'),
  backfilled: channel('riverhook:backfilled'),
  drift: channel('riverhook:drift'),
  audited: channel('riverhook:audited'),
  alarm: channel('riverhook:alarm')
} as const

/** The message of each channel. */
export interface ChannelMessages {
  readonly answered: AnsweredMessage
  readonly received: ReceivedMessage
  readonly rejected: RejectedMessage
  readonly committed: CommittedMessage
  readonly settled: SettledMessage
  readonly purged: PurgedMessage
  readonly registration: RegistrationMessage
  readonly backfilled: BackfilledMessage
  readonly drift: DriftMessage
  readonly audited: AuditedMessage
  readonly alarm: AlarmMessage
}

/** Publishes one message. Costs one property read if the channel has no subscriber. */
export function publish<Name extends keyof ChannelMessages>(name: Name, message: ChannelMessages[Name]): void {
  if (channels[name].hasSubscribers) channels[name].publish(message)
}
