import { createHmac, timingSafeEqual } from 'node:crypto'

import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'

import { isLoopbackName, nameOfHost } from './hosts.ts'
import type { Visitor } from './operator.ts'
import { isScope } from './scope.ts'
import type { Token, Tokens } from './tokens.ts'

/** The name of the cookie. */
export const cookieName = 'riverhook_session'

/** 12 hours, in milliseconds. */
const longestSession = 12 * 60 * 60 * 1000

/** A longer cookie is none of ours. */
const longestCookie = 2048

/** Adds the functions for cookies to the scope of the API, unless the host has them. */
export async function acceptCookies(api: FastifyInstance): Promise<void> {
  if (!api.hasDecorator('parseCookie')) await api.register(cookie, { hook: false })
}

/**
 * Browser sessions. A session is in its cookie alone: the token's id, name, scopes and the end, signed by a key that
 * is derived from the token's line. So every replica with the line accepts it, and removing the line ends it.
 */
export class Sessions {
  readonly #tokens: Tokens
  readonly #pathOf: (request: FastifyRequest) => string
  readonly #clock: () => number

  /** @param pathOf the path under which the browser sees the plugin, without a slash at its end */
  constructor(tokens: Tokens, pathOf: (request: FastifyRequest) => string, clock: () => number = Date.now) {
    this.#tokens = tokens
    this.#pathOf = pathOf
    this.#clock = clock
  }

  /** Makes the cookie of a new session. Undefined for a wrong token. */
  begin(given: string, request: FastifyRequest): { readonly cookie: string; readonly visitor: Visitor } | undefined {
    const token = this.#tokens.find(given)
    if (token === undefined) return undefined
    const end = this.#clock() + longestSession
    const content = Buffer.from(JSON.stringify([token.id, token.name, [...token.scopes], end])).toString('base64url')
    const cookie = this.#cookie(
      `${content}.${sign(token, content).toString('base64url')}`,
      request,
      longestSession / 1000
    )
    return { cookie, visitor: visitorOf(token, token.scopes, end) }
  }

  /** The operator whose session the request has. */
  find({ headers, server }: FastifyRequest): Visitor | undefined {
    if (headers.cookie === undefined) return undefined
    const value = server.parseCookie(headers.cookie)[cookieName]
    if (value === undefined || value.length > longestCookie) return undefined
    const [content = '', signature = '', ...rest] = value.split('.')
    const claim = rest.length === 0 ? readContent(content) : undefined
    const token = claim === undefined ? undefined : this.#tokens.byId(claim.id)
    if (claim === undefined || token === undefined) return undefined
    const right = sign(token, content)
    const given = Buffer.from(signature, 'base64url')
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    if (claim.end <= this.#clock() || claim.name !== token.name) return undefined
    // A scope that was taken from the token is taken from its sessions, too.
    const scopes = [...token.scopes].filter((scope) => claim.scopes.includes(scope))
    return visitorOf(token, new Set(scopes), claim.end)
  }

  /** The cookie that ends the session in the browser. It stays valid elsewhere until its end: it is nowhere stored. */
  endingCookie(request: FastifyRequest): string {
    return this.#cookie('', request, 0)
  }

  #cookie(value: string, request: FastifyRequest, maxAge: number): string {
    return request.server.serializeCookie(cookieName, value, {
      httpOnly: true,
      sameSite: 'strict',
      secure: !isPlainLoopback(request),
      path: `${this.#pathOf(request)}/`,
      maxAge
    })
  }
}

function visitorOf({ name }: Token, scopes: Visitor['scopes'], end: number): Visitor {
  return { name, scopes, via: 'session', expiresAt: new Date(end) }
}

function sign({ sessionKey }: Token, content: string): Buffer {
  return createHmac('sha256', sessionKey).update(content).digest()
}

/** On loopback, there is no TLS, and no network. A proxy in front that sends its own name shows in the origin. */
function isPlainLoopback({ raw, headers }: FastifyRequest): boolean {
  const name = nameOfHost(raw.headers)
  return name !== undefined && isLoopbackName(name) && headers.origin?.startsWith('https:') !== true
}

interface Claim {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly end: number
}

/** Reads what the sender claims. Undefined for anything but the form that `begin` writes. */
function readContent(content: string): Claim | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(content, 'base64url').toString())
    if (!Array.isArray(value)) return undefined
    const [id, name, scopes, end] = value as readonly unknown[]
    const isClaim = typeof id === 'string' && typeof name === 'string' && Array.isArray(scopes) && scopes.every(isScope)
    return isClaim && typeof end === 'number' ? { id, name, scopes, end } : undefined
  } catch {
    return undefined
  }
}
