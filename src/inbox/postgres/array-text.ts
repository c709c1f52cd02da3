import { storable } from './text.ts'

/**
 * Writes an array as PostgreSQL reads it: `{1,"a",NULL}`. pg would do the same, but look for quotes in numbers too, and
 * write each date in the local time zone.
 * @returns undefined if the array has other values than texts, numbers, booleans, dates and nulls: pg writes those
 */
export function arrayText(values: readonly unknown[], isUnicode: boolean): string | undefined {
  let text = '{'
  for (const value of values) {
    const element = elementText(value, isUnicode)
    if (element === undefined) return undefined
    text += text === '{' ? element : `,${element}`
  }
  return `${text}}`
}

function elementText(value: unknown, isUnicode: boolean): string | undefined {
  if (typeof value === 'string') return quoted(storable(value, isUnicode))
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return 'NULL'
  return value instanceof Date ? dateText(value) : undefined
}

function quoted(text: string): string {
  return `"${text.includes('"') || text.includes('\\') ? text.replaceAll(/["\\]/g, String.raw`\$&`) : text}"`
}

/**
 * Writes a time in UTC, which is faster than pg's way, in the local time zone.
 * @returns undefined for a year before 1 or after 9999: PostgreSQL does not read JavaScript's form of it, pg writes it
 */
export function dateText(date: Date): string | undefined {
  const isUsual = date.getTime() >= firstUsual && date.getTime() <= lastUsual
  return isUsual ? date.toISOString() : undefined
}

const firstUsual = Date.parse('0001-01-01T00:00:00.000Z')
const lastUsual = Date.parse('9999-12-31T23:59:59.999Z')
