import type { FastifyRequest } from 'fastify'

import type { Incoming } from '../receive/incoming.ts'
import type { RequestHead } from '../receive/served.ts'

/**
 * The state of a request in the route. Stored beside Fastify's own fields, so that a hook of the host cannot replace
 * it.
 */
export interface Tracked {
  readonly head: RequestHead
  readonly incoming: Incoming
  /** True after every hook before the body parser has run. */
  isParsing: boolean
  /** Our body parser was called. */
  hasParser: boolean
  /** The body as it arrived; undefined if Fastify has called no parser. */
  bytes: Buffer | undefined
  /** The error that the body parser threw. */
  failure: unknown
}

/** The name of the field on the request. */
export const trackedField = Symbol('riverhook.tracked')

type WithTracked = FastifyRequest & { [trackedField]: Tracked | undefined }

export function attachTracked(request: FastifyRequest, tracked: Tracked): void {
  ;(request as WithTracked)[trackedField] = tracked
}

/** Undefined in hooks of the host that run before ours. */
export function findTracked(request: FastifyRequest): Tracked | undefined {
  return (request as WithTracked)[trackedField]
}

/** For code that runs after our own `onRequest` hook. */
export function trackedOf(request: FastifyRequest): Tracked {
  const tracked = findTracked(request)
  if (tracked === undefined) throw new TypeError('the request has not passed the onRequest hook of Riverhook')
  return tracked
}
