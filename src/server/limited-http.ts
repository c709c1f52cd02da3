import type { Server } from 'node:http'

import Fastify, { type FastifyHttpOptions } from 'fastify'

import { refuseBroken, type BrokenRequests } from './refuse.ts'

/**
 * The options that all listeners of the server share: a time limit for requests to arrive, answers to invalid HTTP, and
 * no request lines in the log.
 * @param broken answers invalid HTTP; the caller lets it watch the server
 */
export function limitedHttp(requestTimeout: number, broken: BrokenRequests): FastifyHttpOptions<Server> {
  return {
    ...withoutRequestLines(),
    requestTimeout,
    // Node swaps the two limits if the first is larger, and by default checks them only every 30 s.
    http: { headersTimeout: requestTimeout, requestTimeout, connectionsCheckingInterval: 1_000 },
    frameworkErrors: (_error, _request, reply) => {
      refuseBroken(reply)
    },
    clientErrorHandler: (error, socket) => {
      broken.refuse(error, socket)
    }
  }
}

/**
 * Switches off Fastify's request lines: Riverhook logs one line for each event. An older Fastify has an option for it.
 */
function withoutRequestLines(): object {
  const { LogController } = Fastify as { readonly LogController?: typeof Fastify.LogController }
  return LogController === undefined
    ? { disableRequestLogging: true }
    : { logController: new LogController({ disableRequestLogging: true }) }
}
