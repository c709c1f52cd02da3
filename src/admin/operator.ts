import type { FastifyRequest } from 'fastify'

import type { Actor } from '../index.ts'
import type { Scope } from './scope.ts'

/** A person or a program that may come in. */
export interface Operator {
  /** 1 to 200 printable characters. It is in the audit log. */
  readonly name: string
  readonly scopes: readonly Scope[]
}

/** The host's own login. An error, and an answer of another form, refuse the request. */
export type Authenticate = (
  request: FastifyRequest
) => Operator | undefined | null | PromiseLike<Operator | undefined | null>

/** An operator, and the way they came in. */
export interface Visitor {
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  readonly via: Actor['via']
  /** The end of the session, if they have one. */
  readonly expiresAt?: Date
}

/** Whether a value can be the name of an operator. */
export function isOperatorName(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && /^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,200}(?<!\s)$/u.test(value)
}
