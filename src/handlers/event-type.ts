import { RiverhookError } from '../model/errors.ts'
import type { CustomEventType } from '../model/event.ts'
import { nearestNames } from '../model/nearest.ts'
import { checkPattern, groupsOf, isOneType, matches } from '../model/pattern.ts'

// One set for all copies of the package: a user's handler may import another copy.
const declaredKey = Symbol.for('riverhook.eventTypes')
const declared = (Reflect.get(globalThis, declaredKey) as Set<string> | undefined) ?? new Set<string>()
Reflect.set(globalThis, declaredKey, declared)

/**
 * Names an event type that the catalogue does not know yet: `on(eventType('order.split'), ...)`. Events of a type with
 * such a handler are neither logged as unknown nor counted as drift.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN if the argument is a pattern or not an event type
 */
export function eventType<const Type extends string>(type: Type): CustomEventType<Type> {
  checkPattern(type)
  if (!isOneType(type))
    throw new RiverhookError('RIVERHOOK_HANDLERS_PATTERN', `"${type}" is a pattern, not an event type`)
  declared.add(type)
  return type as unknown as CustomEventType<Type>
}

/**
 * Refuses handlers for unknown types, and for patterns that cover no known type: most likely a spelling mistake, and
 * such a handler would silently never run.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN_TYPE with the nearest names
 */
export function checkTypes(
  handlers: readonly { readonly name: string; readonly pattern: string }[],
  known: ReadonlySet<string>
): void {
  // The types of a provider that lists none cannot be checked.
  if (known.size === 0) return
  const types = [...known, ...declared]
  const isKnown = (pattern: string): boolean =>
    isOneType(pattern) ? types.includes(pattern) : types.some((type) => matches(pattern, type))
  const unknown = handlers.find(({ pattern }) => !isKnown(pattern))
  if (unknown === undefined) return
  const { name, pattern } = unknown
  const handler = name === pattern ? `The handler for "${pattern}"` : `Handler "${name}" for "${pattern}"`
  const reason = isOneType(pattern)
    ? `no event type of that name is known${unknownTypeHint(pattern, [...known])} If it is newer than this version, write on(eventType('${pattern}'), ...)`
    : `it covers no event type that is known${unknownTypeHint(pattern, groupsOf([...known]))} If the types are newer than this version, name one of them with eventType()`
  throw new RiverhookError('RIVERHOOK_HANDLERS_UNKNOWN_TYPE', `${handler} would never run: ${reason}`)
}

/** The end of a sentence about an unknown type: the nearest names, if any are similar. */
export function unknownTypeHint(type: string, known: readonly string[]): string {
  const near = nearestNames(type, known)
  return near.length === 0 ? '.' : `; did you mean ${near.map((other) => `"${other}"`).join(' or ')}?`
}
