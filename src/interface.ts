import type { Readable } from 'node:stream'

import type {
  DeliverySummary,
  EventDetail,
  EventFilter,
  EventPage,
  EventSummary,
  Inbox,
  MismatchKind,
  RemovalTarget
} from './inbox/inbox.ts'
import type { Failures, FailuresRequest } from './inbox/failures.ts'
import type { QuarantineResult } from './inbox/replay.ts'
import type { DrainOptions } from './lifecycle/draining.ts'
import type { Health } from './lifecycle/readiness.ts'
import type { BackfillReport } from './manage/backfill/backfill.ts'
import type { RegistrationStatus, RegistrationSync } from './manage/registration/watch.ts'
import type { AlarmKey, ListedAlarm } from './model/alarm.ts'
import type { Actor } from './model/audit.ts'
import type { DeliveryState, EventKey } from './model/event.ts'
import type { Job, ReplayFilter } from './model/job.ts'
import type { Registrar } from './options/default-source.ts'
import type { PayloadMismatch } from './payload/mismatches.ts'
import type { Reply } from './receive/reply.ts'

/** A request, in the form of an HTTP framework. */
export interface ReceiveRequest {
  readonly method: string
  /** The path, or the whole URL, as it was sent. The path selects the endpoint. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The exact bytes, or a stream of them, which Riverhook reads within the limits of the endpoint. Default: none. */
  readonly body?: Uint8Array | Readable | undefined
  /** The address of the sender. Default: unknown. */
  readonly ip?: string | undefined
  /** Passed to `onRejected`. Default: generated. */
  readonly id?: string | undefined
  /** How long ago the head of the request arrived, in milliseconds. Default 0. */
  readonly elapsedMs?: number | undefined
}

/** The answer to send. */
export type ReceiveAnswer = Reply

/** A receiver without its HTTP server; `app.riverhook` of the Fastify plugin is one. */
export interface Riverhook extends Registrar {
  /** The store, for queries. */
  readonly inbox: Inbox
  /**
   * Takes one request: limits, authenticates, reads and records it, in this order. Never rejects. An unknown path is
   * answered 404, a method other than POST 405.
   */
  receive(request: ReceiveRequest): Promise<ReceiveAnswer>
  /**
   * Loads the handlers, opens the inbox, and starts to deliver and to watch the registration. The Fastify plugin calls
   * it when the app is ready. A second call returns the promise of the first, also if that failed: then create another
   * receiver.
   * @throws {RiverhookError} RIVERHOOK_HANDLERS_LOAD, RIVERHOOK_HANDLERS_UNKNOWN_TYPE, RIVERHOOK_SOURCE_SECRET,
   * RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_VERSION
   */
  start(): Promise<void>
  /**
   * Drains, ends the background work and closes the inbox. The Fastify plugin calls it when the app closes. Safe to
   * call twice.
   */
  stop(): Promise<void>
  /**
   * Refuses a filter for a type, handler, realm, source or endpoint that is unknown here and in the inbox: most likely
   * a spelling mistake, which selects nothing. `planReplay` and `startReplay` do so, too.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID; RIVERHOOK_HANDLERS_UNKNOWN for a handler; both with the nearest
   * name
   */
  checkFilter(filter: Pick<EventFilter, 'handler' | 'type' | 'realm' | 'source' | 'endpoint'>): Promise<void>
  /**
   * Counts what a replay would do. Changes nothing.
   * @param options.limit counts only this many deliveries, of the oldest events
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an invalid filter, or a type, realm or source that is
   * unknown here and in the inbox; RIVERHOOK_HANDLERS_UNKNOWN for such a handler; with `role: 'command'` also
   * RIVERHOOK_HANDLERS_DIFFERENT and RIVERHOOK_HANDLERS_NO_CODE
   */
  planReplay(filter: ReplayFilter, options?: { readonly limit?: number | undefined }): Promise<ReplayPlan>
  /**
   * Makes unfinished deliveries due again, and creates missing ones; with `includeDone`, also those that are done. Does
   * so in batches, as a job: it begins here, and if this process ends, a server continues it. Deliveries with the same
   * order key are put in line, in order of arrival, before any of them runs. Events that arrive after the plan, or
   * after this call if no plan is given, are not replayed.
   * @throws as `planReplay`; RIVERHOOK_INBOX_KEY_USED
   */
  startReplay(filter: ReplayFilter, options?: StartReplayOptions): Promise<Job>
  /** Lists the newest replay jobs, including those that have ended, until they are purged with old events. */
  jobs(options?: { readonly limit?: number | undefined }): Promise<readonly Job[]>
  /** Finds a replay job. */
  job(id: number): Promise<Job | undefined>
  /**
   * Stops a replay job at its next batch. Deliveries that are already due still run. No effect if it has ended.
   * @returns the job after that; undefined if there is none
   */
  stopJob(id: number, options?: ActOptions): Promise<Job | undefined>
  /**
   * Plans a replay, starts it and waits for its end.
   * @returns how many deliveries were made due or created
   * @throws {RiverhookError} as `planReplay`; RIVERHOOK_INBOX_UNAVAILABLE, also if the inbox refused some of them and
   * the others are due; RIVERHOOK_INBOX_JOB_ENDED
   */
  replay(filter: ReplayFilter, options?: ActOptions): Promise<number>
  /**
   * Reads a quarantined request again and accepts its event if it is valid now. Undefined if there is no quarantined
   * request with that id.
   */
  retryQuarantined(id: string, options?: ActOptions): Promise<QuarantineResult | undefined>
  /**
   * Removes events with all their deliveries, for good, except those with a running delivery, and those that have
   * changed since they were `seen`, or are erased. Uses batches, so that requests are served in between. If the
   * provider sends a removed event again, it is handled again.
   * @returns how many were removed
   */
  removeEvents(targets: readonly RemovalTarget[], options?: RemoveOptions): Promise<number>
  /**
   * Erases the personal data of events, for good, except those with a running delivery, and those that have changed
   * since they were `seen`: body, headers, search keys, order keys and errors. Uses batches, so that requests are
   * served in between. Each event stays, as `erased`, with its id, type and times, so that neither a retry of the
   * provider nor a backfill brings it back. Its deliveries that are not done are deleted, and never run.
   */
  eraseEvents(targets: readonly RemovalTarget[], options?: EraseOptions): Promise<Erasure>
  /**
   * Pauses a handler in all processes, also across restarts: its deliveries are recorded and wait. Running attempts
   * finish. Changes nothing if it is paused already. `inbox.pauses()` lists the paused handlers.
   * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN
   */
  pauseHandler(name: string, options?: ActOptions): Promise<void>
  /**
   * Resumes a paused handler: its deliveries run, in their order.
   * @returns false if it was not paused
   * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN
   */
  resumeHandler(name: string, options?: ActOptions): Promise<boolean>
  /**
   * Acknowledges kinds of payload mismatches, as `inbox.drifts()` lists them: later ones are counted, and are no cause
   * for a warning. With `reopen`, takes that back.
   * @returns how many kinds were changed
   */
  acknowledgeMismatches(kinds: readonly MismatchKind[], options?: AcknowledgeOptions): Promise<number>
  /**
   * Whether requests can be recorded now, and if not, why. A delivery that is overdue is a warning. Cheap to call
   * often: the inbox is probed at most once a second. A probe that takes longer than 2 s means not ready.
   */
  health(): Promise<Health>
  /**
   * Renders the metrics in the text format of Prometheus. With a registry of yours, all its metrics. Never hangs: a
   * slow inbox takes at most 1 s, and then its gauges keep their last values.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID without the option `metrics`, or before the start
   */
  metrics(): Promise<string>
  /**
   * Lists the alarms that are raised now, in all processes of the inbox, and the conditions that cannot be checked.
   * Empty with `alarms: false`.
   */
  alarms(): Promise<readonly ListedAlarm[]>
  /**
   * Acknowledges alarms, as `alarms()` lists them: they are not reported again until they are resolved, unless they
   * become worse. With `reopen`, takes that back. Not for the alarm `inbox`, which each process has for itself.
   * @returns how many alarms were changed
   */
  acknowledgeAlarms(alarms: readonly AlarmKey[], options?: AcknowledgeOptions): Promise<number>
  /**
   * The state of the endpoints' webhooks at the provider: one entry for each endpoint with `register`, once it is
   * watched.
   */
  registrations(): readonly RegistrationStatus[]
  /**
   * Registers an endpoint with `register` at the provider now, as the start does, or only plans that. Never creates a
   * webhook whose secret the provider shows only once: a command does.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is no such endpoint, or it is not watched yet;
   * RIVERHOOK_MANAGE_NOT_CREATED, RIVERHOOK_MANAGE_UNSETTLED; what the API throws
   */
  syncRegistration(endpoint: string, options?: SyncRegistrationOptions): Promise<RegistrationSync>
  /**
   * Groups the deliveries that failed by handler and error: dead letters, and those that wait for a retry. Looks at
   * 5,000 of them at most, those of the newest events.
   */
  failures(request?: FailuresRequest): Promise<Failures>
  /**
   * Lists the newest events about the resource of an event, such as its order, with the event itself. Only the event if
   * its source names no resource. Undefined if there is no such event.
   */
  relatedEvents(key: EventKey, options: { readonly limit: number }): Promise<EventPage | undefined>
  /** Finds the last event before an event that is about the same resource. */
  previousEvent(key: EventKey): Promise<EventDetail | undefined>
  /**
   * Compares the payload of an event with the schemas that the code has now, as on arrival. None if the event is
   * quarantined, or came by an endpoint that is gone or has `validate: 'off'`.
   */
  mismatches(event: EventDetail): readonly PayloadMismatch[]
  /**
   * Hides the personal data of an event, by the paths of its source and of the option `redact`, for a person without
   * the right to see it. The body of a quarantined request is hidden entirely.
   */
  mask(event: EventDetail): MaskedEvent
  /** The trace in which an event was recorded, with a link if `trace.url` is given. Undefined without tracing. */
  traceOf(event: Pick<EventDetail, 'trace'>): EventTrace | undefined
  /**
   * Hides the personal data in the texts of a list of events, such as errors, by the paths that `mask` uses now: these
   * may be more than when the error was stored. Leaves out the order keys. Reads the body of each event that has such a
   * text; after 16 MiB of bodies, it hides the texts of the others entirely.
   */
  maskList(events: readonly EventSummary[]): Promise<readonly MaskedSummary[]>
  /**
   * Fetches events that never arrived.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is no key or no such endpoint, or for a type that is
   * unknown here and in the inbox; what the API throws; with `role: 'command'` also RIVERHOOK_HANDLERS_DIFFERENT, and
   * RIVERHOOK_OPTIONS_INVALID if the server has another realm
   */
  backfill(span: BackfillSpan, options?: ActOptions): Promise<BackfillReport>
  /**
   * Reports not ready from now on, and lets running handlers finish within the grace period. Refuses new requests with
   * 503, immediately or after `delay` milliseconds. A second call without a delay ends the delay. `stop()` calls this
   * too.
   */
  drain(options?: DrainOptions): Promise<void>
}

/** The options of each method that changes something: `inbox.audits()` lists what was done, and who did it. */
export interface ActOptions {
  /** The one who does it, for the audit log. Default: the `actor` of `createRiverhook()`, or "riverhook". */
  readonly by?: Actor | undefined
}

/** The effect that a replay would have. */
export interface ReplayPlan {
  /** How many deliveries it would make due or create. */
  readonly count: number
  /** True if there are or may be more: it counts up to 10,001, on a server for at most 2 s. */
  readonly capped: boolean
  /** How many events have these deliveries. */
  readonly events: number
  /** The deliveries by handler, state and whether they would be skipped. `missing`: they would be created. */
  readonly byHandler: readonly {
    readonly handler: string
    readonly state: DeliveryState | 'missing'
    readonly count: number
    readonly skipped: boolean
  }[]
  /** The position of the newest event of the inbox. Those that arrive later are not replayed. */
  readonly upTo: number
  /** When the first and the last of these events arrived. */
  readonly oldest: Date | undefined
  readonly newest: Date | undefined
}

export interface StartReplayOptions extends ActOptions {
  /** That of the plan. Default: the position of the newest event now. */
  readonly upTo?: number | undefined
  /** The count of the plan. Default: it is counted now. */
  readonly planned?: number | undefined
  /** At most this many deliveries, of the oldest events. Default: all. */
  readonly limit?: number | undefined
  /** A whole number from 1 to 10,000. Default: as fast as possible. */
  readonly ratePerSecond?: number | undefined
  /**
   * Starts the replay once: a repeated call with the key returns the same job, also in another process and after a
   * restart, until the job is purged with old events. 1 to 200 printable ASCII characters.
   */
  readonly idempotencyKey?: string | undefined
}

/** The options are those of a removal. */
export type EraseOptions = RemoveOptions

/** The effect of an erasure. */
export interface Erasure {
  /** How many events were erased. */
  readonly erased: number
  /** How a person removes what the files of the store may still have. Undefined if nothing is left. */
  readonly left: string | undefined
}

export interface RemoveOptions extends ActOptions {
  /** The filter by which the events were found, for the audit log. Default: the first of their ids. */
  readonly filter?: Omit<EventFilter, 'limit'> | undefined
  /** Called after each batch, with its size. */
  readonly onProgress?: ((count: number) => void) | undefined
}

/**
 * An event without its personal data. The search keys and order keys that are personal data are missing or hidden, too.
 */
export interface MaskedEvent extends Omit<EventDetail, 'body' | 'headers'> {
  /** The JSON of the body, with each hidden value replaced by its type and length. Undefined if all of it is hidden. */
  readonly payload: string | undefined
  /** The length of the body. */
  readonly bytes: number
}

/**
 * An event of a list, without its personal data. It has no order keys: only the body shows whether they are personal
 * data, and a list does not read every body.
 */
export interface MaskedSummary extends Omit<EventSummary, 'deliveries'> {
  readonly deliveries: readonly Omit<DeliverySummary, 'orderKey'>[]
}

/** The trace in which an event was recorded. */
export interface EventTrace {
  readonly traceId: string
  /** Its page in your tracing service. Undefined without the option `trace.url`. */
  readonly url: string | undefined
}

export interface AcknowledgeOptions extends ActOptions {
  /** Takes an acknowledgement back. */
  readonly reopen?: boolean | undefined
}

export interface SyncRegistrationOptions extends ActOptions {
  /** Only plans. Changes nothing. */
  readonly dryRun?: boolean | undefined
}

/** Which events to fetch. */
export interface BackfillSpan {
  /** Created at or after. */
  readonly since: Date
  /** Created before. Default: now. */
  readonly until?: Date | undefined
  /** The path of the endpoint to store them under. Default: the first that has an API key, else the first. */
  readonly endpoint?: string | undefined
  /** Only events of this type, or of a pattern such as `order.*`. Default: the types that the handlers take. */
  readonly type?: string | undefined
  /** Only reports what would be recovered. Changes nothing. */
  readonly dryRun?: boolean | undefined
  /** Called after each part of the time that was read completely, with the report so far. */
  readonly onProgress?: ((report: BackfillReport) => unknown) | undefined
}

/**
 * A receiver with `role: 'command'`: it opens the inbox beside a running server, for queries and repairs. It receives
 * no request and runs no handler. The server delivers what it makes due.
 */
export type CommandRiverhook = Pick<
  Riverhook,
  | 'inbox'
  | 'start'
  | 'stop'
  | 'checkFilter'
  | 'planReplay'
  | 'startReplay'
  | 'jobs'
  | 'job'
  | 'stopJob'
  | 'replay'
  | 'retryQuarantined'
  | 'removeEvents'
  | 'eraseEvents'
  | 'failures'
  | 'acknowledgeMismatches'
  | 'alarms'
  | 'acknowledgeAlarms'
  | 'pauseHandler'
  | 'resumeHandler'
  | 'backfill'
  | 'mask'
  | 'maskList'
  | 'traceOf'
  | 'on'
  | 'from'
>
