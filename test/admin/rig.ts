import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import { admin, type AdminOptions, type Operator, type Scope } from '../../src/admin/index.ts'
import { riverhook, type RiverhookOptions } from '../../src/index.ts'

export interface Call {
  readonly method?: string
  /** Those of the operator that `authenticate` of this rig returns. Undefined: it is not logged in. */
  readonly scopes?: readonly Scope[] | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Rig {
  readonly app: FastifyInstance
  /** The address of the API, without a slash at its end. */
  readonly api: string
  /** Calls a route as the page does. */
  call(path: string, call?: Call): Promise<Response>
}

/** The login of the rig: who a header says it is. Never do that. */
export function headerLogin({ headers }: { readonly headers: Record<string, unknown> }): Operator | undefined {
  const { 'x-test-scopes': scopes } = headers
  return typeof scopes === 'string'
    ? { name: 'alice', scopes: scopes.split(',').filter((scope) => scope !== '') as Scope[] }
    : undefined
}

/** The operator's API, mounted in a host that listens, with a receiver on an inbox in memory. */
export async function startAdmin(
  t: Test,
  { prefix = '/ops', receiver = {}, ...options }: AdminOptions & { prefix?: string; receiver?: RiverhookOptions } = {}
): Promise<Rig> {
  const app = Fastify()
  await app.register(riverhook, { inbox: 'memory:', secrets: 'whk_a', ...receiver })
  await app.register(admin, { prefix, authenticate: headerLogin, ...options })
  const api = `${await app.listen({ port: 0, host: '127.0.0.1' })}${prefix}/api/v1`
  t.teardown(() => app.close())
  return {
    app,
    api,
    call: (path, { method = 'GET', scopes, headers = {}, body } = {}) =>
      fetch(`${api}/${path}`, {
        method,
        headers: {
          'sec-fetch-site': 'same-origin',
          ...(scopes === undefined ? {} : { 'x-test-scopes': scopes.join(',') }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers
        },
        body: body === undefined ? null : JSON.stringify(body)
      })
  }
}
