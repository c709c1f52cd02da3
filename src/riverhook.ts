import { pino } from 'pino'
import type { Readable } from 'node:stream'

import { Dispatcher } from './deliver/dispatcher.ts'
import { errorText, stackOf } from './model/error-text.ts'
import { RiverhookError } from './model/errors.ts'
import type { AnyEvent, EventMode } from './model/event.ts'
import type { Log } from './model/log.ts'
import { msOf } from './model/span.ts'
import { deliveriesFor } from './handlers/deliveries.ts'
import { exposedPaths } from './handlers/exposed.ts'
import { loadHandlers } from './handlers/load.ts'
import { Registry, type Handlers, type Registrar as AnyRegistrar } from './handlers/registry.ts'
import { checkBackfillSpan } from './inbox/check.ts'
import type { Inbox, NewDelivery, StoredEvent } from './inbox/inbox.ts'
import { openInbox } from './inbox/open-inbox.ts'
import { Recorder } from './inbox/recorder.ts'
import { replayInOrder, retryQuarantined, selectReplay } from './inbox/replay.ts'
import type { QuarantineResult, ReplayFilter, ReplayHandlers } from './inbox/replay.ts'
import { keepRetention } from './inbox/retention.ts'
import { Draining, type DrainOptions } from './lifecycle/draining.ts'
import { InboxClaim } from './lifecycle/inbox-claim.ts'
import { Readiness, type Health } from './lifecycle/readiness.ts'
import { Sources, type SourceInUse } from './lifecycle/sources.ts'
import { backfill, type BackfillReport } from './manage/backfill/backfill.ts'
import { apiOf } from './manage/registration/registration.ts'
import type { RegistrationStatus } from './manage/registration/watch.ts'
import {
  checkManaged,
  keepEndpoints,
  type KeptEndpoints,
  type ManageContext,
  type ManagedEndpoint
} from './manage/watch-endpoints.ts'
import { checkOptions } from './options/check-options.ts'
import { defaultSource, type Registrar } from './options/default-source.ts'
import type { Endpoint } from './options/endpoint-options.ts'
import { ownPackage } from './options/own-package.ts'
import { checkRealms, realmOf } from './options/realms.ts'
import type { RiverhookOptions } from './options/riverhook-options.ts'
import { backfillSettings, pluginSettings, registerSettings } from './options/settings.ts'
import type { PayloadMode } from './payload/checks.ts'
import { DriftLog } from './payload/drift-log.ts'
import { payloadRefusals } from './payload/refusals.ts'
import { receiveAt } from './receive/at-path.ts'
import { BodyBudget } from './receive/budget.ts'
import type { Receiver } from './receive/receiver.ts'
import { createReceivers } from './receive/receivers.ts'
import type { Reply } from './receive/reply.ts'
import { keptHeaders } from './source/kept-headers.ts'
import type { Source } from './source/source.ts'

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
   * @param span.since from when; `until` defaults to now, `endpoint` to the first one that has a key (`register` or
   * `backfill`), else the first
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when there is no key; what the API throws
   */
  backfill(span: BackfillSpan): Promise<BackfillReport>
  /**
   * Reports not ready from now on, and lets running handlers end within the grace period. Refuses new requests with
   * 503, at once or after `delay` milliseconds. A second call without a delay ends the delay. `stop()` calls this too.
   */
  drain(options?: DrainOptions): Promise<void>
}

export interface BackfillSpan {
  readonly since: Date
  readonly until?: Date | undefined
  readonly endpoint?: string | undefined
  /** Only says what would be recovered. */
  readonly dryRun?: boolean | undefined
}

/** What `createRiverhook` takes beside the plugin's options. */
export interface CreateOptions extends RiverhookOptions {
  /** Where log lines go: a pino logger, or one with its methods. Default: pino, to the standard output. */
  readonly log?: Log | undefined
}

/** What a host of the receiver decides. */
export interface Host {
  readonly log: Log
  /** The prefix of all paths, such as that of Fastify's scope. */
  readonly prefix: string
}

/** A receiver in parts, for an adapter that has a life cycle of its own. */
export interface Composition {
  readonly riverhook: Riverhook
  /** One for each endpoint, in the order of the options, with its path within the prefix. */
  readonly routes: readonly { readonly receiver: Receiver; readonly url: string }[]
  /** Registers the handlers of the option `handlers`. @param timeoutMs for all files together; default: no limit */
  readonly load: (timeoutMs?: number) => Promise<void>
  /** Opens the inbox and begins to deliver. */
  readonly open: () => Promise<void>
  /** Begins to watch the registrations and to backfill: once requests can arrive. */
  readonly watch: () => void
}

/**
 * Makes a receiver: everything but HTTP. Pass requests to `receive()`, or mount it with `toWebHandler()`.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS, RIVERHOOK_SOURCE_SECRET,
 * RIVERHOOK_INBOX_ADDRESS
 */
export function createRiverhook({ log = pino(), ...options }: CreateOptions = {}): Riverhook {
  return compose(options, { log, prefix: '' }).riverhook
}

/** Makes a receiver for a host. @throws as `createRiverhook` */
export function compose(options: RiverhookOptions, { log, prefix }: Host): Composition {
  const own = checkOptions({ ...options })
  const { source: defaults = defaultSource() } = options
  const endpoints = own.map((endpoint) => ({
    ...endpoint,
    realm: realmOf(endpoint, endpoint.source.name),
    path: wholePath(prefix, endpoint.path)
  }))
  checkRealms(endpoints.map(({ path, realm, source }) => ({ path, realm, source: source.name })))
  const { retry, onRejected, onRegistrationChange, onError, onDead } = options
  const given = options.inbox ?? pluginSettings.inbox.default
  const inbox = typeof given === 'string' ? openInbox(given) : given
  const claim = new InboxClaim(inbox, typeof given === 'string' ? given : undefined)
  const registry = new Registry(defaults.name)
  const sources = new Sources(
    endpoints.map(({ source }) => source),
    registry
  )
  const recorder = new Recorder(inbox)
  const readiness = new Readiness({
    inbox,
    maxBacklogAgeMs: msOf(options.maxBacklogAge ?? pluginSettings.maxBacklogAge.default)
  })
  const graceMs = msOf(options.grace ?? pluginSettings.grace.default)
  const retentionMs = msOf(options.retention ?? pluginSettings.retention.default)
  const concurrency = options.concurrency ?? pluginSettings.concurrency.default
  const deliveriesOf = (realm: string, source: string, event: AnyEvent): NewDelivery[] =>
    deliveriesFor(realm, event, registry.of(source), log)
  const modeOf = (path: string): EventMode | undefined => endpoints.find((endpoint) => endpoint.path === path)?.mode

  const drift = new DriftLog({ inbox, log })
  const managed = endpoints.map((endpoint) => ({
    ...managedOf(endpoint),
    context: contextOf(endpoint, sources.get(endpoint.source.name))
  }))
  for (const endpoint of managed) checkManaged([endpoint], endpoint.context.source)

  let dispatcher: Dispatcher | undefined
  let kept: readonly KeptEndpoints[] | undefined
  let endRetention: (() => Promise<void>) | undefined
  let loaded: Promise<void> | undefined
  let opened: Promise<void> | undefined
  let stopped: Promise<void> | undefined
  const draining = new Draining(
    () => dispatcher?.stop({ graceMs }) ?? Promise.resolve(),
    async (error) => {
      if (dispatcher === undefined)
        log.fatal(
          { error: errorText(error), stack: stackOf(error) },
          'ending because of an error that nothing caught, before the start was complete'
        )
      else await dispatcher.fail(error)
    }
  )

  const receiving = endpoints.map((endpoint) => ({ ...endpoint, ...sources.get(endpoint.source.name) }))
  const receivers = createReceivers(receiving, {
    budget: new BodyBudget(options.bodyBudget ?? pluginSettings.bodyBudget.default),
    recorder,
    log,
    drift,
    onRejected,
    isRefusing: () => draining.isRefusing
  })

  const riverhook: Riverhook = {
    ...(registry.registrar() as Registrar),
    inbox,
    receive: (request) => receiveAt(receivers.all, request, log),
    async start() {
      await open()
      watch()
    },
    stop: () => (stopped ??= end()),
    drain: (how) => draining.drain(how),
    health: async () => (draining.isLeaving ? { ready: false, reasons: ['shutting down'] } : readiness.check()),
    replay: (filter) => replay(inbox, filter, handlersForReplay(registry, sources, deliveriesOf)),
    retryQuarantined: async (id) => {
      // The id is made from the realm too, so at most one request has it.
      const { events } = await inbox.events({ id, state: 'quarantined', limit: 1 })
      const [found] = events
      if (found === undefined) return undefined
      const { realm, source } = found
      return retryQuarantined(
        inbox,
        { realm, id },
        (request) => sources.read(request),
        (event) => deliveriesOf(realm, source, event),
        modeOf
      )
    },
    registrations: () => kept?.flatMap((each) => each.registrations()) ?? [],
    backfill: async (span) => {
      const { since, until = new Date(), endpoint, dryRun } = checkBackfillSpan(span)
      const of =
        endpoint === undefined
          ? (managed.find((each) => each.backfill ?? each.register) ?? managed[0])
          : managed.find(({ path }) => path === endpoint)
      if (of === undefined)
        throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `There is no endpoint ${String(endpoint)}`)
      const { apiKey, apiUrl } = of.backfill ?? of.register ?? {}
      const { context } = of
      return backfill({
        ...context,
        deliveriesOf: (event) => context.deliveriesOf(of.realm, event),
        interest: context.handlers,
        api: apiOf({ source: context.source, apiKey, apiUrl }),
        realm: of.realm,
        endpoint: of.path,
        mode: of.mode,
        since,
        until,
        ...(dryRun === undefined ? {} : { dryRun })
      })
    }
  }
  const routes = receivers.all.map((receiver, index) => ({ receiver, url: own[index]?.path ?? receiver.path }))
  return { riverhook, routes, load, open, watch }

  function load(timeoutMs?: number): Promise<void> {
    return (loaded ??= loadAll(timeoutMs))
  }

  async function loadAll(timeoutMs: number | undefined): Promise<void> {
    const folders = await mount(options.handlers, riverhook, timeoutMs)
    for (const { folder, files } of folders) {
      log.info({ folder, files }, 'handlers loaded')
      const exposed = await exposedPaths(folder)
      if (exposed.length > 0)
        log.warn(
          { paths: exposed },
          'every user of this machine can write to the handlers and so run code in this process; run chmod o-w on these paths'
        )
    }
  }

  function open(): Promise<void> {
    if (stopped !== undefined)
      throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'This receiver was stopped; create another one')
    return (opened ??= openAll())
  }

  async function openAll(): Promise<void> {
    await load(handlersMs)
    registry.seal()
    sources.checkHandlers(registry.all)
    await receivers.checkSecrets()
    claim.take()
    await inbox.open().catch(async (error: unknown) => {
      // Another receiver may try: it has another password, for example.
      await inbox.close().catch(() => undefined)
      claim.release()
      throw error
    })
    for (const { level, message } of inbox.notes?.() ?? []) log[level](message)
    await drift.start()
    // A signal came during the start: deliver nothing, and wait for stop().
    if (draining.isLeaving) return
    const revive = (stored: StoredEvent): AnyEvent => sources.revive(stored)
    dispatcher = new Dispatcher({ inbox, handlers: registry, revive, retry, concurrency, log, onError, onDead })
    await dispatcher.start()
    endRetention = keepRetention(inbox, { retentionMs, log })
  }

  function watch(): void {
    if (!draining.isLeaving) kept ??= managed.map((endpoint) => keepEndpoints([endpoint], endpoint.context))
  }

  /** What registration and backfill of an endpoint need of its source. */
  function contextOf(
    { path, realm, validate }: { readonly path: string; readonly realm: string; readonly validate: PayloadMode },
    { source, handlers, payloads }: SourceInUse
  ): ManageContext {
    return {
      source,
      inbox,
      handlers,
      read: (request) =>
        sources.read({ source: source.name, headers: keptHeaders(source, request.headers), body: request.body }),
      deliveriesOf: (realm, event) => deliveriesOf(realm, source.name, event),
      refusalOf: payloadRefusals({
        source,
        payloads,
        handlersOf: (type) => handlers.for(type),
        modeOf: () => validate,
        note: (event, _path, disagreements) => {
          drift.note(event, { realm, path }, disagreements)
        }
      }),
      log,
      onChange: onRegistrationChange
    }
  }

  /** The order of the shutdown. Each step needs what the later ones end. */
  async function end(): Promise<void> {
    // A start under way must not begin anything after its end.
    const starting = opened?.catch(() => undefined)
    // 1. Not ready; refuse requests; let attempts end within the grace period, hand back the others.
    await draining.drain()
    await starting
    // An inbox that was never taken may be another receiver's.
    if (!claim.isTaken) return
    // 2. Watch no registration any more, and backfill nothing.
    await Promise.all(kept?.map((each) => each.end()) ?? [])
    // 3. Answer the requests that are being recorded.
    await recorder.drained()
    // 4. Store the counts of mismatches.
    await drift.end()
    // 5. Purge nothing any more.
    await endRetention?.()
    // 6. Release the inbox and its leases.
    await inbox.close().finally(() => {
      claim.release()
    })
  }
}

/** How long the files of handlers may take to load where no framework sets a limit, in milliseconds. */
const handlersMs = 60_000

/**
 * The handlers of the option `handlers`, without a receiver: for commands that need to know which handlers exist.
 * @param source the source of handlers that name none
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_LOAD
 */
export async function handlersIn(
  handlers: NonNullable<RiverhookOptions['handlers']>,
  source: Pick<Source, 'name'> = defaultSource()
): Promise<Handlers> {
  const registry = new Registry(source.name)
  await mount(handlers, registry.registrar(), handlersMs)
  registry.seal()
  return registry
}

/** Registers the handlers of folders, and those that are values, in the order of the list. */
async function mount(
  handlers: RiverhookOptions['handlers'],
  registrar: AnyRegistrar,
  timeoutMs: number | undefined
): Promise<readonly { readonly folder: string; readonly files: Awaited<ReturnType<typeof loadHandlers>> }[]> {
  const folders = []
  for (const each of handlers === undefined ? [] : [handlers].flat()) {
    if (typeof each === 'string')
      folders.push({
        folder: each,
        files: await loadHandlers(each, registrar, { ...ownPackage, timeoutMs })
      })
    else registrar.on(each)
  }
  return folders
}

/** The full path, with the prefixes of the scopes around the plugin. */
function wholePath(prefix: string, path: string): string {
  return path === '/' && prefix !== '' ? prefix : prefix.replace(/\/$/, '') + path
}

/** What the provider's API needs to know of an endpoint. */
function managedOf({
  path,
  realm,
  mode,
  basicAuth,
  register,
  backfill: missed
}: Endpoint & { readonly realm: string }): ManagedEndpoint {
  const [credentials] = basicAuth === undefined ? [] : 'username' in basicAuth ? [basicAuth] : basicAuth
  return {
    path,
    realm,
    mode,
    register: register && {
      ...register,
      basicAuth: credentials,
      servedAt: path,
      everyMs: msOf(register.every ?? registerSettings.every.default),
      repair: register.repair ?? false
    },
    backfill: missed && {
      everyMs: msOf(missed.every ?? backfillSettings.every.default),
      overlapMs: msOf(missed.overlap ?? backfillSettings.overlap.default),
      apiKey: missed.apiKey ?? register?.apiKey,
      apiUrl: missed.apiUrl ?? register?.apiUrl
    }
  }
}

function handlersForReplay(
  registry: Registry,
  sources: Sources,
  deliveriesOf: (realm: string, source: string, event: AnyEvent) => readonly NewDelivery[]
): ReplayHandlers {
  return {
    for: ({ source, type }) =>
      registry
        .of(source)
        .for(type)
        .map(({ name }) => name),
    orderKey(handler, event) {
      const deliveries = deliveriesOf(event.realm, event.source, sources.revive(event))
      return deliveries.find((delivery) => delivery.handler === handler)?.orderKey
    }
  }
}

async function replay(inbox: Inbox, filter: ReplayFilter, handlers: ReplayHandlers): Promise<number> {
  const { replayed, created, refused } = await replayInOrder(
    inbox,
    await Array.fromAsync(selectReplay(inbox, filter, handlers))
  )
  const [first] = refused
  if (first === undefined) return replayed + created
  throw new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `${replayed + created} replayed; the inbox refused ${refused.length} and left them unchanged, for example ${first.handler} of ${first.event.id}: ${first.error.message}`,
    { cause: first.error }
  )
}
