import type { FastifyInstance } from 'fastify'

/** `GET /health/live`: the process answers. `GET /health/ready`: it takes requests, or 503 with the reasons why not. */
export function healthRoutes(app: FastifyInstance): void {
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    const { ready, reasons } = await app.riverhook.health()
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reasons })
  })
}
