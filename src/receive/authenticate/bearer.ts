import { longestAuthorization, type HeaderVerdict } from './header-verdict.ts'
import { equalsOneOf } from './is-equal.ts'
import type { IssuedTokens } from './issued-tokens.ts'

/** The accepted tokens, or a function that decides. */
export type BearerRule = string | readonly string[] | ((token: string) => boolean | PromiseLike<boolean>)

type HeaderCheck = (header: string | readonly string[] | undefined, now: Date) => HeaderVerdict | Promise<HeaderVerdict>

/** Checks a bearer token (RFC 6750): against fixed tokens in constant time, or with the user's function. */
export function bearerCheck(rule: BearerRule): HeaderCheck {
  const judge = typeof rule === 'function' ? rule : equalsOneOf(typeof rule === 'string' ? [rule] : rule)
  return ofToken((token) => {
    // Always awaited, and only `true` accepts: a promise of another library must not accept every token.
    const judged: unknown = judge(token)
    return typeof judged === 'boolean'
      ? verdictOf(judged)
      : Promise.resolve(judged).then((later) => verdictOf(later === true))
  })
}

/** Checks a bearer token that the endpoint's own token endpoint has issued. */
export function issuedCheck(tokens: Pick<IssuedTokens, 'judge'>): HeaderCheck {
  return ofToken((token, now) => tokens.judge(token, now))
}

function ofToken(judge: (token: string, now: Date) => HeaderVerdict | Promise<HeaderVerdict>): HeaderCheck {
  return (header, now) => {
    if (header !== undefined && header.length > longestAuthorization)
      return { ok: false, reason: 'the authorization header is too long' }
    const token = typeof header === 'string' ? /^bearer +([^ ]+) *$/i.exec(header)?.[1] : undefined
    if (token !== undefined) return judge(token, now)
    return {
      ok: false,
      reason:
        header === undefined
          ? 'the request has no authorization header'
          : 'the authorization header is not of the Bearer scheme'
    }
  }
}

function verdictOf(good: boolean): HeaderVerdict {
  return good ? { ok: true } : { ok: false, reason: 'the bearer token is not accepted' }
}
