import { channel } from 'node:diagnostics_channel'

import type { ActorOrigin } from './audit.ts'
import type { RiverhookErrorCode } from './errors.ts'
import type { Outcome } from './event.ts'

/** Published when a request was answered 2xx, after the commit. */
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

/** Published at the first event of each kind of payload mismatch. */
export interface DriftMessage {
  readonly endpoint: string
  readonly realm: string
  readonly event_type: string
  readonly path: string
  readonly rule: string
  /** The handler whose schema it is; empty for the provider's schema. */
  readonly handler: string
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

/**
 * The names of the diagnostics channels. Subscribe with `node:diagnostics_channel` to count and to trace. A subscriber
 * runs synchronously while the event is processed, so it must be quick.
 */
export const channels = {
  received: channel('riverhook:received'),
  rejected: channel('riverhook:rejected'),
  settled: channel('riverhook:settled'),
  registration: channel('riverhook:registration'),
  backfilled: channel('riverhook:backfilled'),
  drift: channel('riverhook:drift'),
  audited: channel('riverhook:audited')
} as const

/** The message of each channel. */
export interface ChannelMessages {
  readonly received: ReceivedMessage
  readonly rejected: RejectedMessage
  readonly settled: SettledMessage
  readonly registration: RegistrationMessage
  readonly backfilled: BackfilledMessage
  readonly drift: DriftMessage
  readonly audited: AuditedMessage
}

/** Publishes one message. Costs one property read if the channel has no subscriber. */
export function publish<Name extends keyof ChannelMessages>(name: Name, message: ChannelMessages[Name]): void {
  if (channels[name].hasSubscribers) channels[name].publish(message)
}
