import ms from 'ms'

/** The limits of a span of time, both inclusive, with the reason of each for the error message. */
export interface SpanBounds {
  readonly min: string
  readonly minReason?: string
  readonly max: string
  readonly maxReason?: string
}

/**
 * Parses a span of time: milliseconds as a number, or a text such as `90s`, `15m`, `24h`, `30d`. Undefined for anything
 * else.
 */
export function toMs(span: number | string): number | undefined {
  if (typeof span === 'number') return Number.isFinite(span) && span >= 0 ? span : undefined
  const value = /^\d+(\.\d+)?\s?(ms|s|m|h|d|w)$/.test(span) ? ms(span as ms.StringValue) : undefined
  return value === undefined || Number.isNaN(value) ? undefined : value
}

/** Reads an instant in ISO 8601, or a span of time before now such as `24h`. Undefined if it is neither. */
export function readInstant(text: string, now = new Date()): Date | undefined {
  const span = toMs(text)
  // JavaScript reads "12" as the year 2001: a span without its unit must not become an instant.
  const instant =
    span === undefined ? new Date(/^\d{4}-\d\d(?:-|$)/.test(text) ? text : Number.NaN) : new Date(now.getTime() - span)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}

/**
 * The milliseconds of a checked span.
 * @throws {TypeError} for a value that is not a span
 */
export function msOf(span: number | string): number {
  const value = toMs(span)
  if (value === undefined) throw new TypeError(`"${String(span)}" is not a span of time`)
  return value
}

/** Describes the problem with a span: the end of a sentence whose subject is its name. Undefined if it is valid. */
export function spanProblem(value: unknown, { min, minReason, max, maxReason }: SpanBounds): string | undefined {
  const because = (reason: string | undefined): string => (reason === undefined ? '' : `: ${reason}`)
  const given = typeof value === 'number' || typeof value === 'string' ? toMs(value) : undefined
  if (given === undefined)
    return `must be a span of time such as "90s", "15m", "24h" or "30d", or a number of milliseconds, from ${min} to ${max}`
  if (given < (toMs(min) ?? 0)) return `must be at least ${min} (and at most ${max})${because(minReason)}`
  return given <= (toMs(max) ?? 0) ? undefined : `must be at most ${max} (and at least ${min})${because(maxReason)}`
}
