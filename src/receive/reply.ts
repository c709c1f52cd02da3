import type { FastifyReply } from 'fastify'

import { errorCodes, type RiverhookErrorCode } from '../errors.ts'
import type { RecordResult } from '../inbox/inbox.ts'

// Not imported: an import of it asks for its WebSocket too, and with that loads the whole of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** The codes that a sender may be answered with. */
export type AnswerCode = {
  [Code in RiverhookErrorCode]: (typeof errorCodes)[Code] extends { statusCode: number } ? Code : never
}[RiverhookErrorCode]

/** An answer that is no 2xx. */
export interface Refusal {
  readonly code: AnswerCode
  /** For the sender: names the field and the rule, never a value, a secret or a reason why authentication failed. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

/** When the sender is to try again after a 503, in seconds. Whether the provider honours it is not known. */
const retryAfterSeconds = '5'

/** The status that a code is answered with. */
export function statusOf(code: AnswerCode): number {
  return errorCodes[code].statusCode
}

/** 202, once the event is on disk. A conflict is a duplicate to the sender: the first body stands. */
export function acknowledge(reply: FastifyReply, id: string, result: RecordResult): FastifyReply {
  return send(reply, 202, { id, status: result === 'accepted' ? 'accepted' : 'duplicate' })
}

/** One shape for every error: `{ statusCode, code, error, message }`. */
export function refuse(reply: FastifyReply, { code, message, headers = {} }: Refusal): FastifyReply {
  const statusCode = statusOf(code)
  if (statusCode === 503) void reply.header('retry-after', retryAfterSeconds)
  void reply.headers(headers)
  return send(reply, statusCode, { statusCode, code, error: STATUS_CODES[statusCode], message })
}

/** Serialised here, so that the host's serializers cannot change what the provider is told. */
function send(reply: FastifyReply, statusCode: number, body: object): FastifyReply {
  return reply
    .code(statusCode)
    .header('content-type', 'application/json; charset=utf-8')
    .serializer(String)
    .send(JSON.stringify(body))
}
