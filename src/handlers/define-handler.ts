import { RiverhookError } from '../model/errors.ts'
import { describeValue } from '../model/option-rules.ts'
import { checkPattern } from '../model/pattern.ts'
import type { Source } from '../source/source.ts'
import { checkHandlerFunction, checkHandlerOptions } from './handler-options.ts'
import type { HandlerDefinition } from './handler.ts'

/**
 * Checks the arguments of a handler: source, pattern, options (source and options are optional) and function.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN, RIVERHOOK_OPTIONS_INVALID
 */
export function readDefinition(given: readonly unknown[]): HandlerDefinition {
  const [first, ...others] = given
  if (typeof first !== 'object' || first === null) return parseDefinition(undefined, given)
  return parseDefinition(checkSource(first), others)
}

/**
 * Checks that a value has what handlers need of a source.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
export function checkSource(given: unknown): Source {
  const source = given as Partial<Source> | null | undefined
  if (typeof source === 'object' && source !== null && typeof source.name === 'string' && source.name !== '')
    return given as Source
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `A source must be an object with a "name"; got ${describeValue(given)}`
  )
}

/** True for a value that `defineHandler` returned. */
export function isDefinition(value: unknown): value is HandlerDefinition {
  return typeof value === 'object' && value !== null && 'pattern' in value && 'options' in value && 'run' in value
}

function parseDefinition(source: Source | undefined, given: readonly unknown[]): HandlerDefinition {
  const [pattern] = given
  const [options = {}, run] = given.length === 2 ? [{}, given[1]] : given.slice(1)
  checkPattern(pattern)
  checkHandlerFunction(pattern, run)
  checkHandlerOptions(pattern, options)
  return Object.freeze({ ...(source && { source }), pattern, options: Object.freeze({ ...options }), run })
}
