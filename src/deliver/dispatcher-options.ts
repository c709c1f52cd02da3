import type { AnyEvent } from '../model/event.ts'
import type { Handlers, RetryOptions } from '../handlers/registry.ts'
import type { Inbox, StoredEvent } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import type { Tracing } from '../model/tracing.ts'
import type { DeliveryCallbacks, RedactError } from './report.ts'
import type { SuspectsTimes } from './suspects.ts'

export interface DispatcherOptions extends DeliveryCallbacks {
  readonly inbox: Inbox
  /** Complete: handlers that are registered after `start()` are not seen. */
  readonly handlers: Handlers
  /** Parses a stored event. Called for each attempt, so that each has its own copy. Throws if it is unreadable. */
  readonly revive: (stored: StoredEvent) => AnyEvent
  /** Default: the text itself. */
  readonly redact?: RedactError
  /** Defaults for values that a handler's own `retry` leaves out. */
  readonly retry?: RetryOptions | undefined
  /** The most attempts that run at the same time in this process. */
  readonly concurrency: number
  readonly log: Log
  /** Default: none. */
  readonly tracing?: Tracing | undefined
  /**
   * Duration of a lease without a heartbeat, in milliseconds. After a crash, a delivery waits this long for its retry.
   * Default 10,000.
   */
  readonly leaseMs?: number
  /** Polling interval of the inbox, in milliseconds. Default 500. */
  readonly pollMs?: number
  /** The name of this process in the inbox. Default: process id and host name. */
  readonly owner?: string
  /** Milliseconds since the epoch; for tests. */
  readonly clock?: () => number
  /** From 0 to below 1; for tests. */
  readonly random?: () => number
  /** How long deliveries wait for a suspect that runs alone; for tests. */
  readonly suspects?: SuspectsTimes
}
