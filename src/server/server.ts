import { STATUS_CODES } from 'node:http'

import closeWithGrace from 'close-with-grace'
import Fastify, { LogController, type FastifyInstance } from 'fastify'

import { pluginSettings, riverhook, toMs } from '../index.ts'
import type { ServerConfig } from './config.ts'
import { healthRoutes } from './health.ts'

/** Headers that carry credentials never reach a log line, whoever writes it. */
const redacted = ['req.headers.authorization', 'req.headers["digitalriver-signature"]', 'headers.authorization', 'headers["digitalriver-signature"]']

/**
 * The standalone server, not listening yet.
 * @throws {RiverhookError} what the plugin throws
 */
export async function createServer({ options, logLevel, warnings }: ServerConfig): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: logLevel, redact: redacted },
    // One line for each event is enough, and riverhook writes it.
    logController: new LogController({ disableRequestLogging: true })
  })
  for (const warning of warnings) app.log.warn(warning)
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ statusCode: 404, code: 'RIVERHOOK_RECEIVE_NOT_FOUND', error: STATUS_CODES[404], message: 'Nothing is served here' })
  )
  await app.register(riverhook, options)
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

/** A second signal ends the process at once. */
export function closeOnSignals(app: FastifyInstance, grace: number | string = pluginSettings.grace.default): { uninstall(): void } {
  // The grace period is for the handlers; the rest of the time is for storing what they did.
  const delay = (toMs(grace) ?? 0) + 10_000
  return closeWithGrace({ delay, logger: false }, async ({ signal, err }) => {
    if (err !== undefined) app.log.fatal({ err }, 'ending because of an error that nothing caught')
    else app.log.info({ signal }, 'shutting down')
    await app.riverhook.drain()
    await app.close()
    app.log.info('stopped')
  })
}
