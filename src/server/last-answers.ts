import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/**
 * Ends kept connections without losing a request: a connection that is closed while it is idle may just have been
 * sent the next one. So each answer says that it is the last one of its connection, and the sender goes elsewhere.
 */
export class LastAnswers {
  readonly #open = new Set<ServerResponse>()
  #hasBegun = false

  constructor(server: Server) {
    // Before Fastify's own listener, which may answer at once.
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (this.#hasBegun) markLast(response)
      else {
        this.#open.add(response)
        response.once('close', () => {
          this.#open.delete(response)
        })
      }
    })
  }

  /** From now on, and for what is under way. */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    for (const response of this.#open) markLast(response)
    this.#open.clear()
  }
}

function markLast(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}
