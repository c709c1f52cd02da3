import type { FastifyInstance } from 'fastify'

/**
 * `GET /health/live`: the process runs. `GET /health/ready`: it accepts requests; otherwise 503 with the reasons. The
 * port is public, so details such as the path of a file or the name of a database are only logged.
 */
export function healthRoutes(app: FastifyInstance): void {
  let logged: string | undefined
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    const { ready, reasons, detail } = await app.riverhook.health()
    if (detail !== logged && detail !== undefined) app.log.error({ detail }, `not ready: ${reasons.join('; ')}`)
    logged = detail
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reasons })
  })
}
