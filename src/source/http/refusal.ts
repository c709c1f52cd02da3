import type { ApiError, ApiErrorCode, ApiErrorDetail, ApiErrorFacts } from './api-error.ts'
import type { Answer } from './exchange.ts'
import { retryAfterMs } from '../../model/retry-after.ts'
import { isRateLimited, retryAfterOf } from './rate-limit.ts'

/** A call, as errors name it. */
export interface CallName {
  readonly method: string
  readonly path: string
}

/** The class of the errors, such as `ApiError`. */
export type Failure = new (code: ApiErrorCode, message: string, facts: ApiErrorFacts) => ApiError

/** How the errors of a provider are made. */
export interface RefusalRules {
  readonly Failure: Failure
  /** A sentence on what to do about a status. Undefined: the general one. */
  readonly advice: (status: number) => string | undefined
}

/** Makes a text of the provider safe for a log. */
export type Mask = (text: string) => string

const idHeaders = ['x-request-id', 'request-id', 'x-correlation-id', 'x-amzn-requestid'] as const
const mostDetails = 20

/** The provider's id of a call, for its support. The header is not documented, so the usual ones are read. */
export function requestIdOf(headers: Headers, mask: Mask): string | undefined {
  for (const name of idHeaders) {
    const id = headers.get(name)
    if (id !== null && id !== '') return mask(id)
  }
  return undefined
}

/**
 * The error for an answer with a status outside 2xx.
 * @param tries how often the call was sent
 * @param mask removes the secrets of the request from the provider's texts
 */
export function refusal(
  { method, path }: CallName,
  answer: Answer,
  tries: number,
  mask: Mask,
  { Failure, advice: ownAdvice }: RefusalRules
): ApiError {
  const { status, headers, text } = answer
  const { type, errors } = readErrors(text ?? '', mask)
  const requestId = requestIdOf(headers, mask)
  const reasons = errors.map(sentenceOf).join('; ')
  const reason = [
    `${method} ${path} was refused with ${[status, type].filter((part) => part !== undefined).join(' ')}`,
    reasons === '' ? '' : `: ${reasons}`,
    tries > 1 ? `; after ${tries} tries` : '',
    requestId === undefined ? '' : `; request id ${requestId}`
  ].join('')
  const now = Date.now()
  const retryAfter = retryAfterOf(headers, now)
  const askedMs = retryAfterMs(retryAfter, now)
  const advice = isRateLimited(answer)
    ? rateLimitAdvice(retryAfter, mask)
    : (ownAdvice(status) ?? adviceFor(method, status))
  const message = advice === undefined ? reason : `${reason}. ${advice}`
  return new Failure('RIVERHOOK_API_REFUSED', message, {
    method,
    path,
    status,
    type,
    errors,
    requestId,
    retryAfterMs: askedMs > 0 ? askedMs : undefined
  })
}

function rateLimitAdvice(retryAfter: string | null, mask: Mask): string {
  const later =
    retryAfter === null ? 'later' : `after the time that the provider asks for (Retry-After: ${mask(retryAfter)})`
  return `The rate limit of this key is reached. Try again ${later}.`
}

function adviceFor(method: string, status: number): string | undefined {
  if (status === 401) return 'Check the API key: it must be valid.'
  if (status === 403) return 'The key lacks a permission.'
  if (status >= 300 && status < 400)
    return 'Redirects are not followed, because the key would be sent along. Check the URL of the API.'
  if (status < 500 && status !== 408) return undefined
  if (method === 'POST') return 'It may have taken effect: list the webhooks before you create one again.'
  return 'This is an error of the provider, or of the network. Try again later.'
}

function sentenceOf({ code, parameter, message }: ApiErrorDetail): string {
  const place = [parameter, message].filter((part) => part !== undefined).join(': ')
  if (code === undefined) return place
  return place === '' ? code : `${place} (${code})`
}

/**
 * Reads `{ type, errors: [{ code, parameter, message }] }`. Every field is optional, and `message` may be called
 * `description`. Quotes nothing of any other body.
 */
function readErrors(text: string, mask: Mask): { type: string | undefined; errors: readonly ApiErrorDetail[] } {
  const body = objectIn(text)
  const textAt = (from: Record<string, unknown>, name: string) => {
    const value = from[name]
    return typeof value === 'string' && value !== '' ? mask(value) : undefined
  }
  const detailOf = (entry: unknown): ApiErrorDetail => {
    if (typeof entry === 'string') return { message: mask(entry) }
    if (!isObject(entry)) return {}
    const code = textAt(entry, 'code')
    const parameter = textAt(entry, 'parameter')
    const message = textAt(entry, 'message') ?? textAt(entry, 'description')
    return {
      ...(code === undefined ? {} : { code }),
      ...(parameter === undefined ? {} : { parameter }),
      ...(message === undefined ? {} : { message })
    }
  }
  // A gateway in front of the API answers only { "message": "..." }.
  const list = Array.isArray(body['errors']) ? body['errors'] : isObject(body['error']) ? [body['error']] : [body]
  const errors = list.slice(0, mostDetails).map(detailOf)
  return { type: textAt(body, 'type'), errors: errors.filter((detail) => Object.keys(detail).length > 0) }
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    // The page of a gateway: only the status is certain.
    return {}
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
