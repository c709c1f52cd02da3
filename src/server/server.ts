import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers'

import closeWithGrace from 'close-with-grace'
import Fastify, { LogController, type FastifyInstance } from 'fastify'

import { loggedError, pluginSettings, riverhook, toMs } from '../index.ts'
import { inVariables, type ServerConfig } from './config.ts'
import { healthRoutes } from './health.ts'
import { logOutput } from './log-output.ts'
import { answerOf, refuseBroken, refuseOnSocket } from './refuse.ts'

/** Headers that carry credentials never reach a log line, whoever writes it. */
const redacted = ['req.headers.authorization', 'req.headers["digitalriver-signature"]', 'headers.authorization', 'headers["digitalriver-signature"]']

/**
 * The standalone server, not listening yet.
 * @throws {RiverhookError} what the plugin throws
 */
export async function createServer({ options, logLevel, warnings, watch }: ServerConfig): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: logLevel, redact: redacted, stream: logOutput(1) },
    // One line for each event is enough, and riverhook writes it.
    logController: new LogController({ disableRequestLogging: true }),
    // Digital River gives up after 3 s; who sends a body more slowly than this only holds a connection.
    requestTimeout: 10_000,
    frameworkErrors: (_error, _request, reply) => { refuseBroken(reply) },
    clientErrorHandler: refuseOnSocket
  })
  for (const warning of warnings) app.log.warn(warning)
  const endWatch = watch?.((message) => { app.log.error(message) })
  app.addHook('onClose', async () => { endWatch?.() })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(answerOf('RIVERHOOK_RECEIVE_NOT_FOUND', 'Nothing is served here')))
  try {
    await app.register(riverhook, options)
  } catch (error) {
    throw inVariables(error)
  }
  healthRoutes(app)
  return app
}

/** Serves until SIGTERM or SIGINT, then drains within the grace period, closes the store and ends with exit code 0. */
export async function serve(config: ServerConfig): Promise<FastifyInstance> {
  const app = await createServer(config)
  const signals = closeOnSignals(app, config.options.grace)
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    signals.uninstall()
    await app.close()
    throw error
  }
  return app
}

/**
 * In a clone, `npm run` is told to end and hands that to a shell, which ends without telling us: the server would stay behind, with the port and
 * the inbox. So it ends when its parent is gone. Of another package's script nothing is known: it may mean to leave its server behind.
 * @returns a function that stops looking: a server that is ending already would take a second signal as the wish to end at once
 */
function endWithNpm(): () => void {
  if (process.env['npm_package_name'] !== 'riverhook' || process.env['npm_lifecycle_event'] === undefined) return () => undefined
  const parent = process.ppid
  const timer = setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM') }, 500)
  timer.unref()
  return () => { clearInterval(timer) }
}

/** How long the requests that are under way at a shutdown may take: Digital River itself gives up after 3,000 ms. */
const answerMs = 3_000

/** A second signal ends the process at once. */
export function closeOnSignals(app: FastifyInstance, grace: number | string = pluginSettings.grace.default): { uninstall(): void } {
  // The grace period is for the handlers; the rest of the time is for storing what they did.
  const delay = (toMs(grace) ?? 0) + 10_000
  const stopLooking = endWithNpm()
  const { uninstall } = closeWithGrace({ delay, logger: false }, async ({ signal, err }) => {
    stopLooking()
    if (err !== undefined) app.log.fatal({ err: loggedError(err) }, 'ending because of an error that nothing caught')
    else app.log.info({ signal }, 'shutting down')
    const startedAt = performance.now()
    await app.riverhook.drain()
    // Requests that are under way are answered by then; a body that never ends must not hold up the end.
    const cut = setTimeout(() => { app.server.closeAllConnections() }, Math.max(0, answerMs - (performance.now() - startedAt)))
    await app.close()
    clearTimeout(cut)
    app.log.info('stopped')
  })
  return {
    uninstall() {
      stopLooking()
      uninstall()
    }
  }
}
