import { visible } from './visible.ts'

/** Enough for every message made to be read; a whole response body in a message would fill the inbox. */
const longestText = 2_000
const deepestCause = 3

/**
 * What is stored of an error: name, code, message, and the causes behind it ("fetch failed" says nothing without its cause). The
 * stack goes to the log only. Never throws, whatever was thrown at it.
 * @returns at most 2,000 characters that any engine can store, control characters as escapes: a log viewer may write them to a terminal
 */
export function errorText(error: unknown): string {
  let text: string
  try {
    text = describe(error, deepestCause)
  } catch {
    // Getters and proxies may throw by themselves.
    text = 'Something was thrown that cannot be described'
  }
  // Also a NUL is an escape then, which PostgreSQL refuses in text. A cut may fall in the middle of a character.
  const shown = visible(text.length > longestText ? text.slice(0, longestText) : text)
  return (shown.length > longestText ? `${shown.slice(0, longestText - 1)}…` : shown).toWellFormed()
}

/**
 * Where it happened, without the message, for the log. A logger's own error serializer would write every property of the
 * error, and those of HTTP clients hold requests with their credentials.
 */
export function stackOf(error: unknown): string | undefined {
  try {
    if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined
    const lines = error.stack.split('\n').filter((line) => /^\s+at /u.test(line))
    return visible(lines.slice(0, 10).map((line) => line.slice(0, 500)).join('\n'))
  } catch {
    return undefined
  }
}

function describe(error: unknown, depth: number): string {
  if (!isErrorLike(error)) return `A value that is no Error was thrown: ${describeValue(error)}`
  const { name, code, message, cause } = error
  const codeText = typeof code === 'string' && code !== '' ? ` [${code}]` : ''
  const own = `${typeof name === 'string' && name !== '' ? name : 'Error'}${codeText}: ${message}`
  return isErrorLike(cause) && depth > 0 ? `${own}; caused by ${describe(cause, depth - 1)}` : own
}

interface ErrorLike {
  readonly message: string
  readonly name?: unknown
  readonly code?: unknown
  readonly cause?: unknown
}

/** An error of another realm or a hand-made one is as good as an Error. */
function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}

/** Of an object only what it is: its content may be a payload. */
function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
