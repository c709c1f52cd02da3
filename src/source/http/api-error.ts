import { RiverhookError, type RiverhookErrorCode } from '../../model/errors.ts'

/** One entry of the provider's list of errors. Every field may be missing. */
export interface ApiErrorDetail {
  /** For example `invalid_parameter`. May change without notice: branch on `status` and `type` of the error. */
  readonly code?: string
  /** The field in question. */
  readonly parameter?: string
  readonly message?: string
}

export type ApiErrorCode = Extract<RiverhookErrorCode, `RIVERHOOK_API_${string}`>

/** The facts about a call that failed. */
export interface ApiErrorFacts {
  readonly method: string
  readonly path: string
  readonly status?: number | undefined
  readonly type?: string | undefined
  readonly errors?: readonly ApiErrorDetail[]
  readonly requestId?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/**
 * A failed call of a provider's API. The message can be logged: it names the call, the provider's reasons and what
 * to do, and contains no key, password or secret that was sent.
 *
 * `code` is RIVERHOOK_API_REFUSED (an error status), RIVERHOOK_API_UNREACHABLE (no complete answer) or
 * RIVERHOOK_API_ANSWER (an answer that cannot be read).
 */
export class ApiError extends RiverhookError {
  override readonly name: string = 'ApiError'
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** The HTTP status of the answer; undefined without a complete answer. */
  readonly status: number | undefined
  /** The provider's name for the status, for example `bad_request`. */
  readonly type: string | undefined
  /** The provider's reasons, if it gave any. */
  readonly errors: readonly ApiErrorDetail[]
  /** The id of the call for the provider's support; undefined if no header of the answer had one. */
  readonly requestId: string | undefined
  /**
   * How long the provider asks to wait before the next call (`Retry-After`), in milliseconds; undefined if it does not
   * ask.
   */
  readonly retryAfterMs: number | undefined

  constructor(code: ApiErrorCode, message: string, facts: ApiErrorFacts) {
    super(code, message)
    this.method = facts.method
    this.path = facts.path
    this.status = facts.status
    this.type = facts.type
    this.errors = facts.errors ?? []
    this.requestId = facts.requestId
    this.retryAfterMs = facts.retryAfterMs
  }
}
