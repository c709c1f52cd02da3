import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import { riverhook, type RiverhookOptions } from '../../src/index.ts'

/** A receiver that listens, with a handler that records its events. */
export async function startHost(
  t: Test,
  options: RiverhookOptions
): Promise<{ app: FastifyInstance; address: string; handled: string[] }> {
  const app = Fastify()
  const handled: string[] = []
  await app.register(riverhook, { inbox: 'memory:', ...options })
  app.riverhook.on('*', { name: 'note' }, ({ id }) => {
    handled.push(id)
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return { app, address: `${origin}/webhooks/${options.source?.name ?? 'digital-river'}`, handled }
}
