import type { FastifyInstance } from 'fastify'

import type { Riverhook } from '../index.ts'

/** The options of `healthRoute`. */
export interface HealthOptions {
  readonly riverhook: Pick<Riverhook, 'health' | 'registrations'>
}

/** Ordered from best to worst. */
const statuses = ['pass', 'warn', 'fail'] as const

type Status = (typeof statuses)[number]

/**
 * `GET /health` for probes and people, without a login: `{ status, checks }`, in the form of health+json. Answers 503
 * if a check fails. A backlog is a warning: events are recorded all the same. Shows no path, no address and no error.
 */
export async function healthRoute(app: FastifyInstance, { riverhook }: HealthOptions): Promise<void> {
  app.get('/health', { exposeHeadRoute: false }, async (_request, reply) => {
    const { detail, reasons, warnings = {}, freeShare, clockSkewMs } = await riverhook.health()
    const judge = (check: keyof typeof warnings): Status => (warnings[check] === undefined ? 'pass' : 'warn')
    const states = riverhook
      .registrations()
      .map(({ state, lastError }) => state === 'changed' || lastError !== undefined)
    const checks: Readonly<Record<string, Status>> = {
      inbox: detail === undefined ? 'pass' : 'fail',
      backlog: judge('backlog'),
      ...(freeShare === undefined ? {} : { disk: judge('disk') }),
      ...(clockSkewMs === undefined ? {} : { clock: judge('clock') }),
      ...(states.length === 0 ? {} : { registration: states.includes(true) ? 'warn' : 'pass' })
    }
    const worst = Math.max(...Object.values(checks).map((status) => statuses.indexOf(status)))
    const status = statuses[worst] ?? 'fail'
    return reply
      .code(status === 'fail' ? 503 : 200)
      .type('application/health+json; charset=utf-8')
      .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      .serializer(JSON.stringify)
      .send({ status, checks, reasons: [...new Set([...reasons, ...Object.values(warnings)])] })
  })
}
