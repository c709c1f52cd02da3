import { createHash } from 'node:crypto'

import type { KeptHeaders } from '../../model/event.ts'
import { longestStored } from './text.ts'

/** In bytes, in whatever encoding: an entry of an index holds about 2,700, and the widest one has five texts. */
const longest = 500

/**
 * A text as it is indexed, and compared: itself, or where it is too long for that, its beginning and its digest. An
 * event's whole id is kept beside it; of an order key nothing is asked but which others it is equal to.
 */
export function indexed(text: string): string {
  if (text.length * 5 <= longest || longestStored(text) <= longest) return text
  // Of the UTF-16 units: as UTF-8, all lone surrogates would be one.
  return `${text.slice(0, 80).toWellFormed()}... sha256 ${createHash('sha256').update(text, 'utf16le').digest('hex')}`
}

/** What `indexed` has left out; null where it is nothing. */
export function wholeOf(text: string): string | null {
  return indexed(text) === text ? null : text
}

/** All bodies as one value, which travels as it is: an array of them would be written out in hexadecimal. */
export function packBodies(events: readonly { readonly body: Uint8Array }[]): {
  readonly bytes: Buffer
  readonly starts: readonly number[]
  readonly lengths: readonly number[]
} {
  const lengths = events.map(({ body }) => body.byteLength)
  let next = 1
  const starts = lengths.map((length) => {
    const start = next
    next += length
    return start
  })
  return { bytes: Buffer.concat(events.map(({ body }) => body)), starts, lengths }
}

/** Kept headers as they are stored: null for none, as most sources keep none. */
export function packHeaders(headers: KeptHeaders): string | null {
  return Object.keys(headers).length === 0 ? null : JSON.stringify(headers)
}

/** Reads what `packHeaders` wrote. */
export function headersOf(value: unknown): KeptHeaders {
  return typeof value === 'string' ? (JSON.parse(value) as KeptHeaders) : {}
}
