import { errorCodes, type RiverhookErrorCode } from '../model/errors.ts'
import type { Answer, Recorded } from '../source/source.ts'

// Not imported: an import of it asks for its WebSocket too, and with that loads the whole of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/**
 * The answers to a sender. Their statuses are in the table of `model/errors.ts`. For example, a full disk rejects the
 * recording with RIVERHOOK_INBOX_UNAVAILABLE, which is answered 503; `refusal-of.ts` turns errors into codes.
 */

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

/** What an adapter sends. */
export type Reply = Answer & { readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** The answer to a method that an endpoint does not serve. */
export const notPost: Refusal = {
  code: 'RIVERHOOK_RECEIVE_METHOD',
  message: 'Only POST is served here',
  headers: { allow: 'POST' }
}

/** When the sender is to try again after a 503, in seconds. Whether the provider honours it is not known. */
const retryAfterSeconds = '5'

const json = { 'content-type': 'application/json; charset=utf-8' }

/** The status that a code is answered with. */
export function statusOf(code: AnswerCode): number {
  return errorCodes[code].statusCode
}

/**
 * 202, once the events are on disk: `{ id, status }`, or for another number of events than one `{ events: [...] }`.
 */
export function acknowledge(events: Recorded['events']): Reply {
  const told = events.map(({ id, result }) => ({ id, status: result }))
  return { status: 202, headers: json, body: JSON.stringify(told.length === 1 ? told[0] : { events: told }) }
}

/** One shape for every error: `{ statusCode, code, error, message }`. */
export function refuse({ code, message, headers = {} }: Refusal): Reply {
  const statusCode = statusOf(code)
  const retry = statusCode === 503 ? { 'retry-after': retryAfterSeconds } : {}
  const body = { statusCode, code, error: STATUS_CODES[statusCode], message }
  return { status: statusCode, headers: { ...json, ...retry, ...headers }, body: JSON.stringify(body) }
}
