import type { FastifyInstance, FastifyRequest } from 'fastify'

import { BoundedLog } from './bounded-log.ts'
import { formatAnswer } from './refuse.ts'

/**
 * Answers requests without a route: 405 at an endpoint for every method but POST, 404 elsewhere. A hook does this
 * before Fastify reads the body. Logs each request, within limits, so that a webhook that is registered with a wrong
 * path is noticed.
 */
export function answerNotFound(app: FastifyInstance, endpoints: readonly string[]): void {
  const refusals = new BoundedLog()
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return
    const path = pathOf(request)
    const isEndpoint = endpoints.includes(decoded(path))
    const answer = isEndpoint
      ? formatAnswer('RIVERHOOK_RECEIVE_METHOD', `${request.method} is not served here: send POST`)
      : formatAnswer('RIVERHOOK_RECEIVE_NOT_FOUND', 'Nothing is served here')
    refusals.log((more) => {
      const keys = {
        method: request.method,
        path: shown(path),
        code: answer.code,
        status_code: answer.statusCode,
        ...more
      }
      if (isEndpoint) app.log.warn(keys, 'request refused: only POST is served at this path')
      else app.log.warn({ ...keys, endpoints }, 'request refused: nothing is served at this path')
    })
    if (isEndpoint) void reply.header('allow', 'POST')
    return reply.code(answer.statusCode).send(answer)
  })
}

/** The path as the router reads it: without the query, which may hold a token, and without the host. */
function pathOf({ raw: { url = '' } }: FastifyRequest): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
}

/** The router compares decoded paths. */
function decoded(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

/** Short, in printable ASCII, and without parameters of the path, which may hold a session. */
function shown(path: string): string {
  const escaped = path
    .replace(/;.*$/s, ';...')
    .slice(0, 200)
    .replaceAll(/[^\x21-\x7e]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return path.length > 200 ? `${escaped}...` : escaped
}
