import { ExactNumber } from '../api.ts'

/** JSON with the digits of its numbers as they arrived. */
export function jsonText(value: unknown, indent = ''): string {
  if (value instanceof ExactNumber) return value.text
  if (value === undefined) return ''
  if (!isBranch(value)) return JSON.stringify(value)
  const inner = `${indent}  `
  const isList = Array.isArray(value)
  const parts = entriesOf(value).map(
    ([key, child]) => inner + (isList ? '' : `${JSON.stringify(key)}: `) + jsonText(child, inner)
  )
  if (parts.length === 0) return isList ? '[]' : '{}'
  return `${isList ? '[' : '{'}\n${parts.join(',\n')}\n${indent}${isList ? ']' : '}'}`
}

/** On one line. */
export function shortText(value: unknown): string {
  return jsonText(value).replace(/\n\s*/gu, ' ')
}

export function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber)
}

export function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value)
}
