import { createHash } from 'node:crypto'

import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { ignoreRejection } from '../model/not-begun.ts'
import { checkAgainst, describeValue, isPlainObject, type OptionRules } from '../model/option-rules.ts'
import { msOf } from '../model/span.ts'
import { collectRules, collectSynonyms } from '../options/setting.ts'
import { handlerSettings, retrySettings } from '../options/settings.ts'
import type { Handler, HandlerFunction, HandlerOptions, RetryOptions } from './handler.ts'

// An option that is missing in the settings or in the type does not compile.
const rules: OptionRules<HandlerOptions> = collectRules(handlerSettings)
const synonyms = collectSynonyms(handlerSettings)
collectRules(retrySettings) satisfies OptionRules<RetryOptions>

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
  checkAgainst(rules, options, handler, '', [], synonyms)
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if the last argument is not a function */
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
    timeoutMs: msOf(options.timeout ?? handlerSettings.timeout.default),
    concurrency: options.concurrency ?? handlerSettings.concurrency.default,
    orderBy: options.orderBy && checkedOrderKey(name, options.orderBy),
    onFailure: options.onFailure ?? handlerSettings.onFailure.default,
    validate: options.validate,
    schema: options.schema
  })
}

function checkedOrderKey(name: string, orderBy: (event: AnyEvent) => unknown): (event: AnyEvent) => string | undefined {
  return (event) => {
    const key = orderBy(event)
    if (key === undefined || key === null || key === '') return undefined
    if (typeof key === 'string') return storable(key)
    if (typeof key === 'bigint' || (typeof key === 'number' && Number.isFinite(key))) return String(key)
    // It may be a promise that rejects, and an unhandled rejection would end the process.
    ignoreRejection(key)
    throw new TypeError(
      `Handler "${name}": orderBy must return a string, a number or undefined; got ${describeValue(key)}`
    )
  }
}

/** In characters. */
const longestKey = 256

/**
 * Makes a key that every engine can store, index and compare. Keys come from the payload: one that is very long, holds
 * a NUL character or half a surrogate pair is replaced by its digest, which is equal for equal keys only.
 */
function storable(key: string): string {
  if (key.length <= longestKey && key.isWellFormed() && !key.includes('\0')) return key
  // Hashes the UTF-16 units: in UTF-8, all halves of surrogate pairs would be equal.
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
