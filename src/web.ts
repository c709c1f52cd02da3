/** Riverhook for servers that take a `Request` and return a `Response`: Hono, Next.js, Bun, Deno and the like. */
import { Readable } from 'node:stream'

import type { Riverhook } from './riverhook.ts'

/** Answers one request. Pass it the request unchanged: its body must not have been read. */
export type WebHandler = (request: Request) => Promise<Response>

/**
 * Makes a handler for the endpoints of a receiver, with the limits, deadlines and answers that the Fastify plugin has.
 * A path that is no endpoint is answered 404.
 *
 * @throws {TypeError} from the handler, when the body was read before: the signature covers its exact bytes
 *
 *     const riverhook = createRiverhook({ secrets: process.env.WEBHOOK_SECRET })
 *     await riverhook.start()
 *     const handler = toWebHandler(riverhook)
 */
export function toWebHandler(riverhook: Pick<Riverhook, 'receive'>): WebHandler {
  return async (request) => {
    if (request.bodyUsed || request.body?.locked === true) throw new TypeError(usedMessage)
    const stream = request.body === null ? undefined : Readable.fromWeb(request.body)
    // A sender that disconnects is not an error.
    stream?.on('error', () => undefined)
    const { status, headers, body } = await riverhook.receive({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: stream
    })
    // Free the rest of a refused body.
    stream?.destroy()
    // A status such as 204 allows no body.
    return new Response(body === '' ? null : body, { status, headers })
  }
}

const usedMessage =
  'The body of the request was read before it reached Riverhook, by a middleware for example. Pass the request unread'
