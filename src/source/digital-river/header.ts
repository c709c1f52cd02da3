import type { SourceRequest } from '../source.ts'
import { readTime } from './time.ts'

/** The header with the signature, in lower case as in Node. Documented by the provider. */
export const signatureHeader = 'digitalriver-signature'

/** A time in the header. */
export interface SignedTime {
  /** The exact text, which is what was signed. */
  readonly text: string
  /** Undefined: it cannot be read. */
  readonly at: Date | undefined
}

export type Header =
  | {
      readonly ok: true
      /**
       * Usually one. Several if the end of the time is ambiguous: the one whose signature matches is the right one.
       */
      readonly times: readonly [SignedTime, ...SignedTime[]]
      /** The items that have the form of a signature. */
      readonly signatures: readonly Buffer[]
      /** How many items follow the time. */
      readonly items: number
    }
  | { readonly ok: false; readonly reason: 'no_header' | 'malformed_header'; readonly detail: string }

/**
 * Limits of the work for an unauthenticated request. A webhook has at most five secrets, so the provider sends at most
 * five signatures, about 300 characters.
 */
const longestHeader = 4_096
const mostSignatures = 20

const expected = 'expected "<timestamp>, <signature>": a time, then one or more Base64 signatures'
/** 32 bytes in standard Base64. */
const signature = /^[A-Za-z0-9+/]{43}=$/
/** A number and one signature: nearly every request. */
const usual = /^(\d{1,20}), ?([A-Za-z0-9+/]{43}=)$/
const firstSignature = /,\s*[A-Za-z0-9+/]{43}=\s*(?:,|$)/

/** The signature header of a request. Never throws. */
export function readHeader({ headers }: Pick<SourceRequest, 'headers'>): Header {
  const value = headers[signatureHeader] ?? ''
  return parseHeader(typeof value === 'string' ? value : value.join(', '))
}

/**
 * Reads `<timestamp>, <signature>[, <signature> ...]`. The provider does not document the format of the timestamp, so
 * any text may be one: signatures are compared first, and the time is judged after that. Never throws.
 */
export function parseHeader(value: string): Header {
  if (value === '')
    return { ok: false, reason: 'no_header', detail: 'the request has no DigitalRiver-Signature header' }
  if (value.length > longestHeader) return malformed(`it is longer than ${longestHeader} characters`)
  const [, time, only] = usual.exec(value) ?? []
  if (time !== undefined && only !== undefined)
    return { ok: true, times: [timeOf(time)], signatures: [Buffer.from(only)], items: 1 }
  const comma = value.indexOf(',')
  const items =
    comma === -1
      ? []
      : value
          .slice(comma + 1)
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== '')
  if (items.length === 0) return malformed(`it has no signature; ${expected}`)
  const signatures = items.filter((item) => signature.test(item)).map((item) => Buffer.from(item))
  if (signatures.length > mostSignatures) return malformed(`it has more than ${mostSignatures} signatures`)
  const upToComma = value.slice(0, comma)
  // A time may contain commas, such as "Thu, 01 Jan 2026 00:00:00 GMT".
  const upToSignature = value.slice(0, firstSignature.exec(value)?.index ?? comma)
  const [first = upToComma, ...others] = new Set([upToComma, upToComma.trim(), upToSignature])
  return { ok: true, times: [timeOf(first), ...others.map(timeOf)], signatures, items: items.length }
}

/** The time of the request, if it is unambiguous and can be read. */
export function certainTime(times: readonly SignedTime[]): Date | undefined {
  return times.length === 1 ? times[0]?.at : undefined
}

function timeOf(text: string): SignedTime {
  return { text, at: readTime(text) }
}

function malformed(what: string): Header {
  return { ok: false, reason: 'malformed_header', detail: `the DigitalRiver-Signature header is malformed: ${what}` }
}
