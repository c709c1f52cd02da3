import { RiverhookError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { spanProblem, type SpanBounds } from './span.ts'

/** The longest delay of Node's timers, in milliseconds. A longer one would fire after 1 ms. */
export const longestTimerMs = 2 ** 31 - 1

/** Options with every default filled in. */
export type Filled<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> }

/** Whether a value is accepted, and a description of accepted values. */
export interface OptionRule {
  readonly expected: string
  accepts(value: unknown): boolean
  /** Converts the text of an environment variable to a value. Default: the text is the value. */
  readonly kind?: 'whole' | 'boolean' | 'span' | 'list'
  /** A specific message for some refused values, where `must be` and `expected` would not explain it. */
  problem?(value: unknown): string | undefined
  /** The rule of each option of an object. Problems name them as `outer.inner`. */
  readonly fields?: Readonly<Record<string, OptionRule>>
  /** Fields that have no default. */
  readonly required?: readonly string[]
  /** Names that other libraries give to a field, each with its name here. */
  readonly synonyms?: Readonly<Record<string, string>> | undefined
}

/** A problem with one option. */
export interface OptionProblem {
  /** The path of the option, such as `retry.attempts`. */
  readonly name: string
  /** The sentence without its subject, the option. */
  readonly problem: string
  /** The value, unless the option is unknown or missing. Never show it if it may be a secret. */
  readonly value?: unknown
}

/** A rule for every option of a function. An option without a rule does not compile. */
export type OptionRules<Options> = { readonly [Name in keyof Required<Options>]: OptionRule }

export const isFunction: OptionRule = { expected: 'a function', accepts: (value) => typeof value === 'function' }
export const isText: OptionRule = {
  expected: 'a text that is not empty',
  accepts: (value) => typeof value === 'string' && value !== ''
}
export const isBoolean: OptionRule = {
  expected: 'true or false',
  kind: 'boolean',
  accepts: (value) => typeof value === 'boolean'
}
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
    kind: 'whole',
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to
  }
}

/** A span of time: milliseconds, or a text such as `5m`. */
export function isSpan(bounds: SpanBounds): OptionRule {
  return {
    expected: `a span of time from ${bounds.min} to ${bounds.max}`,
    kind: 'span',
    accepts: (value) => spanProblem(value, bounds) === undefined,
    problem: (value) => spanProblem(value, bounds)
  }
}

/** An object with a rule for every field. */
export function isObjectOf(
  fields: Readonly<Record<string, OptionRule>>,
  expected: string,
  required: readonly string[] = [],
  synonyms?: Readonly<Record<string, string>>
): OptionRule {
  return { expected, accepts: isPlainObject, fields, required, synonyms }
}

/** Uses the first rule that accepts the value. */
export function isAnyOf(expected: string, ...rules: readonly OptionRule[]): OptionRule {
  return { expected, accepts: (value) => rules.some((rule) => findProblems(rule, value, '').length === 0) }
}

/** A list whose items all satisfy the rule. */
export function isListOf(rule: OptionRule, expected: string, least = 0): OptionRule {
  return {
    expected,
    kind: 'list',
    accepts: (value) =>
      Array.isArray(value) &&
      value.length >= least &&
      value.every((entry: unknown) => findProblems(rule, entry, '').length === 0)
  }
}

/** A delay in milliseconds that a timer supports. */
export function isDelay(from: number): OptionRule {
  return isNumber(from, longestTimerMs, 'milliseconds')
}

function rangeText(from: number, to: number): string {
  return to === Infinity ? `from ${from}` : `from ${from} to ${to}`
}

/**
 * Checks options against their rules, and reports everything that is wrong. An undefined option counts as not given;
 * null, NaN and the like are refused.
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
  required: readonly string[] = [],
  synonyms?: Readonly<Record<string, string>>
): void {
  const lines = optionProblems(rules, options, prefix, required, synonyms)
  if (lines.length > 0) throw invalid(`${subject}: ${joinProblems(lines)}`)
}

/** Everything that is wrong with options, one sentence each. See `checkAgainst`. */
export function optionProblems(
  rules: Readonly<Record<string, OptionRule>>,
  options: unknown,
  prefix = '',
  required: readonly string[] = [],
  synonyms?: Readonly<Record<string, string>>
): readonly string[] {
  if (!isPlainObject(options)) return [`the options must be an object; got ${describeValue(options)}`]
  const known = `; known options: ${Object.keys(rules).join(', ')}`
  return fieldProblems({ fields: rules, required, synonyms }, options, prefix, known).map((each) =>
    'value' in each
      ? `option "${each.name}" ${each.problem}; got ${describeValue(each.value)}`
      : each.problem.startsWith('is unknown')
        ? `unknown option "${each.name}"${each.problem.slice('is unknown'.length)}`
        : `option "${each.name}" ${each.problem}`
  )
}

/** One problem as a sentence; several as a list with one line for each. */
export function joinProblems(lines: readonly string[]): string {
  const [first = ''] = lines
  return lines.length === 1
    ? first
    : `${lines.length} settings are wrong\n${lines.map((line) => `  - ${line}`).join('\n')}`
}

/**
 * Lists everything that is wrong with a value.
 * @param name its path, for the problems
 */
export function findProblems(rule: OptionRule, value: unknown, name: string): readonly OptionProblem[] {
  if (!rule.accepts(value)) return [{ name, problem: rule.problem?.(value) ?? `must be ${rule.expected}`, value }]
  const { fields, required = [], synonyms } = rule
  if (fields === undefined || !isPlainObject(value)) return []
  return fieldProblems({ fields, required, synonyms }, value, `${name}.`)
}

/**
 * Lists everything that is wrong with the fields of an object. An undefined field counts as not given.
 * @param otherwise the end of the sentence about an unknown field without a similar name
 */
export function fieldProblems(
  {
    fields,
    required = [],
    synonyms
  }: Pick<OptionRule, 'required' | 'synonyms'> & { readonly fields: Readonly<Record<string, OptionRule>> },
  value: Readonly<Record<string, unknown>>,
  prefix: string,
  otherwise = ''
): readonly OptionProblem[] {
  const wrong = Object.entries(value).flatMap(([field, given]): readonly OptionProblem[] => {
    const rule = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (rule === undefined) {
      const hint = didYouMean(field, Object.keys(fields), { otherwise, synonyms })
      return [{ name: `${prefix}${field}`, problem: `is unknown${hint}` }]
    }
    return given === undefined ? [] : findProblems(rule, given, `${prefix}${field}`)
  })
  const absent = required.filter((field) => value[field] === undefined)
  return [
    ...wrong,
    ...absent.map((field) => ({
      name: `${prefix}${field}`,
      problem: `is missing; it must be ${fields[field]?.expected ?? 'given'}`
    }))
  ]
}

/**
 * Reads the option `clock` of functions that have no other option.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
export function readClock(options: { readonly clock?: () => number }, subject: string): () => number {
  checkAgainst({ clock: isFunction }, options, subject)
  return options.clock ?? Date.now
}

/** True for plain http to another machine, where others can read the traffic. False for a text that is not a URL. */
export function isExposed(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !/^(?:(?:.+\.)?localhost\.?|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The prototype of a plain object from another JavaScript realm (a test runner, `vm`) has a null prototype.
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

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
