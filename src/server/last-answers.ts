import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/**
 * Ends keep-alive connections without losing a request. An idle connection cannot simply be closed, because the next
 * request may be on its way. Instead each answer announces that it is the last one of its connection.
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

  /** Marks all later answers, and those in progress. */
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
