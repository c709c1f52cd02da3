import { RiverhookError } from './errors.ts'

/** True when `pattern` (an event type, a prefix like `order.*`, or `*`) covers the event type. */
export function matches(pattern: string, type: string): boolean {
  if (pattern === '*') return true
  if (!pattern.endsWith('.*')) return pattern === type
  // "order.*" covers order.accepted and order.charge.refund.complete, but not "order" itself.
  return type.length > pattern.length - 1 && type.startsWith(pattern.slice(0, -1))
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
  const stem = pattern === '*' ? '' : pattern.endsWith('.*') ? pattern.slice(0, -2) : pattern
  if (stem.includes('*') || /\s/u.test(stem) || (stem === '' && pattern !== '*')) {
    throw new RiverhookError(
      'RIVERHOOK_HANDLERS_PATTERN',
      `"${pattern}" is not a pattern: write an event type ('order.accepted'), a prefix ('order.*') or '*'`
    )
  }
}

function describe(value: unknown): string {
  return value === '' ? 'an empty string' : value === null ? 'null' : typeof value
}
