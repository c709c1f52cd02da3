import { createHash } from 'node:crypto'

import { maxStoredBytes } from './text.ts'

/** In bytes, in any encoding. An index entry holds about 2,700 bytes, and the widest index has five texts. */
const maxIndexedBytes = 500

/**
 * The form in which a text is indexed and compared: the text itself, or its beginning and its digest if it is too long
 * for an index. The whole id of an event is stored beside it. Order keys are only compared, so theirs is not stored.
 */
export function indexed(text: string): string {
  if (text.length * 5 <= maxIndexedBytes || maxStoredBytes(text) <= maxIndexedBytes) return text
  // Hash the UTF-16 units: in UTF-8, all lone surrogates would be equal.
  return `${text.slice(0, 80).toWellFormed()}... sha256 ${createHash('sha256').update(text, 'utf16le').digest('hex')}`
}

/** The whole text if `indexed` shortens it; otherwise null. */
export function wholeIfShortened(text: string): string | null {
  return indexed(text) === text ? null : text
}

/** Lists the search keys of all events, each with the position of its event, counted from 1. */
export function packKeys(events: readonly ({ readonly about?: readonly string[] | undefined } | undefined)[]): {
  readonly positions: readonly number[]
  readonly values: readonly string[]
} {
  const keys = events.flatMap((event, index) => (event?.about ?? []).map((value) => [index + 1, value] as const))
  return { positions: keys.map(([position]) => position), values: keys.map(([, value]) => value) }
}

/** Concatenates all bodies into one value, which is sent as raw bytes. An array would be sent in hexadecimal. */
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
