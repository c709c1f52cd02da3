import type { Readable } from 'node:stream'

import { RiverhookError } from '../model/errors.ts'
import type { IncomingRequest } from '../source/source.ts'
import type { Incoming } from './incoming.ts'
import { readBody } from './read-body.ts'

export interface BodyOptions {
  /** In bytes. */
  readonly bodyLimit: number
  /** In milliseconds, since the head of the request arrived. */
  readonly ackTimeout: number
  /** Accepted media types besides JSON. */
  readonly mediaTypes: readonly string[]
}

/** The body of a request, as an adapter passes it. */
export interface BodyStream {
  readonly stream: Readable
  /** False if the host replaced the request with another stream, for example to inflate it. */
  readonly isRequest: boolean
}

type Headers = IncomingRequest['headers']

const json = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * Reads the exact bytes of a body, because the signature covers them. Accepts JSON media types, those of the source,
 * and bodies without a content type.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_MEDIA_TYPE; RIVERHOOK_RECEIVE_FAULT if a hook of the host emptied the
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
    // The announced length is that of the request, not of another stream.
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

/** True if the request announces a body that is not compressed. */
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
  // A host that inflates has replaced the request with another stream.
  if (encoding === undefined || String(encoding).toLowerCase() === 'identity' || !isRequest) return
  throw new RiverhookError(
    'RIVERHOOK_RECEIVE_MEDIA_TYPE',
    `The body is compressed (content-encoding: ${shorten(String(encoding))}), and it is not inflated here: send it uncompressed`
  )
}

function isOneOf(type: string, mediaTypes: readonly string[]): boolean {
  if (mediaTypes.length === 0) return false
  const [essence = ''] = type.split(';', 1)
  return mediaTypes.some((accepted) => accepted === '*' || accepted.toLowerCase() === essence.trim().toLowerCase())
}

/** Refuses a content type that is not accepted or cannot be parsed. */
export function unsupportedType(type: string, mediaTypes: readonly string[]): RiverhookError {
  const given = type.trim() === '' ? 'it is empty: set application/json, or omit the header' : `it is ${shorten(type)}`
  // With `*`, only a type that is no media type is refused.
  const accepted = mediaTypes.includes('*') ? 'a media type' : ['application/json', ...mediaTypes].join(' or ')
  return new RiverhookError('RIVERHOOK_RECEIVE_MEDIA_TYPE', `The content type must be ${accepted}; ${given}`)
}

/** The sender's text, in printable ASCII and shortened. */
function shorten(text: string): string {
  return text.slice(0, 60).replaceAll(/[^\x20-\x7e]/g, '?')
}
