import { RiverhookError } from '../model/errors.ts'
import { isPlainObject } from '../model/option-rules.ts'
import { ignoreRejection } from '../model/not-begun.ts'
import type { Answer, Source } from '../source/source.ts'
import type { Reply } from './reply.ts'

/** In bytes. Anybody can request the answer to a handshake. */
const longestAnswer = 65_536

/** Headers that belong to the connection, or to the length of the body. */
const reserved = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer'])

/**
 * Checks and completes an answer from a source.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT, which names the source and the method
 */
export function ownAnswer({ name }: Pick<Source, 'name'>, method: 'greet' | 'answer', given: Answer): Reply {
  const most = method === 'greet' ? 499 : 299
  const fault = (what: string): RiverhookError =>
    new RiverhookError('RIVERHOOK_RECEIVE_FAULT', `${method}() of the source ${name} must return an answer: ${what}`)
  const answer: unknown = given
  ignoreRejection(answer)
  if (!isPlainObject(answer)) throw fault('an object with a "status"')
  const { status, headers = {}, body = '' } = answer
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > most)
    throw fault(`"status" must be a whole number from 200 to ${most}`)
  if (typeof body !== 'string') throw fault('"body" must be a text')
  if (Buffer.byteLength(body) > longestAnswer) throw fault(`"body" must not be longer than ${longestAnswer} bytes`)
  if (!isPlainObject(headers)) throw fault('"headers" must be an object')
  const own = Object.entries(headers).map(([field, value]) => {
    const isToken = /^[\w!#$%&'*+.^`|~-]+$/.test(field) && !reserved.has(field.toLowerCase())
    if (!isToken || typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw fault(`the header "${field.slice(0, 100)}" cannot be sent`)
    return [field.toLowerCase(), value] as const
  })
  return {
    status,
    // A handshake may repeat what an unauthenticated sender sent, so prevent browsers from rendering it as a page.
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      ...Object.fromEntries(own)
    },
    body
  }
}
