import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

import { RiverhookError } from '../model/errors.ts'
import type { BodyBudget } from './budget.ts'
import { attachIncoming, Incoming, incomingField, incomingOf } from './incoming.ts'
import { readBody } from './read-body.ts'

export interface BodyOptions {
  /** In bytes. */
  readonly bodyLimit: number
  /** In milliseconds, from the arrival of the request's head. */
  readonly ackTimeout: number
  readonly budget: BodyBudget
}

const json = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * Makes this scope accept bodies as the exact bytes, as the signature covers them. JSON of any kind and bodies
 * without a content type are accepted (the provider documents none); the rest is refused with 415. Riverhook reads
 * the stream itself: that gives a body a deadline, and the error of a body is told from an error of the host by the
 * place where it was thrown.
 * @returns reads a body for which Fastify calls no parser: one without a content type or a length, mostly an empty one
 */
export function acceptBytes(
  scope: FastifyInstance,
  { bodyLimit, ackTimeout, budget }: BodyOptions
): (request: FastifyRequest) => Promise<Buffer> {
  scope.decorateRequest(incomingField, undefined)
  scope.addHook('onRequest', (request, reply, done) => {
    // Fastify measures no time, and says 0, where the host has neither a logger nor an onResponse hook.
    const incoming = new Incoming(budget, reply.elapsedTime)
    attachIncoming(request, incoming)
    incoming.hold()
    // Emitted once for every response, also when the sender hangs up.
    reply.raw.once('close', () => {
      incoming.letGo()
    })
    done()
  })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (request, payload, done) => {
    const incoming = incomingOf(request)
    read(request, payload).then(
      (bytes) => {
        incoming.bytes = bytes
        done(null, bytes)
      },
      (error: unknown) => {
        incoming.failure = error
        incoming.release()
        done(error as Error)
      }
    )
  })
  return (request) => read(request, request.raw)

  async function read(request: FastifyRequest, payload: IncomingMessage | Readable): Promise<Buffer> {
    checkHead(request, payload)
    const incoming = incomingOf(request)
    const announced = request.headers['content-length']
    const bytes = await readBody(payload, {
      limit: bodyLimit,
      // A host that inflates bodies puts another stream in place of the request: its length is not the one that was
      // announced.
      length: payload === request.raw && announced !== undefined ? Number(announced) : undefined,
      leftMs: ackTimeout - incoming.elapsedMs,
      take: (bytes) => incoming.take(bytes),
      late: (received) =>
        new RiverhookError(
          'RIVERHOOK_INBOX_DEADLINE',
          `The request itself took ${Math.round(incoming.elapsedMs)} ms to arrive, and then only ${received} bytes of its body were there: ` +
            `nothing was left of the ${ackTimeout} ms to record it in`
        )
    })
    if (bytes.length === 0 && payload !== request.raw && hasPlainBody(request)) {
      throw new RiverhookError(
        'RIVERHOOK_RECEIVE_FAULT',
        'A hook of the host put an empty stream in place of the body. Riverhook needs its exact bytes'
      )
    }
    return bytes
  }
}

/** The request announces a body that nothing has to be inflated of. */
function hasPlainBody({ headers }: FastifyRequest): boolean {
  if (headers['content-encoding'] !== undefined) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** @throws {RiverhookError} RIVERHOOK_RECEIVE_MEDIA_TYPE */
function checkHead({ headers, raw }: FastifyRequest, payload: IncomingMessage | Readable): void {
  const { 'content-type': type, 'content-encoding': encoding } = headers
  if (type !== undefined && !json.test(type)) throw unsupportedType(type)
  // Where the host inflates, it has put another stream in place of the request.
  if (encoding === undefined || encoding.toLowerCase() === 'identity' || payload !== raw) return
  throw new RiverhookError(
    'RIVERHOOK_RECEIVE_MEDIA_TYPE',
    `The body is compressed (content-encoding: ${shorten(encoding)}), and nothing here inflates it: send it uncompressed`
  )
}

/** What a request is refused with whose content type is not JSON, or is no content type at all. */
export function unsupportedType(type: string): RiverhookError {
  const given =
    type.trim() === '' ? 'it is empty: set application/json, or leave the header out' : `it is ${shorten(type)}`
  return new RiverhookError('RIVERHOOK_RECEIVE_MEDIA_TYPE', `The content type must be application/json; ${given}`)
}

/** The sender's text, in printable ASCII and short. */
function shorten(text: string): string {
  return text.slice(0, 60).replaceAll(/[^\x20-\x7e]/g, '?')
}
