import type { Readable } from 'node:stream'

import type { FastifyReply } from 'fastify'

import { errorCodes, type RiverhookErrorCode } from '../model/errors.ts'
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

/**
 * One shape for every error: `{ statusCode, code, error, message }`.
 * @param inStages makes the answer a stream, for a sender that is still sending: it ends later than its last byte
 */
export function refuse(
  reply: FastifyReply,
  { code, message, headers = {} }: Refusal,
  inStages?: (text: string) => Readable
): FastifyReply {
  const statusCode = statusOf(code)
  if (statusCode === 503) void reply.header('retry-after', retryAfterSeconds)
  void reply.headers(headers)
  const body = { statusCode, code, error: STATUS_CODES[statusCode], message }
  if (inStages === undefined) return send(reply, statusCode, body)
  const text = JSON.stringify(body)
  return reply
    .code(statusCode)
    .headers({ 'content-type': contentType, 'content-length': Buffer.byteLength(text), connection: 'close' })
    .send(inStages(text))
}

const contentType = 'application/json; charset=utf-8'

/** Serialised here, so that the host's serializers cannot change what the provider is told. */
function send(reply: FastifyReply, statusCode: number, body: object): FastifyReply {
  return reply.code(statusCode).header('content-type', contentType).serializer(String).send(JSON.stringify(body))
}
