import { Readable } from 'node:stream'

import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'

import { loggedError, RiverhookError, type Actor, type Riverhook } from '../index.ts'
import { answerError, knownError } from './answer-error.ts'
import { findVisitor, type Ways } from './authenticate.ts'
import { serializerCompiler, validatorCompiler } from './compile-schema.ts'
import { refuseCrossSite } from './cross-site.ts'
import { OverLimit, type Limits } from './limits.ts'
import type { Visitor } from './operator.ts'
import type { Plans } from './plan.ts'
import {
  AdminAnswer,
  type AdminContext,
  type AdminRequest,
  type AdminRoute,
  type OpenContext,
  type SessionAccess
} from './route.ts'
import type { Scope } from './scope.ts'
import type { Tails } from './tails.ts'

/** The parts that all routes share. */
export interface Served {
  readonly riverhook: Riverhook
  readonly tails: Tails
  readonly plans: Plans
  readonly ways: Ways & { readonly limits: Limits }
}

/** The most bytes of a body. */
export const bodyLimit = 64 * 1024

/** Hides a route in the document that @fastify/swagger makes of the host's own routes. */
export const hidden: FastifySchema & { readonly hide: true } = { hide: true }

/** Adds a route of the table to the scope of the API. */
export function serveRoute(api: FastifyInstance, route: AdminRoute, served: Served): void {
  const visitors = new WeakMap<FastifyRequest, Visitor>()
  const { summary: _summary, media: _media, ...schemas } = route.schema
  const schema: FastifySchema = { ...schemas, ...hidden }
  api.route({
    method: route.method,
    exposeHeadRoute: false,
    url: `/${route.path}`,
    bodyLimit,
    schema,
    validatorCompiler,
    serializerCompiler,
    // Before the body is read.
    onRequest: (request) =>
      withKnownErrors(request, async () => {
        const visitor = await findVisitor(request, served.ways)
        refuseCrossSite(request, visitor)
        if (visitor !== undefined) visitors.set(request, visitor)
        if (route.scope === 'none') return
        const { name } = demand(visitor, route.scope)
        if (route.method !== 'GET') await served.ways.limits.act(request, name)
      }),
    handler: (request, reply) =>
      withKnownErrors(request, async () =>
        send(reply, await handle(route, request, reply, visitors.get(request), served))
      )
  })
}

/** Logs an error that is not thrown on purpose, and throws another one for the operator. */
async function withKnownErrors<Result>(request: FastifyRequest, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (knownError(error) !== undefined) throw error
    request.log.error({ err: loggedError(error) }, "internal error in the operator's API")
    throw new RiverhookError('RIVERHOOK_ADMIN_FAULT', 'Internal error; the log has the details', { cause: error })
  }
}

/** The `Retry-After` of errors that pass, in seconds. */
const pauses: Readonly<Record<number, number>> = { 429: 1, 503: 5 }

/** Sends an error in the common form. */
export function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const answer = answerError(error)
  if (answer.statusCode === 401) reply.header('www-authenticate', 'Bearer realm="riverhook"')
  const wait = error instanceof OverLimit ? error.retryAfterSeconds : pauses[answer.statusCode]
  if (wait !== undefined) reply.header('retry-after', wait)
  return reply.code(answer.statusCode).type('application/json; charset=utf-8').serializer(JSON.stringify).send(answer)
}

/** Refuses what no route takes. @throws {RiverhookError} RIVERHOOK_ADMIN_NOT_FOUND */
export async function refuseUnknown(): Promise<never> {
  throw new RiverhookError('RIVERHOOK_ADMIN_NOT_FOUND', 'There is no route with this path and method')
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_UNAUTHENTICATED, RIVERHOOK_ADMIN_FORBIDDEN */
export function demand(visitor: Visitor | undefined, scope: Scope): Visitor {
  if (visitor === undefined) throw new RiverhookError('RIVERHOOK_ADMIN_UNAUTHENTICATED', 'Log in first')
  if (!visitor.scopes.has(scope))
    throw new RiverhookError('RIVERHOOK_ADMIN_FORBIDDEN', `This needs the scope "${scope}", which you do not have`)
  return visitor
}

async function handle(
  route: AdminRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  visitor: Visitor | undefined,
  { riverhook, tails, plans, ways }: Served
): Promise<unknown> {
  const shared = {
    riverhook,
    tails,
    plans,
    scopes: visitor?.scopes ?? new Set<Scope>(),
    signal: goneSignal(reply),
    log: request.log
  }
  const { params, query, body, headers } = request
  const input: AdminRequest = { params, query, body, headers }
  if (route.scope === 'none') {
    const actor = visitor && actorOf(visitor, request)
    const context: OpenContext = { ...shared, visitor, actor, session: sessionAccess(request, ways) }
    return route.handle(context, input)
  }
  if (visitor === undefined) throw new TypeError(`the route ${route.path} was reached without an operator`)
  const context: AdminContext = { ...shared, actor: actorOf(visitor, request) }
  return route.handle(context, input)
}

function sessionAccess(request: FastifyRequest, { sessions, limits }: Served['ways']): SessionAccess {
  return {
    canLogIn: sessions !== undefined,
    begin(token) {
      const begun = sessions?.begin(token, request)
      return begun && { ...begun, actor: actorOf(begun.visitor, request) }
    },
    failed: () => limits.failedLogin(request),
    endingHeaders: () => (sessions === undefined ? {} : { 'set-cookie': sessions.endingCookie(request) })
  }
}

function actorOf({ name, via }: Visitor, request: FastifyRequest): Actor {
  return { name, via, peer: request.socket.remoteAddress, requestId: request.id }
}

/** Aborted when the connection or the answer has ended. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => {
    controller.abort()
  })
  return controller.signal
}

function send(reply: FastifyReply, answer: unknown): FastifyReply {
  if (!(answer instanceof AdminAnswer)) return reply.send(answer)
  // A stream may end after the server began to close. Its connection must not stay open until a client ends it.
  if (answer.body instanceof Readable) void reply.header('connection', 'close')
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
}
