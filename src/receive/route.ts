import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'

import { errorText, loggedError } from '../model/error-text.ts'
import { publish } from '../model/channels.ts'
import { RiverhookError } from '../model/errors.ts'
import { modeFault, quarantineIdOf, type AnyEvent, type EventMode, type Receipt } from '../model/event.ts'
import type { SourceHandlers } from '../handlers/registry.ts'
import type { Arrival } from '../inbox/inbox.ts'
import type { Recorder } from '../inbox/recorder.ts'
import type { Log } from '../model/log.ts'
import { assertBegun } from '../model/not-begun.ts'
import type { IncomingRequest, Source, SourceRequest } from '../source/source.ts'
import { eventKeys, visible } from '../model/visible.ts'
import type { Authenticator, Judgement } from './authenticate/authenticate.ts'
import { acceptBytes, unsupportedType } from './body.ts'
import type { BodyBudget } from './budget.ts'
import { deliveriesFor } from '../handlers/deliveries.ts'
import type { Diagnosis } from './authenticate/diagnose.ts'
import type { DriftLog } from '../payload/drift-log.ts'
import { findIncoming, incomingOf } from './incoming.ts'
import { answerThenDrain, isStillSending } from './linger.ts'
import { describePayload, type PayloadChecks, type PayloadMode } from '../payload/checks.ts'
import { readEvent } from './read-event.ts'
import { refusalOf } from './refusal-of.ts'
import { acknowledge, refuse, statusOf, type AnswerCode, type Refusal } from './reply.ts'
import { shorten } from '../model/shorten.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'

/** A request that was refused, as `onRejected` is told of it. */
export interface Rejection {
  readonly endpoint: string
  readonly statusCode: number
  readonly code: AnswerCode
  /** Why, for a person. Holds no secret and no value of the payload. */
  readonly reason: string
  readonly requestId: string
}

export interface RouteOptions {
  /** The whole path, with the prefixes of the scopes: names the endpoint in the log and in the inbox. */
  readonly path: string
  /** The path within the scope. */
  readonly url: string
  /** In bytes. */
  readonly bodyLimit: number
  /** In milliseconds, from the arrival of the request's head. */
  readonly ackTimeout: number
  /** Shared by all endpoints of one plugin. */
  readonly budget: BodyBudget
  /** Which events are for this endpoint; undefined: all. */
  readonly mode: EventMode | undefined
  /** What is done about payloads that are not as their schema says. */
  readonly validate: PayloadMode
  readonly payloads: Pick<PayloadChecks, 'check'>
  readonly drift: Pick<DriftLog, 'note'>
  readonly authenticator: Authenticator
  readonly diagnosis: Diagnosis
  readonly source: Source
  readonly handlers: Pick<SourceHandlers, 'for'>
  readonly recorder: Pick<Recorder, 'record'>
  readonly log: Log
  readonly draining: () => boolean
  readonly onRejected?: ((rejection: Rejection) => unknown) | undefined
}

/**
 * Leaves the route out of the document that @fastify/swagger makes: it is for the provider, not for users of the
 * host's API.
 */
const schema: FastifySchema & { readonly hide: true } = { hide: true }

/**
 * The POST route of one endpoint: cap, authenticate, read, record, answer, in this order. It takes the exact bytes
 * through a parser of its own, so `scope` must be encapsulated: the host's parsers and error handler stay as they
 * are.
 */
export function receiveRoute(scope: FastifyInstance, options: RouteOptions): void {
  const {
    path,
    url,
    bodyLimit,
    ackTimeout,
    authenticator,
    diagnosis,
    source,
    handlers,
    recorder,
    log,
    draining,
    mode,
    validate,
    payloads,
    drift
  } = options

  const readLate = acceptBytes(scope, options)
  // It may be an async function.
  const errorHandlerOfHost: (...args: [Error, FastifyRequest, FastifyReply]) => unknown = scope.errorHandler.bind(scope)
  scope.setErrorHandler((error, request, reply) => {
    const own = ownError(error, request)
    if (own !== undefined) return reject(request, reply, refusalOf(own), reasonOf(own), own)
    // A hook of the host refused the request, such as a rate limit: the host's error handler answers, as on its other
    // routes.
    if (error instanceof Error) throw error
    // Fastify would send a thrown value that is no Error as the answer, with status 200: the event would be lost.
    return errorHandlerOfHost(error as Error, request, reply)
  })
  scope.route({
    method: 'POST',
    url,
    bodyLimit,
    config: { riverhook: true },
    schema,
    // The last hook before the body parser, as those of a route come after those of its scopes.
    preParsing: (request, _reply, payload, done) => {
      incomingOf(request).isParsing = true
      done(null, payload)
    },
    handler: (request, reply) => {
      const incoming = incomingOf(request)
      incoming.hold()
      return receive(request, reply)
        .catch((error: unknown) => {
          if (reply.sent) throw error
          return reject(request, reply, refusalOf(error), reasonOf(error), error)
        })
        .finally(() => {
          incoming.letGo()
        })
    }
  })

  async function receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (draining()) {
      return reject(request, reply, { code: 'RIVERHOOK_RECEIVE_DRAINING', message: 'Shutting down; try again' })
    }
    const now = new Date()
    const received: IncomingRequest = {
      method: request.method,
      url: request.raw.url ?? request.url,
      headers: request.headers,
      body: exactBytes(request) ?? (await readLate(request))
    }
    const judgement = authenticator.judge(received, now)
    const settled = judgement instanceof Promise ? await within(leftOf(request), judgement) : judgement
    if (!settled.ok) return unauthenticated(request, reply, received, settled, now)
    const receipt = mode === undefined ? settled.receipt : { ...settled.receipt, mode }
    const reading = readEvent(source, received)
    if (!reading.ok) return quarantine(request, reply, received, receipt, reading, now)
    const { event } = reading
    const fault = modeFault(mode, event)
    if (fault !== undefined)
      return quarantine(
        request,
        reply,
        received,
        receipt,
        { code: 'RIVERHOOK_RECEIVE_WRONG_MODE', message: fault },
        now
      )
    const { disagreements, isRejected } = payloads.check(event, handlers.for(event.type), validate)
    if (disagreements.length > 0) drift.note(event, path, disagreements)
    if (isRejected) {
      const message = describePayload(event.type, disagreements)
      return quarantine(request, reply, received, receipt, { code: 'RIVERHOOK_RECEIVE_BAD_PAYLOAD', message }, now)
    }
    return accept(request, reply, received, receipt, event, now)
  }

  async function accept(
    request: FastifyRequest,
    reply: FastifyReply,
    { body }: SourceRequest,
    receipt: Receipt,
    event: AnyEvent,
    receivedAt: Date
  ): Promise<FastifyReply> {
    const { id, type, liveMode, createdTime } = event
    const deliveries = deliveriesFor(event, handlers, log)
    const result = await record(request, {
      state: 'accepted',
      id,
      type,
      liveMode,
      createdTime,
      body,
      endpoint: path,
      receivedAt,
      receipt,
      deliveries
    })
    const duration_ms = Math.round(incomingOf(request).elapsedMs * 10) / 10
    publish('received', { endpoint: path, event_id: id, event_type: type, result, duration_ms })
    const keys = { endpoint: path, ...eventKeys(event), result, duration_ms }
    if (result === 'conflict') log.warn(keys, 'a known event id came with another body; the first body stands')
    else log.info(keys, result === 'accepted' ? 'event accepted' : 'duplicate of a known event')
    return acknowledge(reply, id, result)
  }

  /** Kept before it is refused, so that what the provider gives up on can still be looked at and replayed. */
  async function quarantine(
    request: FastifyRequest,
    reply: FastifyReply,
    { body }: SourceRequest,
    receipt: Receipt,
    { code, message }: { readonly code: AnswerCode; readonly message: string },
    receivedAt: Date
  ): Promise<FastifyReply> {
    const id = quarantineIdOf(body, path)
    const result = await record(request, {
      state: 'quarantined',
      id,
      body,
      endpoint: path,
      receivedAt,
      receipt,
      reason: message
    })
    const kept = result === 'conflict' ? `not kept, as another request has the id ${id}` : `kept as ${id}`
    return reject(request, reply, { code, message }, `${message}; ${kept}`)
  }

  function unauthenticated(
    request: FastifyRequest,
    reply: FastifyReply,
    received: IncomingRequest,
    { reason, unmatched }: Extract<Judgement, { ok: false }>,
    now: Date
  ): FastifyReply {
    const { signature, challenges } = authenticator
    const more = unmatched && signature !== undefined ? diagnosis.explain(received, signature, now) : undefined
    const why = more === undefined ? reason : `${reason}: ${more}`
    const headers: Record<string, string> = challenges.length === 0 ? {} : { 'www-authenticate': challenges.join(', ') }
    return reject(
      request,
      reply,
      { code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', message: 'Authentication failed', headers },
      why
    )
  }

  /** The time counts from the arrival of the request's head: reading the body is part of it. */
  function record(request: FastifyRequest, arrival: Arrival): ReturnType<Recorder['record']> {
    return recorder.record(arrival, leftOf(request))
  }

  /** @throws {RiverhookError} RIVERHOOK_INBOX_DEADLINE when nothing is left: the inbox is not to blame for it */
  function leftOf(request: FastifyRequest): number {
    const elapsedMs = incomingOf(request).elapsedMs
    const left = ackTimeout - elapsedMs
    if (left >= 1) return left
    throw new RiverhookError(
      'RIVERHOOK_INBOX_DEADLINE',
      `The request itself took ${Math.round(elapsedMs)} ms to arrive and to be checked: nothing was left of the ${ackTimeout} ms to record it in`
    )
  }

  function reject(
    request: FastifyRequest,
    reply: FastifyReply,
    refusal: Refusal,
    why = refusal.message,
    err?: unknown
  ): FastifyReply {
    const { code } = refusal
    const reason = visible(shorten(why, 1_000))
    const statusCode = statusOf(code)
    const keys = { endpoint: path, code, status_code: statusCode, reason }
    if (statusCode === 500)
      log.error({ ...keys, ...(err === undefined ? {} : { err: loggedError(err) }) }, 'internal error')
    else if (statusCode > 500) log.error(keys, 'request refused, to be tried again')
    else log.warn(keys, 'request refused')
    publish('rejected', keys)
    tell({ endpoint: path, statusCode, code, reason, requestId: request.id })
    return refuse(
      reply,
      refusal,
      isStillSending(request.raw) ? (text) => answerThenDrain(text, request.raw) : undefined
    )
  }

  function tell(rejection: Rejection): void {
    const failed = (error: unknown): void => {
      log.error({ err: loggedError(error), endpoint: path }, 'onRejected failed')
    }
    try {
      Promise.resolve(options.onRejected?.(rejection)).then(assertBegun).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

/**
 * An error of the body, told by where it was thrown: our parser, or Fastify itself between the last hook and our
 * parser, where it refuses a content type that cannot be read. Undefined for any other: a hook of the host threw it,
 * whatever its code.
 */
function ownError(error: unknown, request: FastifyRequest): unknown {
  const incoming = findIncoming(request)
  if (incoming === undefined || !incoming.isParsing) return undefined
  const { failure, bytes } = incoming
  // A stream that the host put in place of the request, to inflate it for example, refuses with a status of its own.
  if (failure !== undefined)
    return failure === error && (failure instanceof RiverhookError || !hasStatus(failure)) ? failure : undefined
  const type = request.headers['content-type']
  return bytes === undefined && type !== undefined ? unsupportedType(type) : undefined
}

function hasStatus(error: unknown): boolean {
  return typeof (error as { readonly statusCode?: unknown }).statusCode === 'number'
}

/**
 * The body as our parser has read it.
 * @returns undefined where Fastify called no parser, and so nobody has read the body
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT when a hook of the host has put something else in its place
 */
function exactBytes(request: FastifyRequest): Buffer | undefined {
  const { bytes } = incomingOf(request)
  const { body } = request as { readonly body: unknown }
  if (body === bytes || (bytes !== undefined && body instanceof Uint8Array && bytes.equals(body))) return bytes
  throw new RiverhookError(
    'RIVERHOOK_RECEIVE_FAULT',
    `A hook of the host replaced request.body by ${nameOf(body)}. Riverhook needs the exact bytes that were sent: ` +
      'let the hook pass over requests whose routeOptions.config.riverhook is true'
  )
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value instanceof Uint8Array) return 'other bytes'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/**
 * What the merchant's functions (secrets, bearer) are given: the rest of the time in which the request is to be
 * answered.
 */
async function within<Value>(ms: number, pending: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(
      new RiverhookError(
        'RIVERHOOK_RECEIVE_FAULT',
        `The function that gives the secrets or judges the bearer token did not answer within ${Math.round(ms)} ms`
      )
    )
  }, ms)
  return Promise.race([pending, late]).finally(() => {
    clearTimeout(timer)
  })
}

function reasonOf(error: unknown): string {
  if (error instanceof RiverhookError) return error.message
  return errorText(error)
}
