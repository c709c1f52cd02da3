import { closest, distance } from 'fastest-levenshtein'

import { RiverhookError } from '../errors.ts'
import type { Event } from '../event.ts'
import { isThenable } from '../not-begun.ts'
import type { Handler, HandlerFunction, HandlerOptions, RetryOptions } from './handler.ts'

/** What a handler's option is when it is not given. `retry` is the plugin's. */
export const handlerDefaults = { timeout: 30_000, concurrency: 16, onFailure: 'block' } as const

/** The longest delay that a timer keeps: Node runs a longer one after a millisecond. */
const longestTimerMs = 2 ** 31 - 1

/** Says whether a value will do, and in words what would. */
interface Rule {
  readonly expected: string
  accepts(value: unknown): boolean
}

const retryRules: { readonly [Name in keyof Required<RetryOptions>]: Rule } = {
  attempts: { expected: 'a whole number from 1', accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1 },
  baseMs: { expected: 'a number of milliseconds from 1', accepts: (value) => isFiniteFrom1(value) },
  factor: { expected: 'a number from 1', accepts: (value) => isFiniteFrom1(value) },
  capMs: { expected: 'a number of milliseconds from 1', accepts: (value) => isFiniteFrom1(value) }
}

const rules: { readonly [Name in keyof Required<HandlerOptions>]: Rule } = {
  name: {
    expected: 'a string of 1 to 200 characters, without control characters and without white space at its ends',
    accepts: (value) => typeof value === 'string' && /^(?!\s)[^\p{Cc}]{1,200}(?<!\s)$/u.test(value)
  },
  retry: { expected: 'an object such as { attempts: 5 }', accepts: isPlainObject },
  timeout: {
    expected: `a number of milliseconds from 1 to ${longestTimerMs}`,
    accepts: (value) => isFiniteFrom1(value) && Number(value) <= longestTimerMs
  },
  concurrency: { expected: 'a whole number from 1', accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1 },
  orderBy: { expected: 'a function of the event that gives its key', accepts: (value) => typeof value === 'function' },
  onFailure: { expected: "'block' or 'skip'", accepts: (value) => value === 'block' || value === 'skip' },
  validate: { expected: "'flag', 'reject' or 'off'", accepts: (value) => value === 'flag' || value === 'reject' || value === 'off' },
  schema: { expected: 'a JSON Schema: an object', accepts: isPlainObject }
}

/**
 * Checks every option of a handler.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the handler and the option
 */
export function checkHandlerOptions(pattern: string, options: unknown): asserts options is HandlerOptions {
  const handler = `Handler "${nameIn(options) ?? pattern}"`
  if (!isPlainObject(options)) {
    throw invalid(`${handler}: the options must be an object between the pattern and the function; got ${describe(options)}`)
  }
  checkAgainst(rules, options, handler, '')
  if (options['retry'] !== undefined) checkAgainst(retryRules, options['retry'] as object, handler, 'retry.')
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when what is to be run is no function */
export function checkHandlerFunction(pattern: string, run: unknown): asserts run is HandlerFunction {
  if (typeof run !== 'function') {
    throw invalid(`Handler "${pattern}": the last argument must be the function to run; got ${describe(run)}`)
  }
}

/** Gives every setting its value. Expects checked options. */
export function completeHandler(pattern: string, options: HandlerOptions, run: HandlerFunction): Handler {
  const name = options.name ?? pattern
  return Object.freeze({
    name,
    pattern,
    run,
    retry: options.retry && Object.freeze({ ...options.retry }),
    timeoutMs: options.timeout ?? handlerDefaults.timeout,
    concurrency: options.concurrency ?? handlerDefaults.concurrency,
    orderBy: options.orderBy && keyOf(name, options.orderBy),
    onFailure: options.onFailure ?? handlerDefaults.onFailure,
    validate: options.validate,
    schema: options.schema
  })
}

function keyOf(name: string, orderBy: (event: Event) => unknown): (event: Event) => string | undefined {
  return (event) => {
    const key = orderBy(event)
    if (key === undefined || key === null || key === '') return undefined
    if (typeof key === 'string') return key
    if (typeof key === 'bigint' || (typeof key === 'number' && Number.isFinite(key))) return String(key)
    // It may reject, and a rejection that nobody catches would end the process.
    if (isThenable(key)) Promise.resolve(key).catch(() => undefined)
    throw new TypeError(`Handler "${name}": orderBy must give a string, a number or undefined; got ${describe(key)}`)
  }
}

function checkAgainst(table: Readonly<Record<string, Rule>>, options: object, handler: string, prefix: string): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(table, name) ? table[name] : undefined
    if (rule === undefined) throw invalid(`${handler}: unknown option "${prefix}${name}"${suggestion(name, Object.keys(table))}`)
    if (value === undefined || rule.accepts(value)) continue
    throw invalid(`${handler}: option "${prefix}${name}" must be ${rule.expected}; got ${describe(value)}`)
  }
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = closest(name, known)
  // Further away than half of its letters, the nearest name is a guess that leads astray.
  const isNear = distance(name.toLowerCase(), nearest.toLowerCase()) <= Math.ceil(nearest.length / 2)
  return isNear ? `; did you mean "${nearest}"?` : `; known options: ${known.join(', ')}`
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}

function nameIn(options: unknown): string | undefined {
  if (!isPlainObject(options)) return undefined
  const { name } = options
  return typeof name === 'string' && name !== '' ? name.slice(0, 200) : undefined
}

function isFiniteFrom1(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) >= 1
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm (a test runner's, a vm's) has a prototype of its own, whose prototype is null.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** What was given, for a message: enough to find it, and never the content of an object. */
function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return 'an array'
  if (isThenable(value)) return 'a promise'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
