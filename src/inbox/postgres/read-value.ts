import type pg from 'pg'

import { readText } from './text.ts'

/**
 * How the values of our own statements are read: a merchant may set other parsers for all of `pg` (dates as text,
 * numbers as BigInt), and his queries keep those. Our sessions write dates as ISO in UTC and bytes in hexadecimal.
 * What is not here is text, bigint too.
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

/** Such as `2026-01-31 12:00:00.123456+00`. JavaScript reads a year beyond 9999 only with a sign and six digits. */
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
