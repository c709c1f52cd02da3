import type { XStatic } from 'typebox/schema'

import { checkHandlerFunction, checkHandlerOptions } from './handler-options.ts'
import type {
  HandlerDefinition,
  HandlerFunction,
  HandlerOptions,
  OwnSchemaOptions,
  PatternOf,
  TypesOf
} from './handler.ts'
import { checkPattern } from '../model/pattern.ts'

/**
 * A handler in a file of its own, for a handlers folder or for `riverhook.on(...)` elsewhere. It is checked here, so
 * that a mistake names the file it is in.
 *
 *     export default defineHandler('order.accepted', { timeout: 10_000 }, async (event, { log, signal }) => { ... })
 *
 * @param pattern an event type, a prefix like `order.*`, or `*`
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN, RIVERHOOK_OPTIONS_INVALID
 */
export function defineHandler<const Pattern extends string>(
  pattern: PatternOf<Pattern>,
  run: HandlerFunction<TypesOf<Pattern>>
): HandlerDefinition
export function defineHandler<const Pattern extends string, const Schema extends object>(
  pattern: PatternOf<Pattern>,
  options: OwnSchemaOptions<TypesOf<Pattern>, Schema>,
  run: HandlerFunction<TypesOf<Pattern>, XStatic<Schema>>
): HandlerDefinition
export function defineHandler<const Pattern extends string>(
  pattern: PatternOf<Pattern>,
  options: HandlerOptions<TypesOf<Pattern>>,
  run: HandlerFunction<TypesOf<Pattern>>
): HandlerDefinition
export function defineHandler(...given: readonly unknown[]): HandlerDefinition {
  return readDefinition(given)
}

/**
 * Checks what a handler is defined or registered with: pattern, options (which may be left out), function.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN, RIVERHOOK_OPTIONS_INVALID
 */
export function readDefinition(given: readonly unknown[]): HandlerDefinition {
  const [pattern] = given
  const [options = {}, run] = given.length === 2 ? [{}, given[1]] : given.slice(1)
  checkPattern(pattern)
  checkHandlerFunction(pattern, run)
  checkHandlerOptions(pattern, options)
  return Object.freeze({ pattern, options: Object.freeze({ ...options }), run })
}
