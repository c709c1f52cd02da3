import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import type { IncomingRequest } from '../../source/source.ts'
import { shorten } from '../../model/shorten.ts'
import type { SignatureCheck } from './signature.ts'

/**
 * The most diagnoses per second, and the largest body, in bytes. Anybody can send requests that are refused, at any
 * rate.
 */
const perSecond = 5
const mostBytes = 262_144

/** Explains, for the log, why no secret matched. */
export class Diagnosis {
  readonly #checks: readonly SignatureCheck[]
  readonly #log: Pick<Log, 'warn'>
  #second = 0
  #spent = 0

  constructor(checks: readonly SignatureCheck[], log: Pick<Log, 'warn'>) {
    this.#checks = checks
    this.#log = log
  }

  /**
   * Never throws.
   * @returns a sentence, or undefined if nothing was found, the body is too large, or this second's limit is reached
   */
  explain(request: IncomingRequest, own: SignatureCheck, now: Date): string | undefined {
    if (request.body.byteLength > mostBytes || !this.#mayLook(now)) return undefined
    const failed = (error: unknown): void => {
      this.#log.warn(
        { endpoint: own.path, err: loggedError(error) },
        'the source failed to explain a refused signature'
      )
    }
    try {
      const other = this.#checks.find((check) => check !== own && check.matches(request, now))
      if (other !== undefined) {
        return `it matches a secret of the endpoint ${other.path}: the two are mixed up (test and live?), here or in the provider's dashboard`
      }
      const found: unknown = own.verifier?.explain?.(request)
      if (typeof found === 'string') return shorten(found, 500)
      // For a user's source: a promise that rejects must not end the process.
      if (found !== undefined) Promise.resolve(found).catch(failed)
    } catch (error) {
      failed(error)
    }
    return undefined
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
