import type { Source, SourceRequest, Verdict, Verifier } from '../source/source.ts'

/** The secrets, or a function that is asked at every request. */
export type SecretsRule = string | readonly string[] | (() => readonly string[] | string | PromiseLike<readonly string[] | string>)

export interface SignatureCheckOptions {
  readonly path: string
  readonly source: Source
  readonly secrets: SecretsRule
  readonly toleranceMs: number
}

/** The signature check of one endpoint. Secrets are prepared once, and again when the function gives other ones. */
export class SignatureCheck {
  /** The endpoint's path. */
  readonly path: string
  readonly #source: Source
  readonly #rule: SecretsRule
  readonly #toleranceMs: number
  #secrets: readonly string[] = []
  #verifier: Verifier | undefined

  /** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
  constructor({ path, source, secrets, toleranceMs }: SignatureCheckOptions) {
    this.path = path
    this.#source = source
    this.#rule = secrets
    this.#toleranceMs = toleranceMs
    if (typeof secrets !== 'function') this.#prepare(secrets)
  }

  /** The secrets last seen; empty before a function has been asked. */
  get secrets(): readonly string[] {
    return this.#secrets
  }

  /** The verifier last prepared; undefined before a function has been asked. */
  get verifier(): Verifier | undefined {
    return this.#verifier
  }

  /** Asks the function for the secrets, where one was given. @throws what it throws */
  async refresh(): Promise<void> {
    if (typeof this.#rule === 'function') this.#prepare(await this.#rule())
  }

  verify(request: SourceRequest, now: Date): Verdict | Promise<Verdict> {
    if (typeof this.#rule !== 'function') return this.#verify(request, now)
    const given = this.#rule()
    if (typeof given === 'string' || Array.isArray(given)) {
      this.#prepare(given as string | readonly string[])
      return this.#verify(request, now)
    }
    return Promise.resolve(given).then((secrets) => {
      this.#prepare(secrets)
      return this.#verify(request, now)
    })
  }

  #verify(request: SourceRequest, now: Date): Verdict {
    if (this.#verifier === undefined) throw new Error('a verifier is prepared before it is used')
    return this.#verifier.verify(request, now, this.#toleranceMs)
  }

  #prepare(given: string | readonly string[]): void {
    const secrets = typeof given === 'string' ? [given] : given
    const isSame = secrets.length === this.#secrets.length && secrets.every((secret, index) => secret === this.#secrets[index])
    if (this.#verifier !== undefined && isSame) return
    this.#verifier = this.#source.verifier(secrets)
    this.#secrets = [...secrets]
  }
}
