import { errorCodes, type RiverhookErrorCode } from '../model/errors.ts'
import type { Answer, Recorded } from '../source/source.ts'

// Not imported: importing it would load WebSocket and all of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/**
 * The answers to a sender. Their statuses are in the table of `model/errors.ts`. For example, a full disk rejects the
 * recording with RIVERHOOK_INBOX_UNAVAILABLE, which is answered 503; `choose-refusal.ts` turns errors into codes.
 */

/** The codes that a sender may be answered with. Those of the operator's API are none. */
export type AnswerCode = {
  [Code in Exclude<RiverhookErrorCode, `RIVERHOOK_ADMIN_${string}`>]: (typeof errorCodes)[Code] extends {
    statusCode: number
  }
    ? Code
    : never
}[Exclude<RiverhookErrorCode, `RIVERHOOK_ADMIN_${string}`>]

/** An answer with an error status. */
export interface Refusal {
  readonly code: AnswerCode
  /** For the sender: names the field and the rule, never a value, a secret or a reason why authentication failed. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The answer that an adapter sends. */
export type Reply = Answer & { readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** The answer to a method that an endpoint does not serve. */
export const notPost: Refusal = {
  code: 'RIVERHOOK_RECEIVE_METHOD',
  message: 'Only POST is served here',
  headers: { allow: 'POST' }
}

/** The `Retry-After` of a 503, in seconds. It is unknown whether the provider honours it. */
const retryAfterSeconds = '5'

const json = { 'content-type': 'application/json; charset=utf-8' }

/** The HTTP status of a code. */
export function statusOf(code: AnswerCode): number {
  return errorCodes[code].statusCode
}

/** The 202 after the events are on disk: `{ id, status }` for one event, otherwise `{ events: [...] }`. */
export function acknowledge(events: Recorded['events']): Reply {
  const results = events.map(({ id, result }) => ({ id, status: result }))
  return { status: 202, headers: json, body: JSON.stringify(results.length === 1 ? results[0] : { events: results }) }
}

/**
 * The one shape of every error: `{ statusCode, code, error, message }`.
 * @param given the body instead, where a standard prescribes another shape
 */
export function refuse({ code, message, headers = {} }: Refusal, given?: object): Reply {
  const statusCode = statusOf(code)
  const retry = statusCode === 503 ? { 'retry-after': retryAfterSeconds } : {}
  const body = given ?? { statusCode, code, error: STATUS_CODES[statusCode], message }
  return { status: statusCode, headers: { ...json, ...retry, ...headers }, body: JSON.stringify(body) }
}
