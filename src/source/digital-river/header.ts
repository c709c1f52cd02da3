import type { SourceRequest } from '../source.ts'
import { readTime } from './time.ts'

/** The header that Digital River signs with, in lower case as Node gives it. Documented by the provider. */
export const signatureHeader = 'digitalriver-signature'

/** A time as the header has it. */
export interface SignedTime {
  /** The exact text: it is what was signed. */
  readonly text: string
  /** Undefined: it cannot be read. */
  readonly at: Date | undefined
}

export type Header =
  | {
      readonly ok: true
      /**
       * Mostly one. More where the text does not show where the time ends: the one whose signature matches is meant.
       */
      readonly times: readonly [SignedTime, ...SignedTime[]]
      /** The items that can be signatures of this scheme. */
      readonly signatures: readonly Buffer[]
      /** How many items follow the time. */
      readonly items: number
    }
  | { readonly ok: false; readonly reason: 'no_header' | 'malformed_header'; readonly detail: string }

/**
 * Limits on what a stranger can make us compare. The provider keeps at most five secrets of a webhook, so it sends at
 * most five signatures, which are about 300 characters.
 */
const longestHeader = 4_096
const mostSignatures = 20

const expected = 'expected "<timestamp>, <signature>": a time, then one or more Base64 signatures'
/** 32 bytes in standard Base64. */
const signature = /^[A-Za-z0-9+/]{43}=$/
const firstSignature = /,\s*[A-Za-z0-9+/]{43}=\s*(?:,|$)/

/** The signature header of a request. Never throws. */
export function readHeader({ headers }: Pick<SourceRequest, 'headers'>): Header {
  const value = headers[signatureHeader] ?? ''
  return parseHeader(typeof value === 'string' ? value : value.join(', '))
}

/**
 * Reads `<timestamp>, <signature>[, <signature> ...]`. The provider names no format for the timestamp, so any text
 * may be one: signatures are compared first, and the time is judged after that. Never throws.
 */
export function parseHeader(value: string): Header {
  if (value === '')
    return { ok: false, reason: 'no_header', detail: 'the request has no DigitalRiver-Signature header' }
  if (value.length > longestHeader) return malformed(`it is longer than ${longestHeader} characters`)
  const comma = value.indexOf(',')
  const items =
    comma === -1
      ? []
      : value
          .slice(comma + 1)
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== '')
  if (items.length === 0) return malformed(`it holds no signature; ${expected}`)
  const signatures = items.filter((item) => signature.test(item)).map((item) => Buffer.from(item))
  if (signatures.length > mostSignatures) return malformed(`it holds more than ${mostSignatures} signatures`)
  const upToComma = value.slice(0, comma)
  // A time may hold commas, such as "Thu, 01 Jan 2026 00:00:00 GMT".
  const upToSignature = value.slice(0, firstSignature.exec(value)?.index ?? comma)
  const [first = upToComma, ...others] = new Set([upToComma, upToComma.trim(), upToSignature])
  return { ok: true, times: [timeOf(first), ...others.map(timeOf)], signatures, items: items.length }
}

/** The time of the request, if the header leaves no doubt which text it is and the text can be read. */
export function certainTime(times: readonly SignedTime[]): Date | undefined {
  return times.length === 1 ? times[0]?.at : undefined
}

function timeOf(text: string): SignedTime {
  return { text, at: readTime(text) }
}

function malformed(what: string): Header {
  return { ok: false, reason: 'malformed_header', detail: `the DigitalRiver-Signature header is malformed: ${what}` }
}
