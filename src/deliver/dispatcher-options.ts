import type { AnyEvent } from '../model/event.ts'
import type { Handlers, RetryOptions } from '../handlers/registry.ts'
import type { Inbox, StoredEvent } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import type { DeliveryCallbacks } from './report.ts'
import type { SuspectsTimes } from './suspects.ts'

export interface DispatcherOptions extends DeliveryCallbacks {
  readonly inbox: Inbox
  /** Complete: handlers that are registered after `start()` are not seen. */
  readonly handlers: Handlers
  /** Reads a stored event back. Called for every attempt, so that each has its own copy. Throws when it cannot. */
  readonly revive: (stored: StoredEvent) => AnyEvent
  /** For handlers without their own `retry`, value by value. */
  readonly retry?: RetryOptions | undefined
  /** How many attempts are under way at a time in this process. */
  readonly concurrency: number
  readonly log: Log
  /**
   * Duration of a lease without a heartbeat, in milliseconds. After a crash, a delivery is retried this much later.
   * Default 10,000.
   */
  readonly leaseMs?: number
  /** Polling interval of the inbox, in milliseconds. Default 500. */
  readonly pollMs?: number
  /** Names this process in the inbox. Default: process id and host name. */
  readonly owner?: string
  /** Milliseconds since the epoch; given by tests. */
  readonly clock?: () => number
  /** From 0 to below 1; given by tests. */
  readonly random?: () => number
  /** How long deliveries wait for one that has to run alone; given by tests. */
  readonly suspects?: SuspectsTimes
}
