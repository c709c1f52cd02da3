import type { LookupAddress, LookupAllOptions } from 'node:dns'
import type * as http from 'node:http'
import type { LookupFunction } from 'node:net'

import { RiverhookError } from '../model/errors.ts'
import { isRefusedAddress } from '../model/refused-address.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'
import type { Answer } from './answer.ts'

export interface Outgoing {
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST' | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Milliseconds until the head of the answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Resolves a name. `dns.lookup`, or what a test gives. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
) => void

/**
 * The most that is read of an answer, in bytes. Its body is not used, but must be read for the connection to be reused.
 */
const longestAnswer = 65_536
/** How long the rest of an answer may take, in milliseconds. */
const restMs = 2_000
/** How long an idle connection is kept, in milliseconds. */
const idleMs = 10_000

/**
 * Sends requests to one URL over connections that it reuses. Follows no redirect, uses no proxy, and connects to
 * no link-local or metadata address: every address that the name resolves to is checked when it is connected to, so a
 * name that changes its address between the check and the connection (DNS rebinding) does not pass.
 */
export class Poster {
  readonly #url: URL
  readonly #lookup: LookupFunction
  #agent: http.Agent | undefined

  /** @param url checked by `forwardUrlProblem`: an address in it needs no lookup */
  constructor(url: URL, resolve?: Resolve) {
    this.#url = url
    this.#lookup = guarded(resolve ?? process.getBuiltinModule('node:dns').lookup)
  }

  /**
   * Sends one request.
   * @throws {RiverhookError} RIVERHOOK_FORWARD_FAILED if there was no answer
   * @throws the signal's reason
   */
  async send(outgoing: Outgoing): Promise<Answer> {
    const { Agent } = this.#http()
    this.#agent ??= new Agent({ keepAlive: true, maxFreeSockets: 16, timeout: idleMs })
    try {
      return await this.#attempt(outgoing, this.#agent)
    } catch (error) {
      // The receiver closed the idle connection at that moment. The id is the same, so it is safe to send it again.
      if (error !== staleConnection) throw error
      return this.#attempt(outgoing, false)
    }
  }

  #http(): Pick<typeof http, 'Agent' | 'request'> {
    return this.#url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http')
  }

  /** @param agent false: a new connection, closed afterwards */
  #attempt(
    { method = 'POST', headers, body, timeoutMs, signal }: Outgoing,
    agent: http.Agent | false
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const request = this.#http().request(this.#url, { method, agent, lookup: this.#lookup, headers })
      const fail = (error: Error): void => {
        leave()
        reject(error)
        request.destroy()
      }
      const timer = setTimeout(() => {
        fail(this.#failure(`no answer within ${timeoutMs} ms`))
      }, timeoutMs)
      const onAbort = (): void => {
        fail(signal.reason as Error)
      }
      const leave = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      request.on('response', (response) => {
        leave()
        readRest(request, response)
        const { statusCode = 0, headers: answered } = response
        resolve({ status: statusCode, location: answered.location, retryAfter: answered['retry-after'] })
      })
      // Later ones change nothing: the promise is settled.
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = agent !== false && request.reusedSocket && /^(?:ECONNRESET|EPIPE)$/.test(error.code ?? '')
        fail(isStale ? staleConnection : this.#failure(reasonOf(error)))
      })
      request.on('close', () => {
        leave()
        reject(this.#failure('the connection was closed'))
      })
      request.end(body)
    })
  }

  #failure(reason: string): RiverhookError {
    return new RiverhookError('RIVERHOOK_FORWARD_FAILED', `No answer from ${this.#url.origin}: ${reason}`)
  }
}

const staleConnection = new Error('a kept connection was closed')

/** Reads what is left of the answer, so that the connection can be reused, within limits. */
function readRest(request: http.ClientRequest, response: http.IncomingMessage): void {
  let bytes = 0
  const timer = setTimeout(() => request.destroy(), restMs)
  timer.unref()
  request.on('close', () => {
    clearTimeout(timer)
  })
  response.on('error', () => undefined)
  response.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength
    if (bytes > longestAnswer) request.destroy()
  })
}

/** A lookup that fails if the name has a refused address. Only the addresses that it passes on are connected to. */
function guarded(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, [])
        return
      }
      const [first] = addresses
      if (first === undefined) callback(new Error('the name has no address'), [])
      else if (addresses.some(({ address }) => isRefusedAddress(address)))
        callback(new Error('the name resolves to a link-local or metadata address, which is refused'), [])
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

/** The system's error code, and the message. Messages of Node.js name hosts and header names, never header values. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return [code, message].filter((part) => part !== undefined && part !== '').join(': ')
}
