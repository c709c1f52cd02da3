import { closest, distance } from 'fastest-levenshtein'

import { RiverhookError } from './errors.ts'

/** The longest delay of Node's timers, in milliseconds. A longer one runs after 1 ms. */
export const longestTimerMs = 2 ** 31 - 1

/** Options with every default filled in. */
export type Filled<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> }

/** Whether a value is accepted, and in words which values are. */
export interface OptionRule {
  readonly expected: string
  accepts(value: unknown): boolean
}

/** A rule for every option of a function. An option that has no rule does not compile. */
export type OptionRules<Options> = { readonly [Name in keyof Required<Options>]: OptionRule }

export const isFunction: OptionRule = { expected: 'a function', accepts: (value) => typeof value === 'function' }
export const isText: OptionRule = {
  expected: 'a text that is not empty',
  accepts: (value) => typeof value === 'string' && value !== ''
}
export const isBoolean: OptionRule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
export const isDate: OptionRule = {
  expected: 'a valid Date',
  accepts: (value) => value instanceof Date && !Number.isNaN(value.getTime())
}
export const isObject: OptionRule = {
  expected: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null
}

export function isOneOf(...allowed: readonly string[]): OptionRule {
  const named = allowed.map((value) => `'${value}'`)
  const last = named.at(-1) ?? ''
  return {
    expected: named.length === 1 ? last : `${named.slice(0, -1).join(', ')} or ${last}`,
    accepts: (value) => typeof value === 'string' && allowed.includes(value)
  }
}

/** @param unit for example `milliseconds` */
export function isNumber(from: number, to = Infinity, unit?: string): OptionRule {
  return {
    expected: `a number${unit === undefined ? '' : ` of ${unit}`} ${rangeText(from, to)}`,
    accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= from && value <= to
  }
}

export function isWholeNumber(from: number, to = Infinity): OptionRule {
  return {
    expected: `a whole number ${rangeText(from, to)}`,
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to
  }
}

/** A delay in milliseconds that a timer can keep. */
export function isDelay(from: number): OptionRule {
  return isNumber(from, longestTimerMs, 'milliseconds')
}

function rangeText(from: number, to: number): string {
  return to === Infinity ? `from ${from}` : `from ${from} to ${to}`
}

/**
 * Checks options against their rules. An option that is undefined is not given; null, NaN and the like are refused.
 * @param subject whose options they are, for the message
 * @param prefix the place of nested options, such as `retry.`
 * @param required options that have no default
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option; never quotes the content of an object
 */
export function checkAgainst(
  rules: Readonly<Record<string, OptionRule>>,
  options: unknown,
  subject: string,
  prefix = '',
  required: readonly string[] = []
): void {
  if (!isPlainObject(options)) throw invalid(`${subject}: the options must be an object; got ${describeValue(options)}`)
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined)
      throw invalid(`${subject}: unknown option "${prefix}${name}"${suggestion(name, Object.keys(rules))}`)
    if (value === undefined || rule.accepts(value)) continue
    throw invalid(`${subject}: option "${prefix}${name}" must be ${rule.expected}; got ${describeValue(value)}`)
  }
  const absent = required.find((name) => options[name] === undefined)
  if (absent !== undefined)
    throw invalid(
      `${subject}: option "${prefix}${absent}" is missing; it must be ${rules[absent]?.expected ?? 'given'}`
    )
}

/** Reads the option `clock` of functions that have no other. @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID */
export function readClock(options: { readonly clock?: () => number }, subject: string): () => number {
  checkAgainst({ clock: isFunction }, options, subject)
  return options.clock ?? Date.now
}

/** True for plain http to another machine, where traffic can be read on the way. False for a text that is not a URL. */
export function isExposed(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !/^(?:(?:.+\.)?localhost\.?|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm (a test runner's, a vm's) has a prototype of its own, whose prototype is null.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Describes a value for a message. Never shows the content of an object. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = closest(name, known)
  // A name that differs in more than half of its letters is a misleading guess.
  const isNear = distance(name.toLowerCase(), nearest.toLowerCase()) <= Math.ceil(nearest.length / 2)
  return isNear ? `; did you mean "${nearest}"?` : `; known options: ${known.join(', ')}`
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
