import type { FastifyInstance } from 'fastify'

import type { Riverhook } from '../index.ts'
import type { AdminOptions } from './admin.ts'
import { knownError } from './answer-error.ts'
import { findVisitor, type Ways } from './authenticate.ts'
import { limitsOf } from './limits.ts'
import { ProxyLogin } from './proxy.ts'
import { demand, hidden, refuse } from './serve-route.ts'
import { Tokens } from './tokens.ts'

/** The options of `metricsRoute`. */
export interface MetricsRouteOptions extends Pick<AdminOptions, 'tokens' | 'proxy'> {
  readonly riverhook: Pick<Riverhook, 'metrics'>
  readonly contentType: string
  /** Whether it needs no login. */
  readonly isOpen: boolean
}

/** `GET /metrics` for Prometheus, with a token of the scope `read` unless it is open. */
export async function metricsRoute(app: FastifyInstance, options: MetricsRouteOptions): Promise<void> {
  const { riverhook, contentType, isOpen, tokens, proxy } = options
  const ways: Ways = {
    tokens: tokens === undefined ? undefined : new Tokens(tokens, app.log),
    sessions: undefined,
    proxy: proxy === undefined ? undefined : new ProxyLogin(proxy),
    authenticate: undefined,
    limits: await limitsOf(app)
  }
  app.setErrorHandler((error, _request, reply) => {
    if (knownError(error) === undefined) throw error
    return refuse(reply, error)
  })
  app.get('/metrics', { exposeHeadRoute: false, schema: hidden }, async (request, reply) => {
    if (!isOpen) demand(await findVisitor(request, ways), 'read')
    return reply
      .type(contentType)
      .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      .send(await riverhook.metrics())
  })
}
