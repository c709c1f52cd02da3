import type { HeaderVerdict } from './header-verdict.ts'
import { isEqual } from './is-equal.ts'

/** The tokens that are good, or a function that judges one. */
export type BearerRule = string | readonly string[] | ((token: string) => boolean | PromiseLike<boolean>)

/** Checks a bearer token (RFC 6750): against fixed ones in constant time, or by the merchant's function. */
export function bearerCheck(
  rule: BearerRule
): (header: string | readonly string[] | undefined) => HeaderVerdict | Promise<HeaderVerdict> {
  const wanted = typeof rule === 'string' ? [rule] : rule
  return (header) => {
    const token = typeof header === 'string' ? /^bearer +([^ ]+) *$/i.exec(header)?.[1] : undefined
    if (token === undefined) return { ok: false, reason: header === undefined ? 'the request has no authorization header' : 'the authorization header is not of the Bearer scheme' }
    if (typeof wanted !== 'function') return verdictOf(wanted.filter((candidate) => isEqual(token, candidate)).length > 0)
    // Awaited whatever it is, and only true is a yes: a promise of another library must not let everybody in.
    const judged: unknown = wanted(token)
    return typeof judged === 'boolean' ? verdictOf(judged) : Promise.resolve(judged).then((later) => verdictOf(later === true))
  }
}

function verdictOf(good: boolean): HeaderVerdict {
  return good ? { ok: true } : { ok: false, reason: 'the bearer token is not accepted' }
}
