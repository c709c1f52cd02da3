import { RiverhookError } from './errors.ts'

/**
 * Whether `pattern` covers the event type. A pattern is an event type, `*` (all), or a prefix that ends in a separator
 * and `*`: `order.*`, `order/*` and `order:*` cover the types that begin with `order` and that separator and have at
 * least one more character.
 */
export function matches(pattern: string, type: string): boolean {
  if (pattern === '*') return true
  const prefix = prefixOf(pattern)
  if (prefix === undefined) return pattern === type
  return type.length > prefix.length && type.startsWith(prefix)
}

/**
 * The start of the types that a prefix pattern covers: `order.` for `order.*`; undefined for `*` and for an event type.
 * For engines that select types in SQL, which must exclude the bare prefix.
 */
export function prefixOf(pattern: string): string | undefined {
  return /[./:]\*$/.test(pattern) ? pattern.slice(0, -1) : undefined
}

/** Whether `pattern` is the name of one event type. */
export function isOneType(pattern: string): boolean {
  return !pattern.includes('*')
}

/** The prefix patterns, such as `order.*`, that cover these types, each once. */
export function groupsOf(types: readonly string[]): readonly string[] {
  const groups = types.flatMap((type) =>
    [...type.matchAll(/[./:]/g)].map(({ index }) => `${type.slice(0, index + 1)}*`)
  )
  return [...new Set(groups)]
}

/**
 * Checks that a pattern is one of the three forms.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN
 */
export function checkPattern(pattern: unknown): asserts pattern is string {
  if (typeof pattern !== 'string' || pattern === '') {
    throw new RiverhookError(
      'RIVERHOOK_HANDLERS_PATTERN',
      `A handler's pattern must be a non-empty string such as 'order.accepted', 'order.*' or '*'; got ${describe(pattern)}`
    )
  }
  const stem = pattern === '*' ? '' : (prefixOf(pattern)?.slice(0, -1) ?? pattern)
  if (stem.includes('*') || /\s/u.test(stem) || (stem === '' && pattern !== '*')) {
    throw new RiverhookError(
      'RIVERHOOK_HANDLERS_PATTERN',
      `"${pattern}" is not a pattern: write an event type ('order.accepted'), a prefix ('order.*', 'order/*', 'order:*') or '*'`
    )
  }
}

function describe(value: unknown): string {
  return value === '' ? 'an empty string' : value === null ? 'null' : typeof value
}
