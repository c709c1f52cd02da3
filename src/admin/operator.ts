import type { FastifyRequest } from 'fastify'

import type { Scope } from './scope.ts'

/** A person or a program that may come in. */
export interface Operator {
  /** 1 to 200 characters. It is in the audit log. */
  readonly name: string
  readonly scopes: readonly Scope[]
}

/** The host's own login. An error, and an answer of another form, refuse the request. */
export type Authenticate = (
  request: FastifyRequest
) => Operator | undefined | null | PromiseLike<Operator | undefined | null>
