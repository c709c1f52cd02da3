import { checkSecrets } from '../../model/check-secrets.ts'
import { RiverhookError } from '../../model/errors.ts'
import { ignoreRejection, isThenable } from '../../model/not-begun.ts'
import type { IncomingRequest, Source, Verdict, Verifier } from '../../source/source.ts'
import { checkAnswer, prepareVerifier } from '../../source/check-answer.ts'
import { SharedCall } from './shared-call.ts'

/** The secrets, or a function that is called for every request that may be authentic. */
export type SecretsRule = string | readonly string[] | (() => GivenSecrets | PromiseLike<GivenSecrets>)
type GivenSecrets = string | readonly string[]

export interface SignatureCheckOptions {
  readonly path: string
  readonly source: Source
  readonly secrets: SecretsRule
  readonly toleranceMs: number
  /** `any`: accepts a matching signature even if its time cannot be read. */
  readonly timestamps: 'readable' | 'any'
}

/** A verdict, with the secret that matched. */
export type CheckedVerdict =
  | (Extract<Verdict, { ok: true }> & { readonly matched: string | undefined })
  | Extract<Verdict, { ok: false }>

/**
 * The signature check of one endpoint. The source parses the signature: see `header.ts` and `verify.ts` in its folder
 * under `src/source`. A verifier is prepared once, and again if the function returns other secrets.
 */
export class SignatureCheck {
  /** The endpoint's path. */
  readonly path: string
  readonly #source: Source
  readonly #rule: SecretsRule
  readonly #toleranceMs: number
  readonly #timestamps: 'readable' | 'any'
  #secrets: readonly string[] = []
  readonly #secretsOf = new WeakMap<Verifier, readonly string[]>()
  #verifier: Verifier | undefined
  readonly #calls = new SharedCall<Verifier>()

  /** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
  constructor({ path, source, secrets, toleranceMs, timestamps }: SignatureCheckOptions) {
    this.path = path
    this.#source = source
    this.#rule = secrets
    this.#toleranceMs = toleranceMs
    this.#timestamps = timestamps
    if (typeof secrets !== 'function') this.#prepare(secrets)
  }

  /** The secrets of the last call; empty before the first one. */
  get secrets(): readonly string[] {
    return this.#secrets
  }

  /** The current verifier; undefined before the first call of the function. */
  get verifier(): Verifier | undefined {
    return this.#verifier
  }

  /**
   * Calls the function for the secrets, if there is one.
   * @throws what it throws
   */
  async refresh(): Promise<void> {
    if (typeof this.#rule === 'function') await this.#ask(this.#rule)
  }

  verify(request: IncomingRequest, now: Date): CheckedVerdict | Promise<CheckedVerdict> {
    if (typeof this.#rule !== 'function') return this.#verify(this.#verifier, request, now)
    const refused = this.#refuseWithoutSecrets(request, now)
    if (refused !== undefined) return refused
    const verifier = this.#ask(this.#rule)
    return verifier instanceof Promise
      ? verifier.then((later) => this.#verify(later, request, now))
      : this.#verify(verifier, request, now)
  }

  /** Whether the last known secrets match, regardless of the time. False if the source verifies asynchronously. */
  matches(request: IncomingRequest, now: Date): boolean {
    return this.#judgeAtOnce(request, now, Infinity)?.ok === true
  }

  /** Whether the claimed time of the request is within the tolerance. True if it claims none. */
  isInTime(signedAt: Date | undefined, now: Date): boolean {
    return signedAt === undefined || Math.abs(now.getTime() - signedAt.getTime()) <= this.#toleranceMs
  }

  /**
   * Refuses requests that no secret can authenticate, so that an unauthenticated sender cannot cause thousands of calls
   * to a secret store.
   */
  #refuseWithoutSecrets(request: IncomingRequest, now: Date): Extract<Verdict, { ok: false }> | undefined {
    if (this.#source.precheck === undefined) return undefined
    const seen = checkAnswer(this.#source, 'precheck', this.#source.precheck(request))
    if (!seen.ok) return seen
    const isUnreadable = seen.isUnreadable === true && this.#timestamps === 'readable'
    if (!isUnreadable && this.isInTime(seen.signedAt, now)) return undefined
    // Uses the last known secrets, only to find the reason. The time is wrong, so this cannot accept.
    const verdict = this.#judgeAtOnce(request, now, this.#toleranceMs)
    if (isUnreadable && (verdict === undefined || (!verdict.ok && verdict.reason === 'no_match'))) {
      const found = verdict === undefined ? '' : `${verdict.detail}; `
      const detail = `${found}its timestamp cannot be read as a time, so the function for the secrets was not called`
      return { ok: false, reason: 'no_match', detail }
    }
    if (verdict?.ok === false) return verdict
    const seconds = Math.abs(now.getTime() - Number(seen.signedAt)) / 1000
    const detail = `its timestamp is ${seconds.toFixed(1)} s from this machine's clock (tolerance ${this.#toleranceMs / 1000} s); the signature was not compared`
    return { ok: false, reason: 'clock', detail }
  }

  #verify(
    verifier: Verifier | undefined,
    request: IncomingRequest,
    now: Date
  ): CheckedVerdict | Promise<CheckedVerdict> {
    if (verifier === undefined) throw new Error('the verifier must be prepared before its first use')
    // The secrets of this verifier. Others may be prepared while it works.
    const secrets = this.#secretsOf.get(verifier) ?? []
    const verdict = verifier.verify(request, now, this.#toleranceMs)
    return isThenable(verdict)
      ? Promise.resolve(verdict).then((later) => this.#accept(later, secrets))
      : this.#accept(verdict, secrets)
  }

  /** Accepts a matching signature with an unreadable time, if the endpoint allows it. */
  #accept(given: Verdict, secrets: readonly string[]): CheckedVerdict {
    const verdict = checkAnswer(this.#source, 'verify', given)
    if (verdict.ok) return { ...verdict, matched: matchedIn(secrets, verdict) }
    if (verdict.reason !== 'unreadable_time' || this.#timestamps !== 'any') return verdict
    return { ok: true, secret: verdict.secret, matched: matchedIn(secrets, verdict) }
  }

  /**
   * The verdict with the last known secrets, to explain a refusal in the log. Undefined if there are none, or if the
   * source verifies asynchronously.
   */
  #judgeAtOnce(request: IncomingRequest, now: Date, toleranceMs: number): Verdict | undefined {
    const verdict = this.#verifier?.verify(request, now, toleranceMs)
    if (verdict === undefined) return undefined
    if (!isThenable(verdict)) return checkAnswer(this.#source, 'verify', verdict)
    ignoreRejection(verdict)
    return undefined
  }

  /** Returns a promise only if the function does: every request passes here. */
  #ask(rule: Extract<SecretsRule, (...none: never) => unknown>): Verifier | Promise<Verifier> {
    const { current } = this.#calls
    if (current !== undefined) return current
    const given = rule()
    if (typeof given === 'string' || Array.isArray(given)) return this.#prepare(given)
    return this.#calls.share(Promise.resolve(given).then((secrets) => this.#prepare(secrets)))
  }

  /**
   * Checks the secrets with our rules and the source's, and passes on a copy, because the list may change afterwards.
   * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET for a secret that cannot be used, and for a value that is neither
   * a text nor a list (the message names secrets by position, which a Set does not have); RIVERHOOK_OPTIONS_INVALID if
   * the source returns no verifier
   */
  #prepare(given: unknown): Verifier {
    if (typeof given !== 'string' && !Array.isArray(given)) {
      throw new RiverhookError(
        'RIVERHOOK_SOURCE_SECRET',
        'The function for the secrets must return a string or a list of strings'
      )
    }
    const secrets: readonly unknown[] = typeof given === 'string' ? [given] : [...(given as readonly unknown[])]
    const isSame =
      secrets.length === this.#secrets.length && secrets.every((secret, index) => secret === this.#secrets[index])
    if (this.#verifier !== undefined && isSame) return this.#verifier
    checkSecrets(secrets)
    this.#verifier = prepareVerifier(this.#source, secrets)
    this.#secrets = secrets
    this.#secretsOf.set(this.#verifier, secrets)
    return this.#verifier
  }
}

/** Undefined if a source written in JavaScript returned no position. */
function matchedIn(secrets: readonly string[], { secret }: { readonly secret: unknown }): string | undefined {
  return typeof secret === 'number' ? secrets[secret - 1] : undefined
}
