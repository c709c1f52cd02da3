import { longestAuthorization, type HeaderVerdict } from './header-verdict.ts'
import { equalsOneOf } from './is-equal.ts'

/** The tokens that are good, or a function that judges one. */
export type BearerRule = string | readonly string[] | ((token: string) => boolean | PromiseLike<boolean>)

/** Checks a bearer token (RFC 6750): against fixed ones in constant time, or by the merchant's function. */
export function bearerCheck(
  rule: BearerRule
): (header: string | readonly string[] | undefined) => HeaderVerdict | Promise<HeaderVerdict> {
  const judge = typeof rule === 'function' ? rule : equalsOneOf(typeof rule === 'string' ? [rule] : rule)
  return (header) => {
    if (header !== undefined && header.length > longestAuthorization)
      return { ok: false, reason: 'the authorization header is too long' }
    const token = typeof header === 'string' ? /^bearer +([^ ]+) *$/i.exec(header)?.[1] : undefined
    if (token === undefined)
      return {
        ok: false,
        reason:
          header === undefined
            ? 'the request has no authorization header'
            : 'the authorization header is not of the Bearer scheme'
      }
    // Awaited whatever it is, and only true is a yes: a promise of another library must not let everybody in.
    const judged: unknown = judge(token)
    return typeof judged === 'boolean'
      ? verdictOf(judged)
      : Promise.resolve(judged).then((later) => verdictOf(later === true))
  }
}

function verdictOf(good: boolean): HeaderVerdict {
  return good ? { ok: true } : { ok: false, reason: 'the bearer token is not accepted' }
}
