import type { FastifyInstance, LogLevel } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

import { checkOptions } from './options/check-options.ts'
import { Dispatcher } from './deliver/dispatcher.ts'
import type { Tellers } from './deliver/report.ts'
import { Draining, type DrainOptions } from './draining.ts'
import { errorText, stackOf } from './model/error-text.ts'
import { RiverhookError } from './model/errors.ts'
import type { AnyEvent, EventMode } from './model/event.ts'
import { checkTypes } from './handlers/event-type.ts'
import { exposedPaths } from './handlers/exposed.ts'
import { loadHandlers } from './handlers/load.ts'
import { Registry, type Handlers, type RetryOptions } from './handlers/registry.ts'
import { checkBackfillSpan } from './inbox/check.ts'
import type { Inbox, NewDelivery, StoredEvent } from './inbox/inbox.ts'
import { Recorder } from './inbox/recorder.ts'
import { replayInOrder, retryQuarantined, selectReplay } from './inbox/replay.ts'
import type { QuarantineResult, ReplayFilter, ReplayHandlers } from './inbox/replay.ts'
import { keepRetention } from './inbox/retention.ts'
import { backfill, type BackfillReport } from './manage/backfill/backfill.ts'
import { checkManaged, keepEndpoints, type KeptEndpoints, type ManagedEndpoint } from './manage/watch-endpoints.ts'
import type { RegistrationDrift, RegistrationStatus } from './manage/registration/watch.ts'
import { apiOf } from './manage/registration/registration.ts'
import { managedSettings, pluginSettings, toMs, type Endpoint, type EndpointOptions } from './options/settings.ts'
import { openInbox } from './inbox/open-inbox.ts'
import { knownTypesOf, payloadChecksOf, payloadRefusals } from './payload/refusals.ts'
import { BodyBudget } from './receive/budget.ts'
import { Readiness, type Health } from './readiness.ts'
import { deliveriesFor } from './handlers/deliveries.ts'
import { DriftLog } from './payload/drift-log.ts'
import { readEvent } from './receive/read-event.ts'
import { receiveAt } from './receive/receive.ts'
import type { Rejection } from './receive/route.ts'
import { defaultSource, type Registrar } from './options/default-source.ts'
import type { Reading, Source } from './source/source.ts'

/** The plugin's options. A single endpoint may be given flat; several go into `endpoints`. */
export interface RiverhookOptions extends EndpointOptions, Tellers {
  /** Several endpoints, for example test and live, each with its own path and credentials. */
  readonly endpoints?: readonly EndpointOptions[] | undefined
  /**
   * Where events are kept: `sqlite:PATH` (default `sqlite:riverhook.db`), `postgres://...`, `memory:`, or an engine.
   */
  readonly inbox?: string | Inbox | undefined
  /** A folder of handler files that is loaded at the start. */
  readonly handlers?: string | undefined
  /** How failed deliveries are tried again, for handlers that do not say. */
  readonly retry?: RetryOptions | undefined
  /** How many attempts run at a time in this process, all handlers together. Default 64. */
  readonly concurrency?: number | undefined
  /**
   * Events whose deliveries are all done are purged after it: milliseconds, or a text such as `30d` (default). At
   * least 73 h.
   */
  readonly retention?: number | string | undefined
  /**
   * The bytes of request bodies in memory at a time, all endpoints together, from their arrival until they are
   * answered. A request beyond it is answered 503. Default 64 MiB; at least the largest `bodyLimit`. Lower it in a
   * small container: a body takes several times its size when read.
   */
  readonly bodyBudget?: number | undefined
  /**
   * How long handlers may run at shutdown before they are handed back: up to `24d`. Default `8s`, because `docker stop`
   * kills after 10 s.
   */
  readonly grace?: number | string | undefined
  /** `health()` says not ready while a delivery is overdue by more than this. Default `5m`. */
  readonly maxBacklogAge?: number | string | undefined
  /** The provider. Default `digitalRiver()`. */
  readonly source?: Source | undefined
  /** Called when a request is refused. */
  readonly onRejected?: ((rejection: Rejection) => unknown) | undefined
  /** Called when a webhook that `register` keeps has been disabled, changed or deleted. */
  readonly onRegistrationDrift?: ((drift: RegistrationDrift) => unknown) | undefined
}

/** What `app.riverhook` offers. */
export interface Riverhook extends Registrar {
  /** The store, to look things up. */
  readonly inbox: Inbox
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
   * How the endpoints' webhooks are at the provider: one entry for each endpoint with `register`, once the server
   * listens.
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
   * 503, at once or after `delay` milliseconds. A second call without a delay ends the delay. Closing the app calls
   * this too.
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

declare module 'fastify' {
  interface FastifyInstance {
    riverhook: Riverhook
  }
  interface FastifyContextConfig {
    /** True on the routes of Riverhook, so that your hooks for all routes, such as authentication, can skip them. */
    riverhook?: true
  }
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** What `import ... from 'riverhook'` gives to a handler's file: this package, so that there is one instance. */
const moduleUrl = (path: string): URL => new URL(`${path}.${extension}`, import.meta.url)
const ownPackage = {
  packageUrl: moduleUrl('./index'),
  subpaths: { resources: moduleUrl('./source/digital-river/resources/index'), testing: moduleUrl('./testing/index') }
}

/**
 * The handlers in a folder, without an app: for commands that need to know who is to be told.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_LOAD
 */
export async function handlersIn(folder: string): Promise<Handlers> {
  const registry = new Registry(defaultSource().name)
  await loadHandlers(folder, registry.registrar(), { ...ownPackage, timeoutMs: 60_000 })
  registry.seal()
  return registry
}

/**
 * Receives Digital River's events at one or more POST endpoints, records them, and has the handlers of
 * `app.riverhook.on()` run until each has succeeded or is a dead letter.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS, RIVERHOOK_SOURCE_SECRET,
 * RIVERHOOK_INBOX_ADDRESS, RIVERHOOK_HANDLERS_LOAD; from `ready()` also RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_VERSION
 */
export const riverhook = fastifyPlugin(mount, { name: 'riverhook', fastify: '5.x' })

async function mount(app: FastifyInstance, options: RiverhookOptions): Promise<void> {
  const startedAt = performance.now()
  const { own, registration } = splitOptions(options)
  const routes = checkOptions(own)
  const endpoints = routes.map((endpoint) => ({
    ...endpoint,
    path: wholePath(app.prefix + (registration.prefix ?? ''), endpoint.path)
  }))
  const { source = defaultSource(), retry, onRejected, onRegistrationDrift, onError, onDead } = options
  const { log } = app
  const given = options.inbox ?? pluginSettings.inbox.default
  const inbox = typeof given === 'string' ? openInbox(given) : given
  const registry = new Registry(source.name)
  const recorder = new Recorder(inbox)
  const readiness = new Readiness({
    inbox,
    maxBacklogAgeMs: spanOf(options.maxBacklogAge, pluginSettings.maxBacklogAge.default)
  })
  const graceMs = spanOf(options.grace, pluginSettings.grace.default)
  const retentionMs = spanOf(options.retention, pluginSettings.retention.default)
  const concurrency = options.concurrency ?? pluginSettings.concurrency.default
  const handlers = registry.of(source.name)
  const deliveriesOf = (event: AnyEvent): NewDelivery[] => deliveriesFor(event, handlers, log)
  const read = (body: Uint8Array): Reading => readEvent(source, { headers: {}, body })
  const modeOf = (path: string): EventMode | undefined => endpoints.find((endpoint) => endpoint.path === path)?.mode

  const payloads = payloadChecksOf(source)
  const drift = new DriftLog({ inbox, log })
  const refusalOf = payloadRefusals({
    source,
    payloads,
    handlersOf: (type) => handlers.for(type),
    modeOf: (path) => endpoints.find((endpoint) => endpoint.path === path)?.validate ?? 'flag',
    note: (event, path, disagreements) => {
      drift.note(event, path, disagreements)
    }
  })
  const managed = endpoints.map((endpoint) => managedOf(endpoint, app.prefix))
  const manage = {
    source,
    inbox,
    handlers,
    read,
    deliveriesOf,
    refusalOf,
    log,
    onDrift: onRegistrationDrift
  } as const
  checkManaged(managed, source)

  let dispatcher: Dispatcher | undefined
  let kept: KeptEndpoints | undefined
  let endRetention: (() => Promise<void>) | undefined
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

  app.decorate('riverhook', {
    ...(registry.registrar() as Registrar),
    inbox,
    drain: (how) => draining.drain(how),
    health: async () => (draining.isLeaving ? { ready: false, reasons: ['shutting down'] } : readiness.check()),
    replay: (filter) => replay(inbox, filter, handlersForReplay(registry, read, deliveriesOf)),
    retryQuarantined: (id) => retryQuarantined(inbox, id, read, deliveriesOf, modeOf),
    registrations: () => kept?.registrations() ?? [],
    backfill: async (span) => {
      const { since, until = new Date(), endpoint, dryRun } = checkBackfillSpan(span)
      const of =
        endpoint === undefined
          ? (managed.find((each) => each.backfill ?? each.register) ?? managed[0])
          : managed.find(({ path }) => path === endpoint)
      if (of === undefined)
        throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `There is no endpoint ${String(endpoint)}`)
      const { apiKey, apiUrl } = of.backfill ?? of.register ?? {}
      const api = apiOf({ source, apiKey, apiUrl })
      return backfill({
        ...manage,
        interest: handlers,
        api,
        endpoint: of.path,
        mode: of.mode,
        since,
        until,
        ...(dryRun === undefined ? {} : { dryRun })
      })
    }
  } satisfies Riverhook)

  let checkSecrets: (() => Promise<void>) | undefined
  await app.register(async (scope) => {
    const budget = new BodyBudget(options.bodyBudget ?? pluginSettings.bodyBudget.default)
    const shared = {
      budget,
      source,
      handlers,
      recorder,
      log,
      payloads,
      drift,
      onRejected,
      draining: () => draining.isRefusing
    } as const
    checkSecrets = await receiveAt(
      scope,
      endpoints.map((endpoint, index) => ({ ...endpoint, url: routes[index]?.path ?? endpoint.path })),
      shared
    )
  }, registration)

  if (options.handlers !== undefined) {
    const files = await loadHandlers(options.handlers, app.riverhook, {
      ...ownPackage,
      timeoutMs: loadTimeout(app, startedAt)
    })
    log.info({ folder: options.handlers, files }, 'handlers loaded')
    const exposed = await exposedPaths(options.handlers)
    if (exposed.length > 0)
      log.warn(
        { paths: exposed },
        'every user of this machine can write to the handlers and so run code in this process; run chmod o-w on these paths'
      )
  }

  app.addHook('onReady', async () => {
    registry.seal()
    checkTypes(registry.all, knownTypesOf(source))
    payloads.prepare(registry.all)
    await checkSecrets?.()
    await inbox.open()
    for (const { level, message } of inbox.notes?.() ?? []) log[level](message)
    await drift.start()
    // A signal came during the start: close, and deliver nothing.
    if (draining.isLeaving) return
    const revive = ({ body }: StoredEvent): AnyEvent => reviveEvent(read(body))
    dispatcher = new Dispatcher({ inbox, handlers: registry, revive, retry, concurrency, log, onError, onDead })
    await dispatcher.start()
    endRetention = keepRetention(inbox, { retentionMs, log })
  })
  // Only what listens can be reached at its address: an app that is just made ready, as in tests, registers nothing.
  app.addHook('onListen', (done) => {
    kept = keepEndpoints(managed, manage)
    done()
  })
  app.addHook('preClose', () => draining.drain())
  app.addHook('onClose', async () => {
    await kept?.end()
    await recorder.drained()
    await drift.end()
    await endRetention?.()
    await inbox.close()
  })
}

/** Fastify's own options of `register()`. Fastify passes them to the plugin along with ours. */
interface Registration {
  readonly prefix?: string
  readonly logLevel?: LogLevel
  readonly logSerializers?: Record<string, (value: unknown) => string>
}

const registrationNames: readonly string[] = ['prefix', 'logLevel', 'logSerializers'] satisfies (keyof Registration)[]

function splitOptions(options: RiverhookOptions): {
  readonly own: Readonly<Record<string, unknown>>
  readonly registration: Registration
} {
  const isRegistration = ([name, value]: [string, unknown]): boolean =>
    registrationNames.includes(name) && value !== undefined
  const entries = Object.entries(options)
  const own = entries.filter(([name]) => !registrationNames.includes(name))
  const registration = Object.fromEntries(entries.filter(isRegistration)) as Registration
  if (registration.prefix !== undefined && !/^\/|^$/.test(registration.prefix)) {
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'Option "prefix" must begin with a slash, such as /v1')
  }
  return { own: Object.fromEntries(own), registration }
}

/** The full path, with the prefixes of the scopes around the plugin. */
function wholePath(prefix: string, path: string): string {
  return path === '/' && prefix !== '' ? prefix : prefix.replace(/\/$/, '') + path
}

/**
 * Time limit for loading handlers. Shorter than Fastify's own limit, whose error would not name the file. Undefined:
 * Fastify has no limit.
 */
function loadTimeout({ initialConfig }: FastifyInstance, startedAt: number): number | undefined {
  const { pluginTimeout = 10_000 } = initialConfig
  return pluginTimeout === 0 ? undefined : Math.max(1, pluginTimeout * 0.9 - (performance.now() - startedAt))
}

/** What the provider's API needs to know of an endpoint. */
function managedOf({ path, mode, basicAuth, register, backfill: missed }: Endpoint, prefix: string): ManagedEndpoint {
  const [credentials] = basicAuth === undefined ? [] : 'username' in basicAuth ? [basicAuth] : basicAuth
  return {
    path,
    mode,
    register: register && {
      ...register,
      basicAuth: credentials,
      servedAt: `${prefix}${path}`,
      everyMs: spanOf(register.every, managedSettings.register.every),
      repair: register.repair ?? false
    },
    backfill: missed && {
      everyMs: spanOf(missed.every, managedSettings.backfill.every),
      overlapMs: spanOf(missed.overlap, managedSettings.backfill.overlap),
      apiKey: missed.apiKey ?? register?.apiKey,
      apiUrl: missed.apiUrl ?? register?.apiUrl
    }
  }
}

/** A stored event was valid when it came; should the rules have changed since, its delivery fails with the reason. */
function reviveEvent(reading: Reading): AnyEvent {
  if (reading.ok) return reading.event
  throw new RiverhookError(reading.code, reading.message)
}

function handlersForReplay(
  registry: Registry,
  read: (body: Uint8Array) => Reading,
  deliveriesOf: (event: AnyEvent) => readonly NewDelivery[]
): ReplayHandlers {
  return {
    for: (type) => registry.for(type).map(({ name }) => name),
    orderKey(handler, { body }) {
      const deliveries = deliveriesOf(reviveEvent(read(body)))
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
    `${replayed + created} replayed; the inbox refused ${refused.length} and left them unchanged, for example ${first.handler} of ${first.eventId}: ${first.error.message}`,
    { cause: first.error }
  )
}

function spanOf(given: number | string | undefined, fallback: string): number {
  const ms = toMs(given ?? fallback)
  if (ms === undefined)
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `"${String(given)}" is not a span of time`)
  return ms
}

export default riverhook
