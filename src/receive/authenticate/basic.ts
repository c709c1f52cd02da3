import { longestAuthorization, type HeaderVerdict } from './header-verdict.ts'
import { equalsOneOf } from './is-equal.ts'

export interface BasicCredentials {
  readonly username: string
  readonly password: string
}

type HeaderValue = string | readonly string[] | undefined

/** Checks basic authentication (RFC 7617) against one or several user names with their passwords, in constant time. */
export function basicCheck(
  credentials: BasicCredentials | readonly BasicCredentials[]
): (header: HeaderValue) => HeaderVerdict {
  const list = 'username' in credentials ? [credentials] : credentials
  const isRight = equalsOneOf(list.map(({ username, password }) => `${username}:${password}`))
  return (header) => {
    if (header !== undefined && header.length > longestAuthorization)
      return { ok: false, reason: 'the authorization header is too long' }
    const encoded = typeof header === 'string' ? /^basic +([a-z0-9+/_-]+=*) *$/i.exec(header)?.[1] : undefined
    if (encoded === undefined)
      return {
        ok: false,
        reason:
          header === undefined
            ? 'the request has no authorization header'
            : 'the authorization header is not of the Basic scheme'
      }
    return isRight(Buffer.from(encoded, 'base64'))
      ? { ok: true }
      : { ok: false, reason: 'the user name or the password of the basic authentication is wrong' }
  }
}
