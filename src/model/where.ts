import { compareDecimals } from './decimal.ts'
import { isExactNumber, parseExactText } from './exact-json.ts'

// Conditions for fields of an event's body, such as `data.object.totalAmount>100`.

export interface Condition {
  /** The names of the fields that lead to the value. */
  readonly path: readonly string[]
  readonly operator: '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | 'exists'
  /** Empty for `exists`. */
  readonly value: string
}

/** The most conditions of one search. */
export const mostConditions = 10
/** In characters. */
export const longestCondition = 500
const mostFields = 20

/** Describes the conditions that are allowed, after the name of a field. */
export const conditionForm =
  'must be a path, an operator (= != > < >= <= ~) and a value, such as data.object.totalAmount>100; or a path and the word "exists"'

/** Reads a condition. @returns undefined if the text is none */
export function readCondition(text: string): Condition | undefined {
  if (text.length > longestCondition || text.includes('\0')) return undefined
  const [, names = '', operator = '', value = ''] =
    /^\s*([^\s=!<>~]+)\s*(!=|>=|<=|[=<>~])\s*(.*?)\s*$/s.exec(text) ??
    /^\s*([^\s=!<>~]+)\s+(exists)()\s*$/.exec(text) ??
    []
  const path = names.split('.')
  if (path.length > mostFields || path.some((name) => name === '' || name === '__proto__')) return undefined
  if (value === '' && operator !== 'exists' && operator !== '=' && operator !== '!=') return undefined
  return { path, operator: operator as Condition['operator'], value }
}

/** True if all conditions hold for a body. None holds for a body that is not JSON. */
export function holdAll(conditions: readonly Condition[], body: Uint8Array): boolean {
  const event = parse(body)
  return event !== undefined && conditions.every((condition) => holds(condition, event.value))
}

/** JavaScript keeps 15 digits of every number. */
const maybeLongNumber = /\d[\d.]{15}/
const longNumber = 16

function parse(body: Uint8Array): { readonly value: unknown } | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString()
    .replace(/^\ufeff/, '')
  try {
    if (maybeLongNumber.test(text)) return { value: parseExactText(text, longNumber) }
  } catch {
    // A function is called for each value, which overflows the stack if the body is nested too deeply.
  }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** True if the condition holds for a value at its path; `!=` must hold for all of them. */
function holds({ path, operator, value }: Condition, event: unknown): boolean {
  const values = listValues(event, path)
  if (operator === 'exists') return values.length > 0
  const plain = values.filter(isPlain).map(toPlain)
  if (operator === '!=') return plain.length > 0 && plain.every((each) => !isEqual(each, value))
  return plain.some((each) => {
    if (operator === '=') return isEqual(each, value)
    if (operator === '~') return each.text.toLowerCase().includes(value.toLowerCase())
    const order = compare(each, value)
    if (order === undefined) return false
    if (order === 0) return operator.endsWith('=')
    return order > 0 === operator.startsWith('>')
  })
}

/** A value that is no list and no object, as a text. */
interface Plain {
  readonly text: string
  readonly type: 'string' | 'number' | 'other'
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null || isExactNumber(value)
}

function toPlain(value: unknown): Plain {
  if (typeof value === 'string') return { text: value, type: 'string' }
  if (isExactNumber(value))
    return { text: typeof value === 'number' ? String(value) : JSON.stringify(value), type: 'number' }
  return { text: String(value), type: 'other' }
}

function isEqual({ text: value, type }: Plain, text: string): boolean {
  return value === text || (type === 'number' && compareDecimals(value, text) === 0)
}

/** Compares as numbers if both are, and otherwise as texts, as instants in ISO 8601 are written. */
function compare({ text: value, type }: Plain, text: string): number | undefined {
  const order = compareDecimals(value, text)
  if (order !== undefined || type !== 'string') return order
  return value === text ? 0 : value > text ? 1 : -1
}

/** Lists the values at a path. A list on the way, or at the end, stands for its entries. */
function listValues(value: unknown, path: readonly string[]): readonly unknown[] {
  if (Array.isArray(value))
    // A list in a list has no name: its nesting could be endless.
    return value.filter((entry) => !Array.isArray(entry)).flatMap((entry) => listValues(entry, path))
  const [name, ...rest] = path
  if (name === undefined) return [value]
  const isObject = typeof value === 'object' && value !== null && !isExactNumber(value)
  if (!isObject || !Object.hasOwn(value, name)) return []
  return listValues((value as Readonly<Record<string, unknown>>)[name], rest)
}
