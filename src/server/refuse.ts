import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { FastifyReply } from 'fastify'

import { errorCodes } from '../index.ts'

// Not imported: an import of it asks for its WebSocket too, and with that loads the whole of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

type Code = 'RIVERHOOK_RECEIVE_NOT_FOUND' | 'RIVERHOOK_RECEIVE_METHOD' | 'RIVERHOOK_RECEIVE_BAD_REQUEST'

/** The one shape of an error, for what never reaches an endpoint. */
export function answerOf(
  code: Code,
  message: string
): { statusCode: number; code: Code; error: string | undefined; message: string } {
  const { statusCode } = errorCodes[code]
  return { statusCode, code, error: STATUS_CODES[statusCode], message }
}

/** Answers a URL that cannot be read, and the like: it has found no route. */
export function refuseBroken(reply: FastifyReply): void {
  void reply.code(400).send(answerOf('RIVERHOOK_RECEIVE_BAD_REQUEST', 'The request is broken'))
}

/** The requests of one connection. */
interface Exchanges {
  /** Answers that are not finished. */
  readonly open: Set<ServerResponse>
  last: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined
  isBroken: boolean
}

/**
 * Answers bytes that are no HTTP request, or a request that did not arrive in time, and closes the connection. One
 * request is answered once: what is under way on the connection is answered first, and bytes after an answered
 * request get none.
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
    // Node closes the connection of a CONNECT without an answer where nobody listens for it.
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => {
        socket.destroy()
      })
      const answer = answerOf('RIVERHOOK_RECEIVE_METHOD', 'CONNECT is not served here; Digital River sends POST')
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
    // Called again for each further piece of a broken request.
    if (exchanges.isBroken) return
    exchanges.isBroken = true
    const { last, open } = exchanges
    if (last === undefined) {
      socket.end(brokenAnswer())
      return
    }
    const { request, response } = last
    if (!request.complete && !response.headersSent) {
      // The body is broken. Its reader answers and logs that like any other refusal.
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

/** Closes the connection when the answers under way are finished. */
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
    answerOf(
      'RIVERHOOK_RECEIVE_BAD_REQUEST',
      'The request is broken, too large in its head, or took too long to arrive'
    )
  )
}

/** The bytes of an answer. */
function rawAnswer(answer: ReturnType<typeof answerOf>, headers = ''): string {
  const body = JSON.stringify(answer)
  const { statusCode, error = '' } = answer
  return `HTTP/1.1 ${statusCode} ${error}\r\n${headers}content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
}
