import { createRequire } from 'node:module'

import type * as pino from 'pino'

import { composeCommand } from './command.ts'
import { Dispatcher } from './deliver/dispatcher.ts'
import { syncResult } from './inbox/act-results.ts'
import { describeAddress } from './inbox/address.ts'
import { findFailures } from './inbox/failures.ts'
import { checkBackfillSpan } from './inbox/check.ts'
import type { StoredEvent } from './inbox/inbox.ts'
import { Recorder } from './inbox/recorder.ts'
import { keepRetention } from './inbox/retention.ts'
import type { CommandRiverhook, Riverhook } from './interface.ts'
import { acknowledgeAlarms, Alarms } from './lifecycle/alarms.ts'
import { Draining } from './lifecycle/draining.ts'
import { acknowledgeMismatches } from './lifecycle/acknowledging.ts'
import { eventMismatches } from './lifecycle/event-mismatches.ts'
import { traceOf } from './lifecycle/event-trace.ts'
import { maskEvent, maskError, maskSummaries } from './lifecycle/masked-event.ts'
import { InboxClaim } from './lifecycle/inbox-claim.ts'
import { registeredHandlers, type KnownHandlers } from './lifecycle/known-handlers.ts'
import { handlersMs } from './lifecycle/mount-handlers.ts'
import { makeParts } from './lifecycle/parts.ts'
import { pauseHandler, resumeHandler } from './lifecycle/pausing.ts'
import { eraseEvents, removeEvents } from './lifecycle/removal.ts'
import { readRetention } from './lifecycle/retention-spans.ts'
import { Readiness } from './lifecycle/readiness.ts'
import { keepServed } from './lifecycle/served-realms.ts'
import { previousEvent, relatedEvents } from './lifecycle/resource.ts'
import { closeShared, openShared } from './lifecycle/shared-inbox.ts'
import type { Repeated } from './manage/repeat.ts'
import { findRegistration, type KeptEndpoints } from './manage/watch-endpoints.ts'
import type { Actor } from './model/audit.ts'
import { errorText, stackOf } from './model/error-text.ts'
import { RiverhookError } from './model/errors.ts'
import type { AnyEvent } from './model/event.ts'
import type { Log } from './model/log.ts'
import { fieldProblems, isObject, isOneOf, type OptionRules } from './model/option-rules.ts'
import { isOneType } from './model/pattern.ts'
import { inOwnContext } from './model/own-context.ts'
import { msOf } from './model/span.ts'
import type { FindTracing } from './model/tracing.ts'
import { readOptions } from './options/check-options.ts'
import type { Registrar } from './options/default-source.ts'
import { Metering } from './observe/metrics/metering.ts'
import { describeProblems, optionsError } from './options/problems.ts'
import type { RiverhookOptions } from './options/riverhook-options.ts'
import { pluginSettings } from './options/settings.ts'
import { receiveAt } from './receive/at-path.ts'
import { compileAhead } from './payload/compile-ahead.ts'
import { BodyBudget } from './receive/budget.ts'
import { ClockSkew } from './receive/clock-skew.ts'
import { createReceivers, type Route } from './receive/receivers.ts'
import { RequestCounts } from './receive/request-counts.ts'
import { packageVersion } from './runtime.ts'

export type * from './interface.ts'

/** The options of `createRiverhook` in addition to those of the plugin. */
export interface CreateOptions extends RiverhookOptions {
  /** Where log lines go: a pino logger, or one with its methods. Default: pino, to the standard output. */
  readonly log?: Log | undefined
  /**
   * `command` opens the inbox beside a running server, to look things up and to repair. It receives no request and
   * runs no handler. Without `handlers`, the list from the server's last start is used. Default `server`.
   */
  readonly role?: 'server' | 'command' | undefined
  /** The actor of a call that names none with `by`, for the audit log. Default: "riverhook". */
  readonly actor?: Actor | undefined
}

/** Settings that the host of a receiver decides. */
export interface Host {
  readonly log: Log
  /** The prefix of all paths, such as that of Fastify's scope. */
  readonly prefix: string
  /** The actor of a call that names none. */
  readonly actor?: Actor | undefined
}

/** The separate steps of a receiver, for an adapter with its own life cycle. */
export interface Composition {
  readonly riverhook: Riverhook
  /** The endpoints, in the order of the options, and their token endpoints. */
  readonly routes: readonly Route[]
  /** Registers the handlers of the option `handlers`. @param timeoutMs for all files together; default: no limit */
  readonly load: (timeoutMs?: number) => Promise<void>
  /** Opens the inbox and begins to deliver. */
  readonly open: () => Promise<void>
  /** Begins to watch the registrations and to backfill: once requests can arrive. */
  readonly watch: () => void
}

const createRules: OptionRules<Pick<CreateOptions, 'role' | 'log' | 'actor'>> = {
  role: isOneOf('server', 'command'),
  log: {
    expected: 'a logger such as one of pino',
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      ['error', 'warn', 'info'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  },
  actor: isObject
}

/** The first receiver without a log loads pino: a plugin has the log of its host. */
const defaultLog = (): Log => (createRequire(import.meta.url)('pino') as typeof pino).pino()

/**
 * Makes a receiver: everything but HTTP. Pass requests to `receive()`, or mount it with `toWebHandler()`.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS, RIVERHOOK_SOURCE_SECRET,
 * RIVERHOOK_INBOX_ADDRESS
 */
export function createRiverhook(options: CreateOptions & { readonly role: 'command' }): CommandRiverhook
export function createRiverhook(options?: CreateOptions & { readonly role?: 'server' | undefined }): Riverhook
export function createRiverhook({
  role,
  log: givenLog,
  actor,
  ...options
}: CreateOptions = {}): Riverhook | CommandRiverhook {
  const wrong = fieldProblems({ fields: createRules }, { role, log: givenLog, actor }, '')
  if (wrong.length > 0) throw optionsError([...describeProblems(wrong), ...readOptions({ ...options }).problems])
  const log = givenLog ?? defaultLog()
  return role === 'command'
    ? composeCommand(options, { log, actor }).riverhook
    : compose(options, { log, prefix: '', actor }).riverhook
}

/** Makes a receiver for a host. @throws as `createRiverhook` */
export function compose(options: RiverhookOptions, { log, prefix, actor }: Host): Composition {
  let known: KnownHandlers | undefined
  const {
    endpoints,
    inbox,
    address,
    registry,
    sources,
    drift,
    managed,
    audit,
    recovery,
    checkFilter,
    replays,
    traces,
    load
  } = makeParts(options, {
    log,
    prefix,
    role: 'server',
    actor,
    handlers: (registry) => (known ??= registeredHandlers(registry, log))
  })
  const { retry, onRejected, onError, onDead, onAlarm } = options
  const claim = new InboxClaim(inbox, address)
  const recorder = new Recorder(inbox, { claimer: () => dispatcher })
  const counts = new RequestCounts({ inbox, log })
  const clockSkew = new ClockSkew()
  const maxBacklogAgeMs = msOf(options.maxBacklogAge ?? pluginSettings.maxBacklogAge.default)
  const readiness = new Readiness({
    inbox,
    clockSkew,
    maxBacklogAgeMs,
    needsNoBacklog: options.readyNeedsNoBacklog,
    log
  })
  const metering = new Metering(options.metrics)
  const tracing: FindTracing = () => traces.current
  const graceMs = msOf(options.grace ?? pluginSettings.grace.default)
  const retention = readRetention(options)
  const concurrency = options.concurrency ?? pluginSettings.concurrency.default
  const alarms = new Alarms({
    given: options.alarms,
    onAlarm,
    inbox,
    subject: () => ({
      endpoints: managed.alarmEndpoints(),
      health: () => readiness.check(),
      registrations: () => riverhook.registrations(),
      maxBacklogAgeMs,
      retention
    }),
    isReady: async () => (await riverhook.health()).ready,
    log
  })

  let dispatcher: Dispatcher | undefined
  let kept: readonly KeptEndpoints[] | undefined
  let serving: Repeated | undefined
  let endRetention: (() => Promise<void>) | undefined
  let endCompiling: (() => void) | undefined
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
    counts,
    onRejected,
    clockSkew,
    tracing,
    isRefusing: () => draining.isRefusing
  })
  const served = receivers.routes.map((route) => route.served)

  const riverhook: Riverhook = {
    ...(registry.registrar() as Registrar),
    inbox,
    receive: (request) => receiveAt(served, request, log),
    async start() {
      await open()
      watch()
    },
    stop: () => (stopped ??= end()),
    drain: (how) => draining.drain(how),
    health: async () => (draining.isLeaving ? { ready: false, reasons: ['shutting down'] } : readiness.check()),
    metrics: () => metering.text(),
    alarms: () => alarms.list(),
    acknowledgeAlarms: (given, how) => acknowledgeAlarms({ inbox, audit }, given, how),
    checkFilter,
    planReplay: (filter, how) => replays.plan(filter, how),
    startReplay: (filter, how) => replays.start(filter, how),
    jobs: ({ limit } = {}) => replays.list(limit),
    job: (id) => replays.find(id),
    stopJob: (id, how) => replays.stop(id, how),
    replay: (filter, { by } = {}) => replays.replay(filter, by),
    retryQuarantined: (id, { by } = {}) => recovery.retry(id, by),
    removeEvents: (keys, how) => removeEvents({ inbox, audit }, keys, how),
    eraseEvents: (keys, how) => eraseEvents({ inbox, audit }, keys, how),
    pauseHandler: (name, how) => pauseHandler({ inbox, audit, own: registry.all }, name, how),
    resumeHandler: (name, how) => resumeHandler({ inbox, audit, own: registry.all }, name, how),
    acknowledgeMismatches: (kinds, how) => acknowledgeMismatches({ inbox, audit }, kinds, how),
    registrations: () => kept?.flatMap((each) => each.registrations()) ?? [],
    syncRegistration: async (path, { dryRun = false, by } = {}) => {
      const registration = findRegistration(kept, path)
      if (dryRun) return registration.sync({ dryRun })
      return audit.runOutside(
        { action: 'registration.sync', target: path, by },
        () => registration.sync({ dryRun }),
        syncResult
      )
    },
    failures: (request) => findFailures(inbox, request, (failure) => maskError(sources, inbox, failure)),
    relatedEvents: (key, { limit }) => relatedEvents(inbox, key, limit),
    previousEvent: (key) => previousEvent(inbox, key),
    mismatches: (event) => eventMismatches({ endpoints, sources, log }, event),
    mask: (event) => maskEvent(sources, event),
    maskList: (events) => maskSummaries(sources, inbox, events),
    traceOf: (event) => traceOf(event, options.trace?.url),
    backfill: (span, { by } = {}) => managed.backfill(checkBackfillSpan(span), { by })
  }
  return { riverhook, routes: receivers.routes, load, open, watch }

  function open(): Promise<void> {
    if (stopped !== undefined)
      throw new RiverhookError('RIVERHOOK_INBOX_CLOSED', 'This receiver was stopped; create another one')
    return (opened ??= inOwnContext(openAll))
  }

  async function openAll(): Promise<void> {
    await load(handlersMs)
    registry.seal()
    sources.checkHandlers(registry.all)
    await metering.start(() => ({
      endpoints: endpoints.map(({ path, realm, backfill }) => ({ path, realm, hasBackfill: backfill !== undefined })),
      handlers: registry.all.map((handler) => ({
        name: handler.name,
        concurrency: Math.min(handler.concurrency, concurrency)
      })),
      types: [
        ...sources.all.flatMap(({ source }) => source.types),
        ...registry.all.flatMap(({ pattern }) => (isOneType(pattern) ? pattern : []))
      ],
      inbox,
      version: packageVersion(),
      canRecord: async () => (await readiness.check()).detail === undefined,
      running: () => dispatcher?.running ?? new Map(),
      registrations: () => riverhook.registrations(),
      alarms: () => alarms.raised,
      spanIds: () => traces.current?.sampledIds(),
      log
    }))
    const secrets = await receivers.checkSecrets()
    claim.take()
    await openShared(inbox).catch((error: unknown) => {
      // Another receiver may try: it has another password, for example.
      claim.release()
      throw error
    })
    for (const { level, message } of inbox.notes?.() ?? []) log[level](message)
    await traces.start({ version: packageVersion(), inbox, log })
    drift.start()
    await metering.read()
    // A signal came during the start: deliver nothing, and wait for stop().
    if (draining.isLeaving) return
    const revive = (stored: StoredEvent): AnyEvent => sources.revive(stored)
    const redact = (text: string, stored: StoredEvent): string => sources.redact(text, stored)
    dispatcher = new Dispatcher({
      inbox,
      handlers: registry,
      revive,
      redact,
      retry,
      concurrency,
      log,
      tracing: tracing(),
      onError,
      onDead
    })
    await dispatcher.start()
    replays.keep()
    alarms.begin()
    endRetention = keepRetention(inbox, { spans: retention, log })
    serving = await keepServed(inbox, endpoints, log)
    endCompiling = compileAhead(
      sources.all.map((each) => ({
        ...each,
        modes: endpoints.flatMap(({ source, validate }) => (source === each.source ? validate : []))
      }))
    )
    log.info(
      {
        version: packageVersion(),
        endpoints: endpoints.map(({ path, source }) => ({
          path,
          source: source.name,
          secrets: secrets.get(path) ?? 0
        })),
        inbox: address === undefined ? inbox.name : describeAddress(address),
        handlers: registry.all.map(({ name }) => name)
      },
      'started'
    )
  }

  function watch(): void {
    if (!draining.isLeaving) kept ??= inOwnContext(() => managed.keep())
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
    // 3. Hand back replay jobs, and answer the requests that are being recorded.
    await replays.end()
    await recorder.drained()
    // 4. Store the counts of mismatches and of requests, and let another process raise the alarms.
    await drift.end()
    await counts.end()
    await alarms.end()
    // 5. Purge and count nothing any more, and no longer store which realms are served.
    await endRetention?.()
    await serving?.end()
    metering.end()
    endCompiling?.()
    // 6. Release the inbox and its leases; unless a command of this process still uses it.
    await closeShared(inbox).finally(() => {
      claim.release()
    })
  }
}
