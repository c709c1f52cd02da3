import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, HTTPMethods } from 'fastify'

import { RiverhookError } from '../model/errors.ts'
import { unsupportedType } from '../receive/body.ts'
import type { Reply } from '../receive/reply.ts'
import type { RequestHead, Served } from '../receive/served.ts'
import { answerThenDrain, isStillSending } from './linger.ts'
import { attachTracked, findTracked, trackedField, trackedOf, type Tracked } from './tracked.ts'

/**
 * Hides the route from the document that @fastify/swagger makes: it is for the provider, not for users of the host's
 * API.
 */
const schema: FastifySchema & { readonly hide: true } = { hide: true }

/**
 * The route of one path. It reads the exact bytes with a body parser of its scope, so `scope` must be encapsulated:
 * the host's parsers and error handler stay as they are.
 * @param url the path within the scope
 */
export function receiveRoute(scope: FastifyInstance, served: Served, url: string): void {
  acceptBytes(scope, served)
  const methods = [...served.methods] as HTTPMethods[]
  // May be an async function.
  const errorHandlerOfHost: (...args: [Error, FastifyRequest, FastifyReply]) => unknown = scope.errorHandler.bind(scope)
  scope.setErrorHandler((error, request, reply) => {
    const own = ownError(error, request, served)
    if (own !== undefined) {
      const { head, incoming } = trackedOf(request)
      return send(reply, served.refuse(head, incoming, own), request)
    }
    // A hook of the host refused the request, for example a rate limit. The host's error handler answers, as on its
    // other routes.
    if (error instanceof Error) throw error
    // Fastify would send a thrown value that is not an Error as the answer, with status 200: the event would be lost.
    return errorHandlerOfHost(error as Error, request, reply)
  })
  scope.route({
    method: methods.length === 1 ? 'POST' : methods,
    // Only if the source lists HEAD among its methods.
    exposeHeadRoute: false,
    url,
    bodyLimit: served.bodyLimit,
    config: { riverhook: true },
    schema,
    // The last hook before the body parser, because hooks of a route run after those of its scopes.
    preParsing: (request, _reply, payload, done) => {
      trackedOf(request).isParsing = true
      done(null, payload)
    },
    handler: async (request, reply) => {
      const { head, incoming } = trackedOf(request)
      const answer = await served.receive(
        head,
        incoming,
        () => exactBytes(request) ?? read(served, request, request.raw)
      )
      return reply.sent ? reply : send(reply, answer, request)
    }
  })
}

/**
 * Makes this scope accept bodies as the exact bytes. Riverhook reads the stream itself: this gives a body a deadline,
 * and the place of a throw distinguishes an error of the body from an error of the host. Fastify calls no parser for a
 * body without a content type or a length, usually an empty one; the handler reads that.
 */
function acceptBytes(scope: FastifyInstance, served: Served): void {
  scope.decorateRequest(trackedField, undefined)
  scope.addHook('onRequest', (request, reply, done) => {
    // Fastify does not measure the time, and reports 0, if the host has neither a logger nor an onResponse hook.
    const tracked: Tracked = {
      head: new Head(request),
      incoming: served.begin(reply.elapsedTime),
      isParsing: false,
      hasParser: false,
      bytes: undefined,
      failure: undefined
    }
    attachTracked(request, tracked)
    tracked.incoming.hold()
    // Emitted once for every response, also if the sender disconnects.
    reply.raw.once('close', () => {
      tracked.incoming.unhold()
    })
    const refused = served.admit(tracked.head, tracked.incoming)
    if (refused === undefined) done()
    else send(reply, refused, request)
  })
  scope.removeAllContentTypeParsers()
  // Named beside "*", because Fastify remembers its choice of a named parser only.
  scope.addContentTypeParser(['application/json', '*'], (request, payload, done) => {
    const tracked = trackedOf(request)
    tracked.hasParser = true
    read(served, request, payload).then(
      (bytes) => {
        tracked.bytes = bytes
        done(null, bytes)
      },
      (error: unknown) => {
        tracked.failure = error
        tracked.incoming.release()
        done(error as Error)
      }
    )
  })
}

function read(served: Served, request: FastifyRequest, payload: IncomingMessage | Readable): Promise<Buffer> {
  const body = { stream: payload, isRequest: payload === request.raw }
  return served.readBody(body, request.headers, trackedOf(request).incoming)
}

/** The head of a request, as the hooks of the host leave it. */
class Head implements RequestHead {
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest) {
    this.#request = request
  }

  get id(): string {
    return this.#request.id
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.raw.url ?? this.#request.url
  }

  get headers(): RequestHead['headers'] {
    return this.#request.headers
  }

  /** Computed at each access, from a header if the host trusts a proxy. */
  get ip(): string {
    return this.#request.ip
  }
}

/** Serialised by the receiver, so that the host's serializers cannot change the answer to the provider. */
function send(reply: FastifyReply, { status, headers, body }: Reply, { raw }: FastifyRequest): FastifyReply {
  const prepared = reply.code(status).headers(headers)
  if (status < 400 || !isStillSending(raw)) return prepared.serializer(String).send(body)
  // The answer ends later than its last byte, so that a sender that is still sending gets it.
  return prepared
    .headers({ 'content-length': Buffer.byteLength(body), connection: 'close' })
    .send(answerThenDrain(body, raw))
}

/**
 * Returns an error of the body, identified by where it was thrown: in our parser, or in Fastify between the last hook
 * and our parser, where Fastify refuses an invalid content type. Undefined for an error that a hook of the host threw,
 * whatever its code.
 */
function ownError(error: unknown, request: FastifyRequest, { mediaTypes }: Served): unknown {
  const tracked = findTracked(request)
  if (tracked === undefined || !tracked.isParsing) return undefined
  const { failure, hasParser } = tracked
  // A stream that the host put in place of the request, for example to inflate it, may refuse with its own status.
  if (failure !== undefined)
    return failure === error && (failure instanceof RiverhookError || !hasStatus(failure)) ? failure : undefined
  const type = request.headers['content-type']
  const isUnreadable =
    !hasParser && (error as { readonly code?: unknown } | null)?.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
  return isUnreadable && type !== undefined ? unsupportedType(type, mediaTypes) : undefined
}

function hasStatus(error: unknown): boolean {
  return typeof (error as { readonly statusCode?: unknown }).statusCode === 'number'
}

/**
 * Returns the body from our parser.
 * @returns undefined if Fastify called no parser, so the body has not been read
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT if a hook of the host has replaced the body
 */
function exactBytes(request: FastifyRequest): Buffer | undefined {
  const { bytes } = trackedOf(request)
  const { body } = request as { readonly body: unknown }
  if (body === bytes || (bytes !== undefined && body instanceof Uint8Array && bytes.equals(body))) return bytes
  throw new RiverhookError(
    'RIVERHOOK_RECEIVE_FAULT',
    `A hook of the host replaced request.body by ${nameOf(body)}. Riverhook needs the exact bytes that were sent: ` +
      'let the hook skip requests whose routeOptions.config.riverhook is true'
  )
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value instanceof Uint8Array) return 'other bytes'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
