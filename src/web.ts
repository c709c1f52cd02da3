/** Riverhook for servers on Node that take a `Request` and return a `Response`: Hono, Next.js and the like. */
import { Readable } from 'node:stream'

import { checkAgainst, isFunction } from './model/option-rules.ts'
import type { Riverhook } from './riverhook.ts'

/** Answers one request. Pass it the request unchanged: its body must not have been read. */
export type WebHandler<Rest extends readonly unknown[] = []> = (request: Request, ...rest: Rest) => Promise<Response>

export interface WebHandlerOptions<Rest extends readonly unknown[]> {
  /**
   * Returns the address of the sender, which a `Request` does not have. Needed for the option `allow`: without it, an
   * endpoint with `allow` answers 500. Gets all arguments of the handler. Read a header such as `X-Forwarded-For` only
   * if a proxy of yours overwrites it.
   */
  readonly ip?: ((request: Request, ...rest: Rest) => string | undefined) | undefined
}

/**
 * Makes a handler for the endpoints of a receiver, with the limits, deadlines and answers that the Fastify plugin has.
 * A path that is no endpoint is answered 404.
 *
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 * @throws {TypeError} from the handler, when the body was read before: the signature covers its exact bytes
 *
 *     const riverhook = createRiverhook({ secrets: process.env.RIVERHOOK_SECRETS })
 *     await riverhook.start()
 *     const handler = toWebHandler(riverhook)
 */
export function toWebHandler<Rest extends readonly unknown[] = []>(
  riverhook: Pick<Riverhook, 'receive'>,
  options: WebHandlerOptions<Rest> = {}
): WebHandler<Rest> {
  checkAgainst({ ip: isFunction }, options, 'toWebHandler')
  const { ip } = options
  return async (request, ...rest) => {
    if (request.bodyUsed || request.body?.locked === true) throw new TypeError(usedMessage)
    const stream = request.body === null ? undefined : Readable.fromWeb(request.body)
    // A sender that disconnects is not an error.
    stream?.on('error', () => undefined)
    const { status, headers, body } = await riverhook.receive({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      ip: ip?.(request, ...rest),
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
