import { RiverhookError } from '../model/errors.ts'
import type { CustomEventType } from '../model/event.ts'
import { nearestNames } from '../model/nearest.ts'
import { checkPattern, isOneType } from '../model/pattern.ts'

// One set for all copies of the package: a merchant's handler may import another one.
const declaredKey = Symbol.for('riverhook.eventTypes')
const declared = (Reflect.get(globalThis, declaredKey) as Set<string> | undefined) ?? new Set<string>()
Reflect.set(globalThis, declaredKey, declared)

/**
 * Says that an event type is meant although the catalogue does not know it: `on(eventType('order.split'), ...)`.
 * Where a handler is for it, its events are no news: neither logged as unknown nor counted as drift.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN when it is a pattern or no event type
 */
export function eventType<const Type extends string>(type: Type): CustomEventType<Type> {
  checkPattern(type)
  if (!isOneType(type))
    throw new RiverhookError('RIVERHOOK_HANDLERS_PATTERN', `"${type}" is a pattern, and no event type`)
  declared.add(type)
  return type as unknown as CustomEventType<Type>
}

/**
 * Finds handlers for a type that nobody knows: more often a spelling mistake than a new type, and one that would
 * never be noticed.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN_TYPE with the nearest names
 */
export function checkTypes(
  handlers: readonly { readonly name: string; readonly pattern: string }[],
  known: ReadonlySet<string>
): void {
  // A provider that names no types cannot be held to them.
  if (known.size === 0) return
  const unknown = handlers.find(({ pattern }) => isOneType(pattern) && !known.has(pattern) && !declared.has(pattern))
  if (unknown === undefined) return
  const { name, pattern } = unknown
  const handler = name === pattern ? `The handler for "${pattern}"` : `Handler "${name}" for "${pattern}"`
  throw new RiverhookError(
    'RIVERHOOK_HANDLERS_UNKNOWN_TYPE',
    `${handler} would never run: no event type of that name is known${unknownTypeHint(pattern, [...known])} If it is newer than this version, say so: on(eventType('${pattern}'), ...)`
  )
}

/** The end of a sentence that says a type is not known: with the nearest names, if any are near. */
export function unknownTypeHint(type: string, known: readonly string[]): string {
  const near = nearestNames(type, known)
  return near.length === 0 ? '.' : `; did you mean ${near.map((other) => `"${other}"`).join(' or ')}?`
}
