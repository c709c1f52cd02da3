import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'

import { RiverhookError } from '../index.ts'

/** Failed logins of a peer in a minute. */
const mostFailedLogins = 10
/** Acts of an operator in a minute. */
const mostActs = 60

/** A request over a limit. The answer says when to try again. */
export class OverLimit extends RiverhookError {
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number) {
    super('RIVERHOOK_ADMIN_RATE', `${message}; try again in ${retryAfterSeconds} s`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export interface Limits {
  /**
   * Counts a failed login. Right tokens are accepted from the same address meanwhile: others may share it, such as
   * those behind a proxy, and 32 random bytes cannot be guessed.
   * @throws {OverLimit}
   */
  failedLogin(request: FastifyRequest): Promise<void>
  /** Counts an act. @throws {OverLimit} */
  act(request: FastifyRequest, operator: string): Promise<void>
}

/** Adds the limits to the scope of the API. Routes of the host have none. */
export async function limitsOf(api: FastifyInstance): Promise<Limits> {
  await api.register(rateLimit, { global: false })
  const operators = new WeakMap<FastifyRequest, string>()
  // The host may have registered the package with a list of exceptions, which is not ours.
  const shared = { timeWindow: 60_000, allowList: () => false, ban: -1, skipOnError: false }
  const logins = api.createRateLimit({
    ...shared,
    max: mostFailedLogins,
    keyGenerator: ({ socket }) => `riverhook-login ${normalizeIP(socket.remoteAddress ?? 'unknown')}`
  })
  const acts = api.createRateLimit({
    ...shared,
    max: mostActs,
    keyGenerator: (request) => `riverhook-act ${operators.get(request) ?? ''}`
  })
  const tooMany = 'Too many failed logins from this address'
  return {
    async failedLogin(request) {
      const state = await logins(request)
      if (state.isAllowed) return
      const { remoteAddress: peer } = request.socket
      if (state.remaining === mostFailedLogins - 1) request.log.warn({ peer }, 'login failed: wrong token')
      if (state.remaining === 0 && !state.isExceeded)
        request.log.warn(
          { peer, failed: mostFailedLogins },
          'login failed too often; further ones are not logged for a minute'
        )
      if (state.isExceeded) throw new OverLimit(tooMany, state.ttlInSeconds)
    },
    async act(request, operator) {
      operators.set(request, operator)
      const state = await acts(request)
      if (!state.isAllowed && state.isExceeded)
        throw new OverLimit(`At most ${mostActs} actions a minute are accepted from an operator`, state.ttlInSeconds)
    }
  }
}
