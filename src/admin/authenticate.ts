import type { FastifyRequest } from 'fastify'

import { loggedError, RiverhookError } from '../index.ts'
import type { Limits } from './limits.ts'
import { isOperatorName, type Authenticate, type Operator, type Visitor } from './operator.ts'
import type { ProxyLogin } from './proxy.ts'
import { isScope, scopes } from './scope.ts'
import type { Sessions } from './session.ts'
import type { Tokens } from './tokens.ts'

/** The ways in. At least one of `tokens`, `proxy` and `authenticate` is there. */
export interface Ways {
  readonly tokens: Tokens | undefined
  /** Those of the tokens. */
  readonly sessions: Sessions | undefined
  readonly proxy: ProxyLogin | undefined
  readonly authenticate: Authenticate | undefined
  readonly limits: Pick<Limits, 'failedLogin'>
}

/**
 * Finds the operator that a request comes from: by its token, its session, the proxy in front, or the host's login.
 * Undefined if it has none of these.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_UNAUTHENTICATED for a wrong token; RIVERHOOK_ADMIN_RATE,
 * RIVERHOOK_ADMIN_FAULT
 */
export async function findVisitor(request: FastifyRequest, ways: Ways): Promise<Visitor | undefined> {
  const { tokens, sessions, proxy, authenticate } = ways
  const bearer = tokens === undefined ? undefined : bearerOf(request)
  if (bearer !== undefined) {
    const token = tokens?.find(bearer)
    if (token !== undefined) return { name: token.name, scopes: token.scopes, via: 'token' }
  }
  const session = bearer === undefined ? sessions?.find(request) : undefined
  const visitor = session ?? proxy?.find(request) ?? (await askHost(authenticate, request))
  if (bearer === undefined || visitor !== undefined) return visitor
  await ways.limits.failedLogin(request)
  throw wrongToken()
}

export function wrongToken(): RiverhookError {
  return new RiverhookError('RIVERHOOK_ADMIN_UNAUTHENTICATED', 'The token is not valid here')
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1]
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_FAULT */
async function askHost(authenticate: Authenticate | undefined, request: FastifyRequest): Promise<Visitor | undefined> {
  try {
    const answer: unknown = await authenticate?.(request)
    if (answer === undefined || answer === null) return undefined
    const { name, scopes } = checkOperator(answer)
    return { name, scopes: new Set(scopes), via: 'host' }
  } catch (error) {
    // Checks such as `request.jwtVerify()` throw it if there is no login.
    if ([401, 403].includes((error as { readonly statusCode?: number } | null)?.statusCode ?? 0)) return undefined
    request.log.error({ err: loggedError(error) }, 'the login of the host failed, so the request is refused')
    throw new RiverhookError('RIVERHOOK_ADMIN_FAULT', 'The login failed; the log has the details', { cause: error })
  }
}

/** Refuses a value of another form: `true` would not name the operator. */
function checkOperator(value: unknown): Operator {
  const { name, scopes: given } = value as Partial<Record<keyof Operator, unknown>>
  if (isOperatorName(name) && Array.isArray(given) && given.every(isScope)) return { name, scopes: given }
  throw new TypeError(
    `"authenticate" must return undefined, or { name, scopes } with a name of 1 to 200 printable characters and scopes of ${scopes.join(', ')}`
  )
}
