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

/** Parses `2026-01-31 12:00:00.123456+00`. JavaScript needs a sign and six digits for a year beyond 9999. */
function readInstant(text: string): Date {
  const year = /^\d{5,}(?=-)/.exec(text)?.[0] ?? ''
  return new Date(
    text
      .replace(year, year && `+${year.padStart(6, '0')}`)
      .replace(' ', 'T')
      .replace(/([+-]\d\d)$/, '$1:00')
  )
}

export const ownTypes: pg.CustomTypesConfig = { getTypeParser: (type: number) => parsers.get(type) ?? readText }
