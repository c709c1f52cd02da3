import type { FastifyRequest } from 'fastify'

import type { BodyBudget } from './budget.ts'

/**
 * What Riverhook keeps of a request while it is under way. It lies beside Fastify's own fields, so that a hook of the
 * host cannot replace it. The bytes of the body are counted against the budget until every holder has let go: the
 * response, and the route's handler.
 */
export class Incoming {
  /** As `performance.now()` shows it. */
  readonly arrivedAt: number
  /** Every hook before the body parser has passed. */
  isParsing = false
  /** The body as it arrived; undefined where Fastify has called no parser. */
  bytes: Buffer | undefined
  /** What the body parser threw. */
  failure: unknown
  readonly #budget: BodyBudget
  #holders = 0
  #taken = 0

  /** @param elapsedMs since the head of the request arrived: hooks of the host come before ours, and take their time */
  constructor(budget: BodyBudget, elapsedMs: number) {
    this.#budget = budget
    this.arrivedAt = performance.now() - elapsedMs
  }

  get elapsedMs(): number {
    return performance.now() - this.arrivedAt
  }

  /** @returns false when the budget is used up */
  take(bytes: number): boolean {
    if (!this.#budget.take(bytes)) return false
    this.#taken += bytes
    return true
  }

  hold(): void {
    this.#holders += 1
  }

  letGo(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.release()
  }

  /** Gives the bytes back to the budget. */
  release(): void {
    this.#budget.release(this.#taken)
    this.#taken = 0
  }
}

/** The name of the field on the request. */
export const incomingField = Symbol('riverhook.incoming')

type WithIncoming = FastifyRequest & { [incomingField]: Incoming | undefined }

export function attachIncoming(request: FastifyRequest, incoming: Incoming): void {
  ;(request as WithIncoming)[incomingField] = incoming
}

/** Undefined while hooks of the host run that come before ours. */
export function findIncoming(request: FastifyRequest): Incoming | undefined {
  return (request as WithIncoming)[incomingField]
}

/** For code that runs after our own `onRequest` hook. */
export function incomingOf(request: FastifyRequest): Incoming {
  const incoming = findIncoming(request)
  if (incoming === undefined) throw new TypeError('the request has not passed the onRequest hook of Riverhook')
  return incoming
}
