import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers'

import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance } from 'fastify'

import { loggedError, riverhook, RiverhookError, type RiverhookOptions } from '../index.ts'
import { checkInboxAddress, optionRules, pluginSettings, toMs } from '../programs.ts'
import { BoundedLog } from './bounded-log.ts'
import type { ServerConfig } from '../options/environment.ts'
import { listEndpoints } from '../options/list-endpoints.ts'
import { inVariables } from '../options/merge-settings.ts'
import { addAdminListener } from './admin-listener.ts'
import { endOnFault } from './end-on-fault.ts'
import { healthRoutes } from './health.ts'
import { LastAnswers } from './last-answers.ts'
import { limitedHttp } from './limited-http.ts'
import { listenAddress } from './listen-address.ts'
import { logOutput } from './log-output.ts'
import { serverMetrics } from './metrics.ts'
import { answerNotFound } from './not-found.ts'
import { BrokenRequests } from './refuse.ts'
import { defaultSource } from '../options/default-source.ts'
import { serverSettings } from '../options/server-settings.ts'
import { tokenEndpointSettings } from '../options/token-settings.ts'

/** How long a start may take: a large inbox, or a lock of the database, needs more than the 10 s of Fastify. */
const longestStartMs = 600_000

/**
 * The paths of headers that carry credentials. They never reach a log line, whether Riverhook, Fastify or a plugin
 * writes it.
 */
function redactedPaths(options: RiverhookOptions): string[] {
  const sources = [defaultSource(), ...listEndpoints(options).map(({ source }) => source)]
  const names = new Set(['authorization', ...sources.flatMap(({ signatureHeaders = [] }) => signatureHeaders)])
  return [...names].flatMap((name) => [`req.headers["${name}"]`, `headers["${name}"]`])
}

export interface ServerOptions {
  /** Where log lines go. Default: the standard output. */
  readonly log?: { write(line: string): void }
  /** False: the operator's API is checked, and does not listen. */
  readonly listens?: boolean
}

/**
 * The standalone server, not listening yet.
 * @throws {RiverhookError} what the plugin throws, and the operator's API
 */
export async function createServer(
  config: ServerConfig,
  { log = logOutput(1), listens = true }: ServerOptions = {}
): Promise<FastifyInstance> {
  const {
    options,
    logLevel,
    warnings,
    watch,
    requestTimeout = defaults.requestTimeout,
    maxConnections = defaults.maxConnections
  } = config
  const broken = new BrokenRequests()
  const app = Fastify({
    pluginTimeout: longestStartMs,
    trustProxy: config.trustProxy === undefined ? false : [...config.trustProxy],
    logger: { level: logLevel, redact: redactedPaths(options), stream: log },
    ...limitedHttp(requestTimeout, broken)
  })
  broken.watch(app.server)
  limitConnections(app, maxConnections)
  // The endpoints have their own parser. Bodies sent to other paths are not read.
  app.removeAllContentTypeParsers()
  for (const warning of warnings) app.log.warn(warning)
  if (config.configFile !== undefined) {
    const { path, overriddenBy } = config.configFile
    app.log.info(
      { file: path, ...(overriddenBy.length === 0 ? {} : { overridden_by: overriddenBy }) },
      'config file read'
    )
  }
  const endWatch = watch?.((message) => {
    app.log.error(message)
  })
  app.addHook('onClose', async () => {
    endWatch?.()
  })
  answerNotFound(
    app,
    listEndpoints(options).flatMap(({ path, given: { tokenEndpoint } }) =>
      tokenEndpoint === undefined ? [path] : [path, tokenEndpoint.path ?? tokenEndpointSettings.path.default]
    )
  )
  const metrics = await serverMetrics(config)
  try {
    await app.register(riverhook, metrics === undefined ? options : { ...options, metrics })
  } catch (error) {
    throw inVariables(error, config.origin)
  }
  healthRoutes(app)
  if (config.admin !== undefined)
    await addAdminListener(app, config.admin, {
      requestTimeout,
      metrics: metrics?.registry,
      origin: config.origin,
      listens
    })
  return app
}

const defaults = {
  requestTimeout: toMs(serverSettings.requestTimeout.default) ?? 0,
  maxConnections: serverSettings.maxConnections.default,
  drainDelay: toMs(serverSettings.drainDelay.default) ?? 0
}

function limitConnections(app: FastifyInstance, most: number): void {
  const drops = new BoundedLog({ lines: 1 })
  app.server.maxConnections = most
  app.server.on('drop', () => {
    drops.log((more) => {
      app.log.warn({ max_connections: most, ...more }, 'connection closed: RIVERHOOK_MAX_CONNECTIONS are open already')
    })
  })
}

/**
 * Serves until SIGTERM or SIGINT, then waits for `drainDelay` while requests are still recorded, drains within the
 * grace period, closes the store and ends with exit code 0. `end()` in `riverhook.ts` lists the steps of the shutdown.
 */
export async function serve(config: ServerConfig): Promise<FastifyInstance> {
  const app = await createServer(config)
  // In a terminal there is no load balancer, and Ctrl-C should end the process at once.
  const drainDelay = config.drainDelay ?? (process.stdout.isTTY || process.stdin.isTTY ? 0 : defaults.drainDelay)
  const signals = closeOnSignals(app, { grace: config.options.grace, drainDelay })
  try {
    await app.listen({ host: await listenAddress(config.host), port: config.port })
  } catch (error) {
    // Not a failure: a signal during the start closed the app.
    if (signals.isEnding) return app
    signals.uninstall()
    await app.close()
    throw error
  }
  return app
}

/**
 * Checks the configuration as far as `serve` does before it opens the inbox: the options, the secrets, and the
 * handlers, which are loaded. Opens no port and not the inbox. Warnings go to the log.
 * @throws {RiverhookError} what `serve` throws
 */
export async function checkServer(config: ServerConfig): Promise<void> {
  const { inbox = pluginSettings.inbox.default } = config.options
  const problems: RiverhookError[] = []
  // A person who repairs one mistake should not meet the next one only then.
  const collect = (error: unknown): undefined => {
    if (!(error instanceof RiverhookError)) throw error
    problems.push(error)
  }
  try {
    if (typeof inbox === 'string') checkInboxAddress(inbox)
  } catch (error) {
    collect(error)
  }
  const app = await createServer(
    { ...config, options: { ...config.options, inbox: 'memory:' } },
    { listens: false }
  ).catch(collect)
  try {
    await app?.ready()
  } catch (error) {
    collect(error)
  } finally {
    await app?.close()
  }
  const [first, ...others] = problems
  if (first === undefined) return
  throw others.length === 0
    ? first
    : new RiverhookError(first.code, optionRules.joinProblems(problems.map(({ message }) => message)))
}

/**
 * Ends the server when `npm run` ends in a clone. npm passes SIGTERM to a shell, which exits without passing it on, and
 * the server would keep the port and the inbox. So the server ends when its parent has gone. A script of another
 * package is left alone: it may start the server on purpose and exit.
 * @returns a function that stops watching: a server that is shutting down would take a second signal as the wish to end
 * at once
 */
function endWithNpm(): () => void {
  if (process.env['npm_package_name'] !== 'riverhook' || process.env['npm_lifecycle_event'] === undefined)
    return () => undefined
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM')
  }, 500)
  timer.unref()
  return () => {
    clearInterval(timer)
  }
}

/** How long requests in progress may take at shutdown: the default provider gives up by then. */
const { answerMs } = defaultSource().limits

/** The signals that end the server. */
const signalNames = ['SIGTERM', 'SIGINT'] as const

export interface ClosingOptions {
  readonly grace?: number | string | undefined
  /** Milliseconds. Default 0. */
  readonly drainDelay?: number
}

/**
 * Closes the app at SIGTERM or SIGINT, after `drainDelay`, in which requests are still recorded. A second signal ends
 * that delay. A signal during the closing ends the process at once. An uncaught error ends it without a delay.
 */
export function closeOnSignals(
  app: FastifyInstance,
  { grace = pluginSettings.grace.default, drainDelay = 0 }: ClosingOptions = {}
): { readonly isEnding: boolean; uninstall(): void } {
  // The grace period is for the handlers; the rest of the time is for storing their outcomes.
  const delay = (toMs(grace) ?? 0) + 10_000
  const stopWatching = endWithNpm()
  let phase: 'serving' | 'leaving' | 'closing' = 'serving'
  let timer: NodeJS.Timeout | undefined
  const fault = endOnFault(app)
  const lastAnswers = new LastAnswers(app.server)
  const closing = closeWithGrace(
    { delay, logger: false, skip: [...signalNames, 'uncaughtException', 'unhandledRejection'] },
    async ({ signal }) => {
      phase = 'closing'
      clearTimeout(timer)
      lastAnswers.begin()
      stopWatching()
      if (signal !== undefined) app.log.info({ signal }, 'shutting down')
      const startedAt = performance.now()
      await app.riverhook.drain()
      // Requests in progress are answered by then. A body that never ends must not delay the exit.
      const cut = setTimeout(
        () => {
          app.server.closeAllConnections()
        },
        Math.max(0, answerMs - (performance.now() - startedAt))
      )
      await app.close()
      clearTimeout(cut)
      app.log.info('stopped')
      if (fault.hasHappened) process.exit(1)
    }
  )
  const onSignal = (signal: NodeJS.Signals): void => {
    if (phase === 'closing') process.exit(1)
    if (phase === 'leaving') {
      app.log.info({ signal }, 'second signal: ending the drain delay')
      closing.close()
      return
    }
    phase = 'leaving'
    stopWatching()
    lastAnswers.begin()
    app.log.info({ signal, drain_delay_ms: drainDelay }, 'shutting down')
    if (drainDelay === 0) {
      closing.close()
      return
    }
    // The delay and the grace period of the handlers run at the same time.
    app.riverhook.drain({ delay: drainDelay }).catch((error: unknown) => {
      app.log.error({ err: loggedError(error) }, 'draining failed')
    })
    timer = setTimeout(() => {
      closing.close()
    }, drainDelay)
  }
  for (const name of signalNames) process.on(name, onSignal)
  return {
    get isEnding() {
      return phase !== 'serving'
    },
    uninstall() {
      stopWatching()
      fault.uninstall()
      closing.uninstall()
      for (const name of signalNames) process.off(name, onSignal)
    }
  }
}
