import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parse } from 'secure-json-parse'

import { RiverhookError, type Log, type Riverhook } from '../index.ts'
import { optionRules } from '../programs.ts'
import { knownError } from './answer-error.ts'
import type { Ways } from './authenticate.ts'
import { basePath } from './base-path.ts'
import { addHeaders } from './headers.ts'
import { isAcceptedHost, nameOfHost } from './hosts.ts'
import { limitsOf } from './limits.ts'
import type { Authenticate } from './operator.ts'
import { servePage } from './page.ts'
import { Plans } from './plan.ts'
import { ProxyLogin, type ProxyOptions } from './proxy.ts'
import { routes } from './routes/index.ts'
import { bodyLimit, hidden, refuse, refuseUnknown, serveRoute } from './serve-route.ts'
import { acceptCookies, Sessions } from './session.ts'
import { Tails } from './tails.ts'
import { Tokens, type TokenLines } from './tokens.ts'

/** The options of the operator's API. At least one of `authenticate`, `tokens` and `proxy` is needed. */
export interface AdminOptions {
  /** Your own login. */
  readonly authenticate?: Authenticate | undefined
  /**
   * Tokens of programs and people, as lines `name scope[,scope] sha256:HEX` that `riverhook admin token` makes. A
   * function returns them as they are now. Keep them as secret as the tokens: sessions are signed with them.
   */
  readonly tokens?: TokenLines | undefined
  /** The login of a proxy in front. */
  readonly proxy?: ProxyOptions | undefined
  /** The names under which browsers reach it, without a port. Addresses and `localhost` need not be listed. */
  readonly hosts?: readonly string[] | undefined
  /** Default: `app.riverhook`. */
  readonly riverhook?: Riverhook | undefined
}

const { checkAgainst, isFunction, isListOf, isObject, isObjectOf, isText } = optionRules

const texts = isListOf(isText, 'a list of texts that are not empty')
const rules = {
  authenticate: isFunction,
  tokens: {
    expected: 'lines, as a text or a list, or a function that returns a list',
    accepts: (value: unknown) =>
      ['string', 'function'].includes(typeof value) ||
      (Array.isArray(value) && value.every((line) => typeof line === 'string'))
  },
  proxy: isObjectOf(
    { header: isText, from: texts, operators: isListOf(isObject, 'a list of { name, scopes }') },
    'an object such as { header, from }',
    ['header', 'from']
  ),
  hosts: texts,
  riverhook: isObject
}

/** Fastify passes its own options of `register()` along with ours. */
const optionsOfRegister = ['prefix', 'logLevel', 'logSerializers']

/**
 * Serves the operator's API below `api/v1/`, and the page. Register it after the receiver:
 * `app.register(admin, { prefix: '/ops/riverhook', authenticate })`.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_NO_LOGIN, RIVERHOOK_OPTIONS_INVALID
 */
export async function admin(app: FastifyInstance, options: AdminOptions): Promise<void> {
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => !optionsOfRegister.includes(name)))
  checkAgainst(rules, own, "The operator's API")
  const riverhook = options.riverhook ?? receiverOf(app)
  const ways = waysOf(options, app.log)
  const pathOf = (request: FastifyRequest): string => basePath(request, app.prefix, ways.proxy?.addresses)
  const sessions = ways.tokens === undefined ? undefined : new Sessions(ways.tokens, pathOf)
  await addHeaders(app)
  refuseUnknownHosts(app, options.hosts ?? [])
  await app.register(
    async (api) => {
      await acceptCookies(api)
      const limits = await limitsOf(api)
      const tails = new Tails()
      api.addHook('preClose', (done) => {
        tails.end()
        done()
      })
      const served = {
        riverhook,
        tails,
        plans: new Plans(riverhook.inbox),
        pathOf,
        ways: { ...ways, sessions, limits }
      }
      api.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-store')
      })
      answerErrors(api)
      acceptJson(api)
      for (const route of routes) serveRoute(api, route, served)
    },
    { prefix: '/api/v1' }
  )
  await app.register(servePage)
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_NO_LOGIN, RIVERHOOK_OPTIONS_INVALID */
function waysOf(
  { authenticate, tokens, proxy }: AdminOptions,
  log: Pick<Log, 'error'>
): Pick<Ways, 'authenticate' | 'tokens' | 'proxy'> {
  if (authenticate === undefined && tokens === undefined && proxy === undefined)
    throw new RiverhookError(
      'RIVERHOOK_ADMIN_NO_LOGIN',
      'The operator\'s API does not know who may log in: pass the option "authenticate", "tokens" or "proxy"; for riverhook serve, set RIVERHOOK_ADMIN_TOKENS_FILE, or RIVERHOOK_ADMIN_PROXY_HEADER and RIVERHOOK_ADMIN_PROXY_FROM'
    )
  return {
    authenticate,
    tokens: tokens === undefined ? undefined : new Tokens(tokens, log),
    proxy: proxy === undefined ? undefined : new ProxyLogin(proxy)
  }
}

function receiverOf(app: FastifyInstance): Riverhook {
  if (app.hasDecorator('riverhook')) return app.riverhook
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    'The operator\'s API: register the receiver first, or pass it as the option "riverhook"'
  )
}

function refuseUnknownHosts(app: FastifyInstance, hosts: readonly string[]): void {
  const listed = new Set(hosts.map((name) => name.toLowerCase()))
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (isAcceptedHost(nameOfHost(raw.headers), listed)) return
    return refuse(
      reply,
      new RiverhookError(
        'RIVERHOOK_ADMIN_HOST',
        'The name in the header Host is not listed: add it to RIVERHOOK_ADMIN_HOSTS, or to the option "hosts"'
      )
    )
  })
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
    schema: hidden,
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
