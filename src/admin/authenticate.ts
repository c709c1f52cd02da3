import type { FastifyRequest } from 'fastify'

import { loggedError, RiverhookError, type Actor } from '../index.ts'
import type { Authenticate, Operator } from './operator.ts'
import { isScope, scopes, type Scope } from './scope.ts'

/** An operator, and by which way they came in. */
export interface Visitor {
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  readonly via: Actor['via']
}

/**
 * Makes the function that decides who a request comes from.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_NO_LOGIN
 */
export function authenticator({
  authenticate
}: {
  readonly authenticate?: Authenticate | undefined
}): (request: FastifyRequest) => Promise<Visitor | undefined> {
  if (authenticate === undefined)
    throw new RiverhookError(
      'RIVERHOOK_ADMIN_NO_LOGIN',
      'The operator\'s API has nothing that decides who may come in: pass the option "authenticate"'
    )
  return async (request) => {
    const operator = await ask(authenticate, request)
    return operator === undefined ? undefined : { name: operator.name, scopes: new Set(operator.scopes), via: 'host' }
  }
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_FAULT */
async function ask(authenticate: Authenticate, request: FastifyRequest): Promise<Operator | undefined> {
  try {
    const operator: unknown = await authenticate(request)
    return operator === undefined || operator === null ? undefined : checkOperator(operator)
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
  const isNamed = typeof name === 'string' && name !== '' && name.length <= 200
  if (isNamed && Array.isArray(given) && given.every(isScope)) return { name, scopes: given }
  throw new TypeError(
    `"authenticate" must return undefined, or { name, scopes } with a name of 1 to 200 characters and scopes of ${scopes.join(', ')}`
  )
}
