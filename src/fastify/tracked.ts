import type { FastifyRequest } from 'fastify'

import type { Incoming } from '../receive/incoming.ts'

/**
 * What the route knows of a request. It lies beside Fastify's own fields, so that a hook of the host cannot replace it.
 */
export interface Tracked {
  readonly incoming: Incoming
  /** Every hook before the body parser has passed. */
  isParsing: boolean
  /** Our body parser was called. */
  hasParser: boolean
  /** The body as it arrived; undefined where Fastify has called no parser. */
  bytes: Buffer | undefined
  /** What the body parser threw. */
  failure: unknown
}

/** The name of the field on the request. */
export const trackedField = Symbol('riverhook.tracked')

type WithTracked = FastifyRequest & { [trackedField]: Tracked | undefined }

export function attachTracked(request: FastifyRequest, tracked: Tracked): void {
  ;(request as WithTracked)[trackedField] = tracked
}

/** Undefined while hooks of the host run that come before ours. */
export function findTracked(request: FastifyRequest): Tracked | undefined {
  return (request as WithTracked)[trackedField]
}

/** For code that runs after our own `onRequest` hook. */
export function trackedOf(request: FastifyRequest): Tracked {
  const tracked = findTracked(request)
  if (tracked === undefined) throw new TypeError('the request has not passed the onRequest hook of Riverhook')
  return tracked
}
