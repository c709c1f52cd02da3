import { createHash } from 'node:crypto'

import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { isThenable } from '../model/not-begun.ts'
import {
  checkAgainst,
  describeValue,
  isDelay,
  isFunction,
  isNumber,
  isOneOf,
  isPlainObject,
  isWholeNumber,
  type OptionRules
} from '../model/option-rules.ts'
import type { Handler, HandlerFunction, HandlerOptions, RetryOptions } from './handler.ts'

/** What a handler's option is when it is not given. `retry` is the plugin's. */
export const handlerDefaults = { timeout: 30_000, concurrency: 16, onFailure: 'block' } as const

/** A year: a delivery that waits longer for its next attempt is a mistake in the unit. */
const longestRetryMs = 365 * 86_400_000

const retryRules: OptionRules<RetryOptions> = {
  attempts: isWholeNumber(1),
  baseMs: isNumber(1, longestRetryMs, 'milliseconds'),
  factor: isNumber(1),
  capMs: isNumber(1, longestRetryMs, 'milliseconds')
}

const rules: OptionRules<HandlerOptions> = {
  name: {
    expected: 'a string of 1 to 200 characters, without control characters and without white space at its ends',
    accepts: (value) =>
      typeof value === 'string' && value.isWellFormed() && /^(?!\s)[^\p{Cc}]{1,200}(?<!\s)$/u.test(value)
  },
  retry: { expected: 'an object such as { attempts: 5 }', accepts: isPlainObject },
  timeout: isDelay(1),
  concurrency: isWholeNumber(1),
  orderBy: { ...isFunction, expected: 'a function of the event that gives its key' },
  onFailure: isOneOf('block', 'skip'),
  validate: isOneOf('flag', 'reject', 'off'),
  schema: { expected: 'a JSON Schema: an object', accepts: isPlainObject }
}

/**
 * Checks every option of a handler.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the handler and the option
 */
export function checkHandlerOptions(pattern: string, options: unknown): asserts options is HandlerOptions {
  const handler = `Handler "${nameIn(options) ?? pattern}"`
  if (!isPlainObject(options)) {
    throw invalid(
      `${handler}: the options must be an object between the pattern and the function; got ${describeValue(options)}`
    )
  }
  checkAgainst(rules, options, handler)
  if (options['retry'] !== undefined) checkAgainst(retryRules, options['retry'], handler, 'retry.')
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when what is to be run is no function */
export function checkHandlerFunction(pattern: string, run: unknown): asserts run is HandlerFunction {
  if (typeof run !== 'function') {
    throw invalid(`Handler "${pattern}": the last argument must be the function to run; got ${describeValue(run)}`)
  }
}

/** Gives every setting its value. Expects checked options. */
export function completeHandler(
  source: string,
  pattern: string,
  options: HandlerOptions,
  run: HandlerFunction
): Handler {
  const name = options.name ?? pattern
  return Object.freeze({
    name,
    source,
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

function keyOf(name: string, orderBy: (event: AnyEvent) => unknown): (event: AnyEvent) => string | undefined {
  return (event) => {
    const key = orderBy(event)
    if (key === undefined || key === null || key === '') return undefined
    if (typeof key === 'string') return storable(key)
    if (typeof key === 'bigint' || (typeof key === 'number' && Number.isFinite(key))) return String(key)
    // It may be a promise that rejects, and an unhandled rejection would end the process.
    if (isThenable(key)) Promise.resolve(key).catch(() => undefined)
    throw new TypeError(
      `Handler "${name}": orderBy must give a string, a number or undefined; got ${describeValue(key)}`
    )
  }
}

/** In characters. */
const longestKey = 256

/**
 * A key as every engine can store, index and compare it. It comes from the payload: one that is very long, holds a
 * NUL character or half a surrogate pair is replaced by its digest, which is equal for equal keys alone.
 */
function storable(key: string): string {
  if (key.length <= longestKey && key.isWellFormed() && !key.includes('\0')) return key
  // Of the UTF-16 units: as UTF-8, all halves of surrogate pairs would be one.
  return `sha256 ${createHash('sha256').update(key, 'utf16le').digest('hex')}`
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}

function nameIn(options: unknown): string | undefined {
  if (!isPlainObject(options)) return undefined
  const { name } = options
  return typeof name === 'string' && name !== '' ? name.slice(0, 200) : undefined
}
