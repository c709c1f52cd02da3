import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'

import { loggedError, RiverhookError, type Actor, type Riverhook } from '../index.ts'
import { answerError, knownError } from './answer-error.ts'
import type { Visitor } from './authenticate.ts'
import { serializerCompiler, validatorCompiler } from './compile-schema.ts'
import { AdminAnswer, type AdminContext, type AdminRequest, type AdminRoute, type OpenContext } from './route.ts'
import type { Scope } from './scope.ts'

/** The parts that all routes share. */
export interface Served {
  readonly riverhook: Riverhook
  /** Finds the operator that a request comes from. */
  readonly authenticate: (request: FastifyRequest) => Promise<Visitor | undefined>
  /** The most bytes of a body. */
  readonly bodyLimit: number
}

/** Adds a route of the table to the scope of the API. */
export function serveRoute(api: FastifyInstance, route: AdminRoute, served: Served): void {
  const visitors = new WeakMap<FastifyRequest, Visitor>()
  const { summary: _summary, ...schemas } = route.schema
  // Hidden from the document that @fastify/swagger makes of the host's own routes.
  const schema: FastifySchema & { readonly hide: true } = { ...schemas, hide: true }
  api.route({
    method: route.method,
    exposeHeadRoute: false,
    url: `/${route.path}`,
    bodyLimit: served.bodyLimit,
    schema,
    validatorCompiler,
    serializerCompiler,
    // Before the body is read.
    onRequest: async (request) => {
      const visitor = await served.authenticate(request)
      if (route.scope !== 'none') demand(visitor, route.scope)
      if (visitor !== undefined) visitors.set(request, visitor)
    },
    handler: async (request, reply) => {
      const visitor = visitors.get(request)
      try {
        const answer: unknown = await handle(route, request, reply, visitor, served.riverhook)
        return await send(reply, answer)
      } catch (error) {
        if (knownError(error) !== undefined) throw error
        request.log.error({ err: loggedError(error) }, "internal error in the operator's API")
        throw new RiverhookError('RIVERHOOK_ADMIN_FAULT', 'Internal error; the log has the details', { cause: error })
      }
    }
  })
}

/** Sends an error in the common form. */
export function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const answer = answerError(error)
  return reply.code(answer.statusCode).type('application/json; charset=utf-8').serializer(JSON.stringify).send(answer)
}

/** Refuses what no route takes. @throws {RiverhookError} RIVERHOOK_ADMIN_NOT_FOUND */
export async function refuseUnknown(): Promise<never> {
  throw new RiverhookError('RIVERHOOK_ADMIN_NOT_FOUND', 'There is no such route and method')
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_UNAUTHENTICATED, RIVERHOOK_ADMIN_FORBIDDEN */
function demand(visitor: Visitor | undefined, scope: Scope): void {
  if (visitor === undefined) throw new RiverhookError('RIVERHOOK_ADMIN_UNAUTHENTICATED', 'Log in first')
  if (!visitor.scopes.has(scope))
    throw new RiverhookError('RIVERHOOK_ADMIN_FORBIDDEN', `This needs the scope "${scope}", which you do not have`)
}

async function handle(
  route: AdminRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  visitor: Visitor | undefined,
  riverhook: Riverhook
): Promise<unknown> {
  const shared = { riverhook, scopes: visitor?.scopes ?? new Set<Scope>(), signal: goneSignal(reply), log: request.log }
  const { params, query, body, headers } = request
  const input: AdminRequest = { params, query, body, headers }
  const actor = visitor === undefined ? undefined : actorOf(visitor, request)
  if (route.scope === 'none') {
    const context: OpenContext = { ...shared, actor }
    return route.handle(context, input)
  }
  if (actor === undefined) throw new TypeError(`the route ${route.path} was reached without an actor`)
  const context: AdminContext = { ...shared, actor }
  return route.handle(context, input)
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
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
}
