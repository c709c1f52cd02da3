import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { FastifyReply } from 'fastify'

import { errorCodes } from '../index.ts'

// Not imported as a module: that would load WebSocket and all of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

type Code = 'RIVERHOOK_RECEIVE_NOT_FOUND' | 'RIVERHOOK_RECEIVE_METHOD' | 'RIVERHOOK_RECEIVE_BAD_REQUEST'

/** An error body in the common form, for requests that reach no endpoint. */
export function formatAnswer(
  code: Code,
  message: string
): { statusCode: number; code: Code; error: string | undefined; message: string } {
  const { statusCode } = errorCodes[code]
  return { statusCode, code, error: STATUS_CODES[statusCode], message }
}

/** Answers a request whose URL cannot be read. */
export function refuseBroken(reply: FastifyReply): void {
  void reply.code(400).send(formatAnswer('RIVERHOOK_RECEIVE_BAD_REQUEST', 'The request is not valid HTTP'))
}

/** The requests of one connection. */
interface Exchanges {
  /** Answers that are not finished. */
  readonly open: Set<ServerResponse>
  last: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined
  isBroken: boolean
}

/**
 * Answers invalid HTTP, and requests that did not arrive in time, and closes the connection. Each request gets one
 * answer: requests in progress are answered first, and invalid bytes after an answered request get no answer.
 */
export class BrokenRequests {
  readonly #connections = new WeakMap<object, Exchanges>()

  watch(server: Server): void {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const exchanges = this.#of(request.socket)
      exchanges.last = { request, response }
      exchanges.open.add(response)
      response.once('close', () => {
        exchanges.open.delete(response)
      })
    })
    // Without this listener, Node closes the connection of a CONNECT without an answer.
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => {
        socket.destroy()
      })
      const answer = formatAnswer('RIVERHOOK_RECEIVE_METHOD', 'CONNECT is not served here: send POST')
      socket.end(rawAnswer(answer, 'allow: POST\r\n'), () => {
        socket.destroy()
      })
    })
  }

  refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    // The sender is gone.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const exchanges = this.#of(socket)
    // Node calls this for each further piece of an invalid request.
    if (exchanges.isBroken) return
    exchanges.isBroken = true
    const { last, open } = exchanges
    if (last === undefined) {
      socket.end(brokenAnswer())
      return
    }
    const { request, response } = last
    if (!request.complete && !response.headersSent) {
      // The body is invalid. Its reader answers and logs this like any other refusal.
      if (request.listenerCount('error') > 0) request.emit('error', error)
      else if (open.size === 1) socket.end(brokenAnswer())
    }
    closeAfter(open, socket)
  }

  #of(socket: object): Exchanges {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const exchanges: Exchanges = { open: new Set(), last: undefined, isBroken: false }
    this.#connections.set(socket, exchanges)
    return exchanges
  }
}

/** Closes the connection when the answers in progress are finished. */
function closeAfter(open: ReadonlySet<ServerResponse>, socket: Socket): void {
  let left = open.size
  if (left === 0) {
    socket.destroySoon()
    return
  }
  for (const response of open) {
    if (!response.headersSent) response.setHeader('connection', 'close')
    response.once('close', () => {
      left -= 1
      if (left === 0) socket.destroySoon()
    })
  }
}

function brokenAnswer(): string {
  return rawAnswer(
    formatAnswer(
      'RIVERHOOK_RECEIVE_BAD_REQUEST',
      'The request is not valid HTTP, its head is too large, or it took too long to arrive'
    )
  )
}

/** The bytes of an answer. */
function rawAnswer(answer: ReturnType<typeof formatAnswer>, headers = ''): string {
  const body = JSON.stringify(answer)
  const { statusCode, error = '' } = answer
  return `HTTP/1.1 ${statusCode} ${error}\r\n${headers}content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
}
