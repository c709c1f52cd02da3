import { visible } from './visible.ts'

/** In characters; enough for any readable message. Longer ones, such as a whole response body, would fill the inbox. */
const longestText = 2_000
const deepestCause = 3
/** The most errors shown of one list, and in one text altogether: lists may nest, and an error may contain itself. */
const mostListed = 5
const mostErrors = 16

/** In characters of a message that are looked at: to redact more would take long. */
const longestMessage = 20_000
/** In characters: the longest value that is looked for as a whole. */
const longestCut = 500

/** Returns a message without the personal data in it. */
export type Redact = (message: string) => string

/**
 * The text that is stored for an error: name, code, message, causes ("fetch failed" says nothing without its cause),
 * and the errors of an AggregateError. Reads no other property; the stack is only logged. Never throws, for any value.
 * @param redact called with each message, before any is cut
 * @returns at most 2,000 characters, with control characters as escapes, because a log viewer may write them to a
 * terminal
 */
export function errorText(error: unknown, redact: Redact = (message) => message): string {
  let text: string
  try {
    text = describe(error, {
      depth: deepestCause,
      budget: { errors: mostErrors },
      redact: (message) => redactPart(message, redact).slice(0, longestText)
    })
  } catch {
    // A getter or a proxy may throw.
    text = 'Something was thrown that cannot be described'
  }
  // This also escapes NUL, which PostgreSQL refuses in text. The cut may split a surrogate pair.
  const shown = visible(text.slice(0, longestText + 1))
  return (shown.length > longestText ? `${shown.slice(0, longestText - 1)}…` : shown).toWellFormed()
}

/** Redacts the beginning of a long message. Part of a value may be at its end, which is cut off. */
function redactPart(message: string, redact: Redact): string {
  if (message.length <= longestMessage) return redact(message)
  return redact(message.slice(0, longestMessage)).slice(0, -longestCut)
}

/**
 * The place of an error, without its message, for the log. A logger's own serializer would write every property of the
 * error, and the errors of HTTP clients hold requests with their credentials.
 * @param redact for a message whose lines look like those of the stack
 */
export function stackOf(error: unknown, redact: Redact = (text) => text): string | undefined {
  try {
    if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined
    const { stack, message } = error
    const lines = (message === '' ? stack : stack.replace(message, () => ''))
      .split('\n')
      .filter((line) => /^\s+at /u.test(line))
    return visible(
      redact(
        lines
          .slice(0, 10)
          .map((line) => line.slice(0, 500))
          .join('\n')
      )
    )
  } catch {
    return undefined
  }
}

/**
 * The loggable form of an error, for the key `err`. Always log errors as `err: loggedError(error)`, never the error
 * itself: a logger would write all its properties, and the errors of HTTP clients hold requests with their credentials.
 */
export interface LoggedError {
  readonly name: string
  readonly message: string
  readonly stack: string
}

/**
 * @param redact called with each text of the error
 * @returns an object without a prototype, because a logger logs the name of the prototype as the type
 */
export function loggedError(error: unknown, redact: Redact = (text) => text): LoggedError {
  const logged = Object.create(null) as { -readonly [Field in keyof LoggedError]: LoggedError[Field] }
  logged.name = redact(nameOf(error))
  logged.message = errorText(error, redact)
  logged.stack = stackOf(error, redact) ?? ''
  return logged
}

function nameOf(error: unknown): string {
  try {
    if (isErrorLike(error) && typeof error.name === 'string' && error.name !== '')
      return visible(error.name.slice(0, 200)).toWellFormed()
  } catch {
    // A getter or a proxy threw; the text says so.
  }
  return 'Error'
}

/** The message of a Riverhook error or a system error; the full text of any other value. Never throws. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.message === 'string')
      return error.message.slice(0, longestText).toWellFormed()
  } catch {
    // A getter or a proxy threw; the text says so.
  }
  return errorText(error)
}

interface Bounds {
  /** How many more causes to follow. */
  readonly depth: number
  /** Shared by the whole text. */
  readonly budget: { errors: number }
  /** Redacts and cuts a message. */
  readonly redact: Redact
}

function describe(error: unknown, bounds: Bounds): string {
  const { depth, budget, redact } = bounds
  if (!isErrorLike(error)) return `A value that is no Error was thrown: ${describeValue(error, bounds)}`
  budget.errors -= 1
  const { name, code, message, cause } = error
  const codeText = typeof code === 'string' && code !== '' ? ` [${redact(code)}]` : ''
  const text = message === '' ? '' : `: ${redact(message)}`
  const own = `${typeof name === 'string' && name !== '' ? redact(name) : 'Error'}${codeText}${text}`
  if (depth === 0) return own
  const below = { ...bounds, depth: depth - 1 }
  return `${own}${describeListed(listedIn(error), below)}${describeCause(cause, below)}`
}

function describeCause(cause: unknown, bounds: Bounds): string {
  if (cause === undefined || cause === null || bounds.budget.errors <= 0) return ''
  return `; caused by ${isErrorLike(cause) ? describe(cause, bounds) : describeValue(cause, bounds)}`
}

/** The errors inside an error: those of an AggregateError, and the two of a SuppressedError. */
function listedIn(error: ErrorLike): readonly unknown[] {
  if (error.name === 'SuppressedError') return [error.error, error.suppressed].filter((one) => one !== undefined)
  const { errors } = error
  if (!Array.isArray(errors)) return []
  // Other errors may have an `errors` list too, such as validation errors, but their messages already cover it.
  return error.name === 'AggregateError' || error instanceof AggregateError ? errors : []
}

function describeListed(errors: readonly unknown[], bounds: Bounds): string {
  const parts: string[] = []
  for (const error of errors.slice(0, mostListed)) {
    if (bounds.budget.errors <= 0) break
    parts.push(isErrorLike(error) ? describe(error, bounds) : describeValue(error, bounds))
  }
  if (errors.length === 0) return ''
  const more = errors.length - parts.length
  return ` (${parts.map((part, index) => `${index + 1}: ${part}`).join('; ')}${more > 0 ? `; and ${more} more` : ''})`
}

interface ErrorLike {
  readonly message: string
  readonly name?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
  readonly error?: unknown
  readonly suppressed?: unknown
}

/** Also true for errors of another JavaScript realm, and for plain objects with a message. */
function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}

/** Names only the kind of a value: the content of an object may be a payload. */
function describeValue(value: unknown, { redact }: Pick<Bounds, 'redact'>): string {
  if (typeof value === 'string') return JSON.stringify(redact(value))
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : redact(String(value))
}
