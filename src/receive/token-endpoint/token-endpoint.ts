import { errorText } from '../../model/error-text.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { Log } from '../../model/log.ts'
import type { IssuedTokens } from '../authenticate/issued-tokens.ts'
import { readRequestBody, type BodyStream } from '../body.ts'
import type { BodyBudget } from '../budget.ts'
import { chooseRefusal } from '../choose-refusal.ts'
import { Incoming } from '../incoming.ts'
import type { Rejections } from '../rejections.ts'
import { refuse, statusOf, type AnswerCode, type Reply } from '../reply.ts'
import type { RequestHead, Served } from '../served.ts'
import { FailedLogins, mostFailedLogins } from './failed-logins.ts'
import { TokenRefusal, type TokenErrorName } from './token-refusal.ts'
import { clientFinder, formType, readTokenRequest, type FindClient, type TokenClient } from './token-request.ts'

export interface TokenEndpointOptions {
  /** The full path, with the prefixes of the host. */
  readonly path: string
  readonly clients: readonly TokenClient[]
  readonly tokens: Pick<IssuedTokens, 'issue'>
  /** In milliseconds, since the head of the request arrived. */
  readonly ackTimeout: number
  /** Shared by all endpoints. */
  readonly budget: BodyBudget
  readonly rejections: Rejections
  readonly log: Log
  /** Whether requests are refused, because the process is shutting down. */
  readonly isRefusing: () => boolean
}

/** In bytes. The form of a client has some hundred. */
const bodyLimit = 8_192

/** An answer may hold a token, or be one that a cache must not repeat (RFC 6749, 5.1). */
const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** The token endpoint of an endpoint (RFC 6749): the grants `client_credentials` and `password`. */
export class TokenEndpoint implements Served {
  readonly #options: TokenEndpointOptions
  readonly #find: FindClient
  readonly #failed = new FailedLogins()
  readonly methods = ['POST']
  readonly bodyLimit = bodyLimit
  readonly mediaTypes = [formType]

  constructor(options: TokenEndpointOptions) {
    this.#options = options
    this.#find = clientFinder(options.clients)
  }

  get path(): string {
    return this.#options.path
  }

  /** It is unknown from which addresses a provider fetches its tokens. */
  admit(): undefined {
    return undefined
  }

  begin(elapsedMs = 0): Incoming {
    return new Incoming(this.#options.budget, elapsedMs)
  }

  readBody(body: BodyStream, headers: RequestHead['headers'], incoming: Incoming): Promise<Buffer> {
    const { ackTimeout } = this.#options
    return readRequestBody(body, headers, incoming, { bodyLimit, ackTimeout, mediaTypes: this.mediaTypes })
  }

  async receive(head: RequestHead, incoming: Incoming, body: () => Uint8Array | Promise<Uint8Array>): Promise<Reply> {
    incoming.hold()
    try {
      if (this.#options.isRefusing()) throw new RiverhookError('RIVERHOOK_RECEIVE_DRAINING', 'Shutting down; try again')
      return await this.#issue(readTokenRequest(head.headers, await body(), this.#find))
    } catch (error) {
      return this.refuse(head, incoming, error)
    } finally {
      incoming.unhold()
    }
  }

  refuse(head: RequestHead, _incoming: Incoming, error: unknown): Reply {
    const { code, message } = chooseRefusal(error)
    const isLogin = code === 'RIVERHOOK_TOKEN_CLIENT' || code === 'RIVERHOOK_TOKEN_PASSWORD'
    const limited = isLogin ? this.#limit(head.ip) : undefined
    if (limited !== undefined) return limited
    const { rejections } = this.#options
    rejections.add(head.id, code, error instanceof RiverhookError ? error.message : errorText(error), { error })
    const told = statusOf(code) >= 500 ? 'No token can be issued now; try again' : message
    const challenge =
      code === 'RIVERHOOK_TOKEN_CLIENT' ? { 'www-authenticate': 'Basic realm="riverhook", charset="UTF-8"' } : {}
    return answer(code, error instanceof TokenRefusal ? error.error : nameOf(code), told, challenge)
  }

  async #issue({ clientID, grant }: { readonly clientID: string; readonly grant: string }): Promise<Reply> {
    const { path, tokens, log } = this.#options
    const { token, seconds } = await tokens.issue(clientID, new Date())
    log.info({ endpoint: path, client: clientID, grant }, 'token issued')
    const body = { access_token: token, token_type: 'Bearer', expires_in: seconds }
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8', ...noStore },
      body: JSON.stringify(body)
    }
  }

  /** Counts a failed login. Returns the answer if there were too many from this address, which is not logged. */
  #limit(ip: string | undefined): Reply | undefined {
    const { path, rejections, log } = this.#options
    const { count, secondsLeft } = this.#failed.add(ip, performance.now())
    if (count === mostFailedLogins)
      log.warn(
        { endpoint: path, peer: ip, failed: count },
        'login failed too often; further ones are not logged for a minute'
      )
    if (count <= mostFailedLogins) return undefined
    const code = 'RIVERHOOK_TOKEN_RATE'
    rejections.count(code)
    return answer(code, 'invalid_client', `Too many failed logins from this address; try again in ${secondsLeft} s`, {
      'retry-after': String(secondsLeft)
    })
  }
}

function nameOf(code: AnswerCode): TokenErrorName {
  const status = statusOf(code)
  return status === 503 ? 'temporarily_unavailable' : status >= 500 ? 'server_error' : 'invalid_request'
}

function answer(
  code: AnswerCode,
  error: TokenErrorName,
  message: string,
  headers: Readonly<Record<string, string>>
): Reply {
  const all = { ...noStore, ...headers }
  // RFC 6749 allows neither in a description.
  return refuse({ code, message, headers: all }, { error, error_description: message.replaceAll(/["\\]/g, "'") })
}
