import { publish } from '../model/channels.ts'
import { loggedError } from '../model/error-text.ts'
import type { Hide } from '../model/hidden-values.ts'
import type { Log } from '../model/log.ts'
import { assertBegun } from '../model/not-begun.ts'
import { shorten } from '../model/shorten.ts'
import type { FindTracing } from '../model/tracing.ts'
import { visible } from '../model/visible.ts'
import type { RequestCounts } from './request-counts.ts'
import { statusOf, type AnswerCode } from './reply.ts'

/** A refused request: the argument of `onRejected`. */
export interface Rejection {
  readonly endpoint: string
  readonly statusCode: number
  readonly code: AnswerCode
  /** Why, for a person. Holds no secret and no value of the payload. */
  readonly reason: string
  readonly requestId: string
}

export interface RejectionsOptions {
  /** The path at which they were refused. */
  readonly path: string
  readonly realm: string
  readonly log: Log
  /** Counts the refused requests of all endpoints. */
  readonly counts: Pick<RequestCounts, 'count'>
  readonly onRejected?: ((rejection: Rejection) => unknown) | undefined
  readonly tracing: FindTracing
}

/** An error that ended a request. */
export interface Thrown {
  readonly error: unknown
  /** Hides the values of the request's body. */
  readonly hide?: Hide | undefined
}

/** Counts, logs and reports the refused requests of one path. */
export class Rejections {
  readonly #options: RejectionsOptions

  constructor(options: RejectionsOptions) {
    this.#options = options
  }

  /** @param thrown for the log of an internal error */
  add(requestId: string, code: AnswerCode, why: string, thrown?: Thrown): void {
    const { path, realm, log, tracing } = this.#options
    this.count(code)
    const reason = visible(shorten(why, 1_000))
    const statusCode = statusOf(code)
    const message = { endpoint: path, realm, code, status_code: statusCode, reason }
    const keys = { ...message, ...tracing()?.activeIds() }
    if (statusCode === 500)
      log.error(
        { ...keys, ...(thrown === undefined ? {} : { err: loggedError(thrown.error, thrown.hide) }) },
        'internal error'
      )
    else if (statusCode > 500) log.error(keys, 'request refused; the sender should retry')
    else log.warn(keys, 'request refused')
    publish('rejected', message)
    this.#callOnRejected({ endpoint: path, statusCode, code, reason, requestId })
  }

  /** Counts one without a log line. */
  count(code: AnswerCode): void {
    const { path, counts } = this.#options
    counts.count(path, code)
  }

  #callOnRejected(rejection: Rejection): void {
    const { onRejected, log, path } = this.#options
    const failed = (error: unknown): void => {
      log.error({ err: loggedError(error), endpoint: path }, 'onRejected failed')
    }
    try {
      Promise.resolve(onRejected?.(rejection)).then(assertBegun).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
