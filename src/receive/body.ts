import type { Readable } from 'node:stream'

import { RiverhookError } from '../model/errors.ts'
import type { IncomingRequest } from '../source/source.ts'
import type { Incoming } from './incoming.ts'
import { readBody } from './read-body.ts'

export interface BodyOptions {
  /** In bytes. */
  readonly bodyLimit: number
  /** In milliseconds, from the arrival of the request's head. */
  readonly ackTimeout: number
  /** Media types that are accepted beside JSON. */
  readonly mediaTypes: readonly string[]
}

/** The body of a request, as an adapter passes it. */
export interface BodyStream {
  readonly stream: Readable
  /** False where the host put another stream in place of the request, to inflate it for example. */
  readonly isRequest: boolean
}

type Headers = IncomingRequest['headers']

const json = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * Reads the exact bytes of a body, as the signature covers them. Accepts JSON of any kind, the source's media types,
 * and bodies without a content type.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_MEDIA_TYPE; RIVERHOOK_RECEIVE_FAULT when a hook of the host emptied the
 * stream; what `readBody` throws
 */
export async function readRequestBody(
  { stream, isRequest }: BodyStream,
  headers: Headers,
  incoming: Incoming,
  { bodyLimit, ackTimeout, mediaTypes }: BodyOptions
): Promise<Buffer> {
  checkHead(headers, isRequest, mediaTypes)
  const announced = headers['content-length']
  const bytes = await readBody(stream, {
    limit: bodyLimit,
    // Another stream has another length than the one that was announced.
    length: isRequest && announced !== undefined ? Number(announced) : undefined,
    leftMs: ackTimeout - incoming.elapsedMs,
    take: (bytes) => incoming.take(bytes),
    late: (received) =>
      new RiverhookError(
        'RIVERHOOK_INBOX_DEADLINE',
        `The request itself took ${Math.round(incoming.elapsedMs)} ms to arrive, and then only ${received} bytes of its body were there: ` +
          `nothing was left of the ${ackTimeout} ms to record it in`
      )
  })
  if (bytes.length === 0 && !isRequest && hasPlainBody(headers)) {
    throw new RiverhookError(
      'RIVERHOOK_RECEIVE_FAULT',
      'A hook of the host put an empty stream in place of the body. Riverhook needs its exact bytes'
    )
  }
  return bytes
}

/** The request announces a body that nothing has to be inflated of. */
function hasPlainBody(headers: Headers): boolean {
  if (headers['content-encoding'] !== undefined) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** @throws {RiverhookError} RIVERHOOK_RECEIVE_MEDIA_TYPE */
function checkHead(headers: Headers, isRequest: boolean, mediaTypes: readonly string[]): void {
  const type = headers['content-type']
  const encoding = headers['content-encoding']
  if (type !== undefined && !json.test(String(type)) && !isOneOf(String(type), mediaTypes))
    throw unsupportedType(String(type), mediaTypes)
  // Where the host inflates, it has put another stream in place of the request.
  if (encoding === undefined || String(encoding).toLowerCase() === 'identity' || !isRequest) return
  throw new RiverhookError(
    'RIVERHOOK_RECEIVE_MEDIA_TYPE',
    `The body is compressed (content-encoding: ${shorten(String(encoding))}), and nothing here inflates it: send it uncompressed`
  )
}

function isOneOf(type: string, mediaTypes: readonly string[]): boolean {
  if (mediaTypes.length === 0) return false
  const [essence = ''] = type.split(';', 1)
  return mediaTypes.some((accepted) => accepted.toLowerCase() === essence.trim().toLowerCase())
}

/** Refuses a request whose content type is not accepted, or is no content type at all. */
export function unsupportedType(type: string, mediaTypes: readonly string[]): RiverhookError {
  const given =
    type.trim() === '' ? 'it is empty: set application/json, or leave the header out' : `it is ${shorten(type)}`
  const accepted = ['application/json', ...mediaTypes].join(' or ')
  return new RiverhookError('RIVERHOOK_RECEIVE_MEDIA_TYPE', `The content type must be ${accepted}; ${given}`)
}

/** The sender's text, in printable ASCII and short. */
function shorten(text: string): string {
  return text.slice(0, 60).replaceAll(/[^\x20-\x7e]/g, '?')
}
