import { DigitalRiverApiError, type ApiErrorDetail } from './api-error.ts'
import type { Answer } from './exchange.ts'
import { retryAfterMs } from './retry-delay.ts'

/** A call as its errors name it. */
export interface CallName {
  readonly method: string
  readonly path: string
}

/** Makes a text of the provider fit for a log. */
export type Mask = (text: string) => string

const idHeaders = ['x-request-id', 'request-id', 'x-correlation-id', 'x-amzn-requestid'] as const
const mostDetails = 20

/** The provider's id of a call, for its support. The sources name no header, so the usual ones are looked at. */
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
 * @param mask takes what was secret in the request out of the provider's texts
 */
export function refusal({ method, path }: CallName, answer: Answer, tries: number, mask: Mask): DigitalRiverApiError {
  const { status, headers, text } = answer
  const { type, errors } = readErrors(text ?? '', mask)
  const requestId = requestIdOf(headers, mask)
  const reasons = errors.map(sentenceOf).join('; ')
  const told = [
    `${method} ${path} was refused with ${[status, type].filter((part) => part !== undefined).join(' ')}`,
    reasons === '' ? '' : `: ${reasons}`,
    tries > 1 ? `; after ${tries} tries` : '',
    requestId === undefined ? '' : `; request id ${requestId}`
  ].join('')
  const askedMs = retryAfterMs(headers.get('retry-after'), Date.now())
  const advice = adviceFor(method, status, headers.get('retry-after'), mask)
  const message = advice === undefined ? told : `${told}. ${advice}`
  return new DigitalRiverApiError('RIVERHOOK_API_REFUSED', message, {
    method,
    path,
    status,
    type,
    errors,
    requestId,
    retryAfterMs: askedMs > 0 ? askedMs : undefined
  })
}

function adviceFor(method: string, status: number, retryAfter: string | null, mask: Mask): string | undefined {
  if (status === 401) {
    return 'Check the API key: a confidential one, not rotated away. A change of a key takes up to ten minutes to spread.'
  }
  if (status === 403) {
    return 'The key may not do this: give a restricted key the permission in the dashboard, or use a confidential one.'
  }
  if (status === 429) {
    const later =
      retryAfter === null ? 'in a while' : `after what the provider asks for (Retry-After: ${mask(retryAfter)})`
    return `The rate limit of this key is reached. Try again ${later}.`
  }
  if (status >= 300 && status < 400)
    return 'Redirects are not followed, as the key would go with them. Check the URL of the API.'
  if (status < 500 && status !== 408) return undefined
  if (method === 'POST') return 'Whether it took effect is not known: list the webhooks before you create again.'
  return 'The fault is on the side of the provider, or between. Try again later.'
}

function sentenceOf({ code, parameter, message }: ApiErrorDetail): string {
  const place = [parameter, message].filter((part) => part !== undefined).join(': ')
  if (code === undefined) return place
  return place === '' ? code : `${place} (${code})`
}

/**
 * `{ type, errors: [{ code, parameter, message }] }`, all of it optional; `description` for `message` occurs. Of
 * anything else nothing, not even a quotation.
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
  // A gateway in front of the API says { "message": "..." } and no more.
  const list = Array.isArray(body['errors']) ? body['errors'] : [body]
  const errors = list.slice(0, mostDetails).map(detailOf)
  return { type: textAt(body, 'type'), errors: errors.filter((detail) => Object.keys(detail).length > 0) }
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    // A gateway's page. The status says all that is certain.
    return {}
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
