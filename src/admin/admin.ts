import type { FastifyInstance } from 'fastify'
import { parse } from 'secure-json-parse'

import { RiverhookError, type Riverhook } from '../index.ts'
import { optionRules } from '../programs.ts'
import { knownError } from './answer-error.ts'
import { authenticator } from './authenticate.ts'
import type { Authenticate } from './operator.ts'
import { routes } from './routes/index.ts'
import { refuse, refuseUnknown, serveRoute } from './serve-route.ts'

/** The options of the operator's API. */
export interface AdminOptions {
  /** Your own login. */
  readonly authenticate?: Authenticate | undefined
  /** Default: `app.riverhook`. */
  readonly riverhook?: Riverhook | undefined
}

const { checkAgainst, isFunction, isObject } = optionRules

/** Fastify passes its own options of `register()` along with ours. */
const optionsOfRegister = ['prefix', 'logLevel', 'logSerializers']

/** The most bytes of a body. */
const bodyLimit = 64 * 1024

/**
 * Serves the operator's API below `api/v1/`. Register it after the receiver:
 * `app.register(admin, { prefix: '/ops/riverhook', authenticate })`.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_NO_LOGIN, RIVERHOOK_OPTIONS_INVALID
 */
export async function admin(app: FastifyInstance, options: AdminOptions): Promise<void> {
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => !optionsOfRegister.includes(name)))
  checkAgainst({ authenticate: isFunction, riverhook: isObject }, own, "The operator's API")
  const served = { riverhook: options.riverhook ?? receiverOf(app), authenticate: authenticator(options), bodyLimit }
  await app.register(
    async (api) => {
      answerErrors(api)
      acceptJson(api)
      for (const route of routes) serveRoute(api, route, served)
    },
    { prefix: '/api/v1' }
  )
}

function receiverOf(app: FastifyInstance): Riverhook {
  if (app.hasDecorator('riverhook')) return app.riverhook
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    'The operator\'s API: register the receiver first, or pass it as the option "riverhook"'
  )
}

/** Answers errors of this API. An error of a hook of the host is answered by the host, as on its other routes. */
function answerErrors(api: FastifyInstance): void {
  api.setErrorHandler((error, _request, reply) => {
    if (knownError(error) === undefined) throw error
    return refuse(reply, error)
  })
  api.route({
    method: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'],
    url: '/*',
    // Before a body is read.
    onRequest: refuseUnknown,
    handler: refuseUnknown
  })
}

/** JSON is the only form of a body. A page of another origin cannot send it without being asked first. */
function acceptJson(api: FastifyInstance): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : parse(String(body)))
    } catch {
      done(new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'The body is not JSON'))
    }
  })
}

export default admin
