import type pg from 'pg'

import { readText } from './text.ts'

/**
 * Parsers for the results of our own statements. The application may set other parsers for all of `pg` (dates as text,
 * numbers as BigInt), and its own queries keep those. Our sessions format dates as ISO in UTC, and bytes in
 * hexadecimal. All other types, including bigint, are read as text.
 */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  [17, (text) => Buffer.from(text.slice(2), 'hex')],
  [21, Number],
  [23, Number],
  [700, Number],
  [701, Number],
  [1184, readInstant]
])

/** Parses `2026-01-31 12:00:00.123456+00`. */
function readInstant(text: string): Date {
  // The year has four digits, and the fraction, if there is one, at most six.
  const end = text.length - '+00'.length
  if (text[4] !== '-' || text.startsWith('0') || !text.endsWith('+00')) return readRareInstant(text)
  const ms = (end > 20 ? digit(text, 20) * 100 : 0) + (end > 21 ? digit(text, 21) * 10 : 0)
  return new Date(
    Date.UTC(
      twoDigits(text, 0) * 100 + twoDigits(text, 2),
      twoDigits(text, 5) - 1,
      twoDigits(text, 8),
      twoDigits(text, 11),
      twoDigits(text, 14),
      twoDigits(text, 17),
      ms + (end > 22 ? digit(text, 22) : 0)
    )
  )
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 48
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

/** JavaScript needs a sign and six digits for a year beyond 9999. */
function readRareInstant(text: string): Date {
  const year = /^\d{5,}(?=-)/.exec(text)?.[0] ?? ''
  return new Date(
    text
      .replace(year, year && `+${year.padStart(6, '0')}`)
      .replace(' ', 'T')
      .replace(/([+-]\d\d)$/, '$1:00')
  )
}

export const ownTypes: pg.CustomTypesConfig = { getTypeParser: (type: number) => parsers.get(type) ?? readText }
