import type { FastifyRequest } from 'fastify'

import { RiverhookError } from '../index.ts'
import { AddressList, readRange } from '../programs.ts'
import { isOperatorName, type Operator, type Visitor } from './operator.ts'
import { isScope, scopes, type Scope } from './scope.ts'

/** The login of a proxy in front, which passes the name of the operator in a header. */
export interface ProxyOptions {
  /** The name of that header, such as `x-forwarded-user`. The proxy must replace it in every request. */
  readonly header: string
  /** Addresses, or ranges such as `10.0.0.0/8`, of the proxy. The header of any other peer is ignored. */
  readonly from: readonly string[]
  /** The operators that may come in. Default: all that the proxy names, with scope `read`. */
  readonly operators?: readonly Operator[] | undefined
}

/** The addresses of trusted proxies. */
export type ProxyAddresses = Pick<AddressList, 'has'>

/** Headers that have another meaning, or that every client sends. */
const reserved = ['authorization', 'cookie', 'host', 'origin', 'referer', 'user-agent', 'x-forwarded-for']

/** The login of a proxy. */
export class ProxyLogin {
  readonly addresses: ProxyAddresses
  readonly #header: string
  readonly #operators: ReadonlyMap<string, readonly Scope[]> | undefined

  /** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID */
  constructor({ header, from, operators }: ProxyOptions) {
    this.#header = header.toLowerCase()
    if (!/^[a-z0-9-]+$/.test(this.#header) || reserved.includes(this.#header))
      throw invalid('proxy.header', 'must be the name of a header that only the proxy sets, such as x-forwarded-user')
    this.addresses = readAddresses(from)
    if (operators?.every(({ name, scopes }) => isOperatorName(name) && scopes.every(isScope)) === false)
      throw invalid('proxy.operators', `must be a list of { name, scopes }; there are the scopes ${scopes.join(', ')}`)
    this.#operators = operators === undefined ? undefined : new Map(operators.map(({ name, scopes }) => [name, scopes]))
  }

  /** The operator that the proxy names. Undefined if the request did not come from the proxy. */
  find(request: FastifyRequest): Visitor | undefined {
    const name = request.raw.headers[this.#header]
    // Node joins the values of a header that was sent twice with a comma.
    if (!isOperatorName(name) || name.includes(',') || !isTrustedProxy(this.addresses, request)) return undefined
    const given = this.#operators === undefined ? (['read'] as const) : this.#operators.get(name)
    return given === undefined ? undefined : { name, scopes: new Set(given), via: 'proxy' }
  }
}

/** Judged by the peer of the connection: the sender writes X-Forwarded-For. A Unix socket has no address. */
export function isTrustedProxy(addresses: ProxyAddresses | undefined, { socket }: FastifyRequest): boolean {
  const { remoteAddress: peer = '' } = socket
  return addresses?.has(peer) === true
}

function readAddresses(from: readonly string[]): ProxyAddresses {
  if (from.length === 0) throw invalid('proxy.from', 'must name the addresses of the proxy')
  const ranges = from.map(readRange)
  if (ranges.includes(undefined)) throw invalid('proxy.from', 'must be addresses, or ranges such as 10.0.0.0/8')
  if (ranges.some((range) => range?.bits === 0))
    throw invalid('proxy.from', 'has a range of all addresses, so that everybody could name an operator')
  return new AddressList(from)
}

function invalid(name: string, problem: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `Option "${name}" ${problem}`)
}
