import type { Socket } from 'node:net'

import type { FastifyReply } from 'fastify'

import { errorCodes } from '../index.ts'

// Not imported: an import of it asks for its WebSocket too, and with that loads the whole of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

type Code = 'RIVERHOOK_RECEIVE_NOT_FOUND' | 'RIVERHOOK_RECEIVE_BAD_REQUEST'

/** The one shape of an error, for what never reaches an endpoint. */
export function answerOf(code: Code, message: string): { statusCode: number; code: Code; error: string | undefined; message: string } {
  const { statusCode } = errorCodes[code]
  return { statusCode, code, error: STATUS_CODES[statusCode], message }
}

/** Answers a URL that cannot be read, and the like: it has found no route. */
export function refuseBroken(reply: FastifyReply): void {
  void reply.code(400).send(answerOf('RIVERHOOK_RECEIVE_BAD_REQUEST', 'The request is broken'))
}

/** Answers what is no HTTP request, or none that was sent to its end in time, and closes the connection. */
export function refuseOnSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  // The sender is gone already: there is nobody to answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(answerOf('RIVERHOOK_RECEIVE_BAD_REQUEST', 'The request is broken, too large in its head, or took too long to arrive'))
  socket.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}
