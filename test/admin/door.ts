import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import { admin, type AdminOptions, type Scope } from '../../src/admin/index.ts'
import { newToken } from '../../src/admin/tokens.ts'
import { createRiverhook } from '../../src/index.ts'

export interface Knock {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** The address of the peer. */
  readonly from?: string
  /** Default: the session. */
  readonly path?: string
}

/** The API with these ways in, called without a network, so that the peer can be any address. */
export async function openDoor(
  t: Test,
  { prefix = '/ops', log = [], ...options }: AdminOptions & { readonly prefix?: string; readonly log?: string[] }
): Promise<(knock?: Knock) => Promise<LightMyRequestResponse>> {
  const app: FastifyInstance = Fastify({ logger: { level: 'info', stream: { write: (line) => log.push(line) } } })
  t.teardown(() => app.close())
  const riverhook = createRiverhook({ inbox: 'memory:', secrets: 'whk_a' })
  await app.register(admin, { prefix, riverhook, ...options })
  return ({ method = 'GET', headers = {}, body, from, path = 'session' } = {}) =>
    app.inject({
      method,
      url: `${prefix}/api/v1/${path}`,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(from === undefined ? {} : { remoteAddress: from })
    })
}

/** A token of alice, and its line. */
export const tokenOf = (...scopes: readonly Scope[]) => newToken('alice', scopes)

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

/** The header that a browser adds to a request of the page. */
export const ofThePage = { 'sec-fetch-site': 'same-origin' }

/** Logs in, and returns the header that the browser sends from then on. */
export async function logIn(
  knock: (knock: Knock) => Promise<LightMyRequestResponse>,
  token: string,
  headers: Record<string, string> = {}
): Promise<{ readonly cookie: string; readonly setCookie: string }> {
  const answer = await knock({ method: 'POST', headers: { ...ofThePage, ...headers }, body: { token } })
  const setCookie = String(answer.headers['set-cookie'])
  return { cookie: setCookie.split(';', 1)[0] ?? '', setCookie }
}
