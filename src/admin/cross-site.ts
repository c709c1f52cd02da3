import type { FastifyRequest } from 'fastify'

import { RiverhookError } from '../index.ts'
import { hostOf } from './hosts.ts'
import type { Visitor } from './operator.ts'

/**
 * Refuses requests that a page of another origin made. A browser attaches cookies, and a proxy its login, to those too.
 * A token that the sender put into a header is never attached like that.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_CROSS_SITE, RIVERHOOK_ADMIN_MEDIA_TYPE
 */
export function refuseCrossSite({ method, raw: { headers } }: FastifyRequest, visitor: Visitor | undefined): void {
  if (visitor?.via === 'token') return
  const isReading = method === 'GET' || method === 'HEAD'
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site === undefined && origin === undefined) {
    if (isReading || isProgram(headers)) return
    throw crossSite('it has neither Sec-Fetch-Site nor Origin')
  }
  if (site === undefined) {
    if (!isOwnOrigin(origin, hostOf(headers))) throw crossSite('its Origin is not this server')
  } else if (site !== 'same-origin' && !(isReading && site === 'none'))
    throw crossSite(`its Sec-Fetch-Site is not same-origin`)
  // A form of another page cannot send this type.
  if ((method === 'POST' || method === 'PUT') && !/^application\/json *(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw new RiverhookError('RIVERHOOK_ADMIN_MEDIA_TYPE', 'Send the body as content-type: application/json')
}

/** A browser sends no header `Authorization: Bearer` on its own. With a cookie, the login may be that of the cookie. */
function isProgram({ authorization = '', cookie }: FastifyRequest['headers']): boolean {
  return cookie === undefined && /^bearer /i.test(authorization)
}

/** The scheme is unknown behind a proxy, so only host and port are compared. `null` names none. */
function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined || !/^https?:\/\//i.test(origin) || !URL.canParse(origin)) return false
  const { host: from, protocol } = new URL(origin)
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === from
}

function crossSite(reason: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_ADMIN_CROSS_SITE',
    `The request may come from a page of another site: ${reason}. A program should use a token in the header Authorization`
  )
}
