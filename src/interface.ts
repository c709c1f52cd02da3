import type { Readable } from 'node:stream'

import type { Inbox } from './inbox/inbox.ts'
import type { QuarantineResult, ReplayFilter } from './inbox/replay.ts'
import type { DrainOptions } from './lifecycle/draining.ts'
import type { Health } from './lifecycle/readiness.ts'
import type { BackfillReport } from './manage/backfill/backfill.ts'
import type { RegistrationStatus } from './manage/registration/watch.ts'
import type { Registrar } from './options/default-source.ts'
import type { Reply } from './receive/reply.ts'

/** A request, as an HTTP framework has it. */
export interface ReceiveRequest {
  readonly method: string
  /** The path, or the whole URL, as it was sent. Its path chooses the endpoint. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The exact bytes, or a stream of them, which Riverhook reads within the limits of the endpoint. Default: none. */
  readonly body?: Uint8Array | Readable | undefined
  /** Named in `onRejected`. Default: made up. */
  readonly id?: string | undefined
  /** How long ago the head of the request arrived, in milliseconds. Default 0. */
  readonly elapsedMs?: number | undefined
}

/** What to answer. */
export type ReceiveAnswer = Reply

/** A receiver without HTTP around it; `app.riverhook` of the Fastify plugin is one. */
export interface Riverhook extends Registrar {
  /** The store, to look things up. */
  readonly inbox: Inbox
  /**
   * Takes one request: limits, authenticates, reads and records it, in this order. Never rejects. A path that is no
   * endpoint is answered 404, another method than POST 405.
   */
  receive(request: ReceiveRequest): Promise<ReceiveAnswer>
  /**
   * Loads the handlers, opens the inbox, begins to deliver and to watch the registration. The Fastify plugin calls it
   * when the app is ready. A second call returns the first one's promise.
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
   * Makes deliveries that are not done due again, and creates missing ones; with `includeDone`, also those that are
   * done. What has one order key is in line, by arrival, before any of it runs.
   * @returns how many
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a filter that is none; RIVERHOOK_INBOX_UNAVAILABLE, also
   * where the inbox has refused some and the others are due
   */
  replay(filter: ReplayFilter): Promise<number>
  /**
   * Reads a quarantined request again and accepts its event when it is valid now. Undefined: there is none of that id.
   */
  retryQuarantined(id: string): Promise<QuarantineResult | undefined>
  /**
   * Whether events can be recorded and delivered now, and if not, why. Cheap to call often: the inbox is probed at most
   * once a second. A probe that takes longer than 2 s means not ready.
   */
  health(): Promise<Health>
  /**
   * How the endpoints' webhooks are at the provider: one entry for each endpoint with `register`, once it is watched.
   */
  registrations(): readonly RegistrationStatus[]
  /**
   * Fetches events back now that never arrived.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when there is no key; what the API throws
   */
  backfill(span: BackfillSpan): Promise<BackfillReport>
  /**
   * Reports not ready from now on, and lets running handlers end within the grace period. Refuses new requests with
   * 503, at once or after `delay` milliseconds. A second call without a delay ends the delay. `stop()` calls this too.
   */
  drain(options?: DrainOptions): Promise<void>
}

/** Which events to fetch back. */
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
 * A receiver with `role: 'command'`: it opens the inbox beside a running server, to look things up and to repair. It
 * receives no request and runs no handler. What it makes due is delivered by the server.
 */
export type CommandRiverhook = Pick<
  Riverhook,
  'inbox' | 'start' | 'stop' | 'replay' | 'retryQuarantined' | 'backfill' | 'on' | 'from'
>
