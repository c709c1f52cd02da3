import type { FastifyInstance } from 'fastify'

/**
 * `GET /health/live`: the process answers. `GET /health/ready`: it takes requests, or 503 with the reasons why not.
 * The port is the one that the world can reach: details, such as the path of a file or the name of a database, are
 * for the log.
 */
export function healthRoutes(app: FastifyInstance): void {
  let told: string | undefined
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    const { ready, reasons, detail } = await app.riverhook.health()
    if (detail !== told && detail !== undefined) app.log.error({ detail }, `not ready: ${reasons.join('; ')}`)
    told = detail
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reasons })
  })
}
