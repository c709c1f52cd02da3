import { channel } from 'node:diagnostics_channel'

import type { RiverhookErrorCode } from './errors.ts'
import type { Outcome } from './event.ts'

/** Published when a request was answered 2xx, after the commit. */
export interface ReceivedMessage {
  readonly endpoint: string
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
  readonly code: RiverhookErrorCode
  readonly status_code: number
  /** Why, for a person. Never holds a secret or a payload value. */
  readonly reason: string
}

/** Published when an attempt ended and its outcome is stored. */
export interface SettledMessage {
  readonly event_id: string
  readonly event_type: string
  readonly handler: string
  readonly attempt: number
  readonly state: Outcome['state']
  /** Milliseconds that the attempt ran. */
  readonly duration_ms: number
}

/**
 * The diagnostics_channel names: subscribe with `node:diagnostics_channel` to count and to trace.
 * A subscriber runs synchronously on the path of the event, so it must be quick.
 */
export const channels = {
  received: channel('riverhook:received'),
  rejected: channel('riverhook:rejected'),
  settled: channel('riverhook:settled')
} as const

/** What each channel publishes. */
export interface ChannelMessages {
  readonly received: ReceivedMessage
  readonly rejected: RejectedMessage
  readonly settled: SettledMessage
}

/** Publishes one message; costs a property read while nobody subscribes. */
export function publish<Name extends keyof ChannelMessages>(name: Name, message: ChannelMessages[Name]): void {
  if (channels[name].hasSubscribers) channels[name].publish(message)
}
