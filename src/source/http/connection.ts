import secureJson from 'secure-json-parse'

import type { ApiError } from './api-error.ts'
import { exchange, type Answer, type NoAnswer } from './exchange.ts'
import { masker } from './mask.ts'
import { isRateLimited, retryAfterOf } from './rate-limit.ts'
import { refusal, requestIdOf, type CallName, type Mask, type RefusalRules } from './refusal.ts'
import { retryDelayMs } from './retry-delay.ts'

/** Names and values in order; a name may occur more than once. */
export type Query = readonly (readonly [name: string, value: string])[]

export interface Call extends CallName {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly query?: Query
  readonly body?: unknown
  /** Makes a POST safe to retry: the provider carries it out once for each key. */
  readonly idempotencyKey?: string | undefined
  /** The parts of the body that must never appear in an error. */
  readonly secrets?: readonly string[]
}

export interface ConnectionSettings extends RefusalRules {
  readonly key: string
  /** Without a slash at the end. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** How bodies are sent. Default: as JSON. */
  readonly encoding?: 'json' | 'form' | undefined
  /** For one attempt, including the body of its answer. */
  readonly timeoutMs: number
  /** The most retries of a call. */
  readonly retries: number
  readonly random: () => number
  readonly wait: (ms: number) => Promise<unknown>
  /** Aborts the calls. */
  readonly signal: AbortSignal | undefined
}

/** Whether a retry may succeed after this status, or after no answer. The call may have taken effect already. */
export function isUndecided(status: number | undefined): boolean {
  return status === undefined || status === 408 || status >= 500
}

/**
 * Sends calls of an API with the key, retries them if that is safe, and reads their answers as JSON. A POST without an
 * idempotency key is retried only if it was refused by a rate limit, so without effect: a second create would make a
 * second webhook.
 */
export class Connection {
  readonly #settings: ConnectionSettings

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  get retries(): number {
    return this.#settings.retries
  }

  /** Waits as before a retry. */
  async pause(attempt: number): Promise<void> {
    await this.#settings.wait(retryDelayMs(attempt, null, 0, this.#settings.random()) ?? 0)
  }

  /**
   * Sends a call and reads the JSON in its answer.
   * @throws {ApiError}
   */
  async json(call: Call): Promise<unknown> {
    const { answer, mask } = await this.#send(call)
    const { status, headers, text } = answer
    const unreadable = (what: string) =>
      this.unreadable(call, `with ${status} and ${what}`, { status, requestId: requestIdOf(headers, mask) })
    if (text === undefined) throw unreadable('more than 16 MiB')
    try {
      // Drop keys such as __proto__: the result is copied into other objects.
      return secureJson.parse(text, undefined, { protoAction: 'remove', constructorAction: 'remove' }) as unknown
    } catch {
      // Do not pass on the parser's message: it quotes the answer, which may contain the secrets of a webhook.
      throw unreadable(`a body that is not JSON (content type ${mask(headers.get('content-type') ?? 'not given')})`)
    }
  }

  /**
   * Sends a DELETE, whose answer has no body. A 404 after a retry means that an earlier attempt took effect.
   * @throws {ApiError}
   */
  async delete(path: string): Promise<void> {
    await this.#send({ method: 'DELETE', path })
  }

  async #send(call: Call): Promise<{ answer: Answer; mask: Mask }> {
    const { key, retries, random, wait, timeoutMs, signal } = this.#settings
    const mask = masker([key, ...(call.secrets ?? [])])
    for (let tries = 1; ; tries += 1) {
      const answer = await exchange(this.#outgoing(call), timeoutMs, signal)
      if (answer.status !== undefined && isDone(call, answer.status, tries)) return { answer, mask }
      const now = Date.now()
      const retryAfter = answer.status === undefined ? null : retryAfterOf(answer.headers, now)
      const again = tries <= retries && mayRepeat(call, answer) && signal?.aborted !== true
      const delayMs = again ? retryDelayMs(tries, retryAfter, now, random()) : undefined
      if (delayMs === undefined) {
        throw answer.status === undefined
          ? this.#unreached(call, answer, tries, mask)
          : refusal(call, answer, tries, mask, this.#settings)
      }
      await wait(delayMs)
    }
  }

  #outgoing({ method, path, query = [], body, idempotencyKey }: Call) {
    const { key, url, headers, encoding = 'json' } = this.#settings
    const target = new URL(`${url}${path}`)
    for (const [name, value] of query) target.searchParams.append(name, value)
    const all = {
      accept: 'application/json',
      'user-agent': 'riverhook',
      authorization: `Bearer ${key}`,
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...headers
    }
    if (body === undefined) return { method, url: target, headers: all }
    if (encoding === 'form') {
      const form = new URLSearchParams(body as [string, string][])
      const type = 'application/x-www-form-urlencoded'
      return { method, url: target, headers: { ...all, 'content-type': type }, body: form.toString() }
    }
    return { method, url: target, headers: { ...all, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }

  /** The error for an answer that cannot be used. `what` completes the sentence "... was answered". */
  unreadable(
    { method, path }: CallName,
    what: string,
    facts: { status?: number; requestId?: string | undefined } = {}
  ): ApiError {
    const { Failure } = this.#settings
    const tail = facts.requestId === undefined ? '' : `; request id ${facts.requestId}`
    const message = `${method} ${path} was answered ${what}${tail}`
    return new Failure('RIVERHOOK_API_ANSWER', message, { method, path, ...facts })
  }

  #unreached({ method, path }: Call, { reason }: NoAnswer, tries: number, mask: Mask): ApiError {
    const { Failure } = this.#settings
    const advice =
      method === 'POST'
        ? 'It may have taken effect: list the webhooks before you create one again.'
        : 'Check the URL of the API, and the network to it.'
    const often = tries > 1 ? `, after ${tries} tries` : ''
    const message = `${method} ${path} got no answer: ${mask(reason)}${often}. ${advice}`
    return new Failure('RIVERHOOK_API_UNREACHABLE', message, { method, path })
  }
}

/** Any 2xx, because the provider's documents disagree. And a 404 after a retry: an earlier attempt deleted it. */
function isDone({ method }: Call, status: number, tries: number): boolean {
  return (status >= 200 && status < 300) || (method === 'DELETE' && tries > 1 && status === 404)
}

function mayRepeat({ method, idempotencyKey }: Call, answer: Answer | NoAnswer): boolean {
  if (answer.status !== undefined && isRateLimited(answer)) return true
  return (method !== 'POST' || idempotencyKey !== undefined) && isUndecided(answer.status)
}
