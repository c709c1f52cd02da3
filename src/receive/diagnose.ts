import type { SourceRequest } from '../source/source.ts'
import type { SignatureCheck } from './signature-check.ts'

/** At most so many costly diagnoses a second: refused requests can be sent by anybody, as many as they like. */
const perSecond = 5

/** Says more of a signature that no secret matched: the words in the log that end the search. */
export class Diagnosis {
  readonly #checks: readonly SignatureCheck[]
  #second = 0
  #spent = 0

  constructor(checks: readonly SignatureCheck[]) {
    this.#checks = checks
  }

  /** @returns a sentence, or undefined when nothing was found or too many were asked for in this second */
  explain(request: SourceRequest, own: SignatureCheck, now: Date): string | undefined {
    if (!this.#mayLook(now)) return undefined
    const other = this.#checks.find((check) => check !== own && fits(check, request, now))
    if (other !== undefined) {
      return `it matches a secret of the endpoint ${other.path}: the two are mixed up (test and live?), here or in the provider's dashboard`
    }
    return own.verifier?.explain(request)
  }

  #mayLook(now: Date): boolean {
    const second = Math.floor(now.getTime() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#spent = 0
    }
    this.#spent += 1
    return this.#spent <= perSecond
  }
}

function fits({ verifier }: SignatureCheck, request: SourceRequest, now: Date): boolean {
  return verifier?.verify(request, now, Infinity).ok === true
}
