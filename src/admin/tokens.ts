import { createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

import { RiverhookError, type Log } from '../index.ts'
import { isOperatorName } from './operator.ts'
import { isScope, scopes, type Scope } from './scope.ts'

/** Lines of the form `name scope[,scope] sha256:HEX`, or a function that returns them as they are now. */
export type TokenLines = string | readonly string[] | (() => readonly string[])

/** An entry of the list of tokens. The token itself is not stored. */
export interface Token {
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  /** The SHA-256 of the token. */
  readonly digest: Buffer
  /** Names the token in its sessions. Derived from the digest, which it does not reveal. */
  readonly id: string
  /** The key that signs the sessions of the token. */
  readonly sessionKey: Buffer
}

const prefix = 'rha_'
/** 32 bytes in base64url. A shorter token is never accepted, whatever is in the list. */
const fewestCharacters = 43
const mostCharacters = 512

/** A new token, and its line for the list. */
export function newToken(name: string, given: readonly Scope[]): { readonly token: string; readonly line: string } {
  const token = `${prefix}${randomBytes(32).toString('base64url')}`
  return { token, line: `${name} ${given.join(',')} sha256:${digestOf(token).toString('hex')}` }
}

/** The list of tokens as it is now. */
export class Tokens {
  readonly #lines: TokenLines
  readonly #log: Pick<Log, 'error'>
  #read: readonly string[] | undefined
  #tokens: readonly Token[] = []

  /**
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the wrong entries by their numbers. Entries that
   * are wrong later are logged and left out: a token that was removed must not stay valid because of another entry
   */
  constructor(lines: TokenLines, log: Pick<Log, 'error'>) {
    this.#lines = lines
    this.#log = log
    const { tokens, problems } = readTokens(this.#current())
    if (tokens.length === 0 && problems.length === 0) problems.push('there is none')
    if (problems.length > 0)
      throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `Option "tokens": ${problems.join('; ')}. ${form}`)
  }

  /** Finds the entry of a token. Takes the same time for every wrong token of one length. */
  find(token: string): Token | undefined {
    if (token.length < fewestCharacters || token.length > mostCharacters) return undefined
    const digest = digestOf(token)
    return this.#now().filter((each) => timingSafeEqual(each.digest, digest))[0]
  }

  byId(id: string): Token | undefined {
    return this.#now().find((token) => token.id === id)
  }

  #current(): readonly string[] {
    const lines = typeof this.#lines === 'function' ? this.#lines() : this.#lines
    return typeof lines === 'string' ? lines.split('\n') : lines
  }

  #now(): readonly Token[] {
    const lines = this.#current()
    if (this.#read !== undefined && isEqual(lines, this.#read)) return this.#tokens
    const { tokens, problems } = readTokens(lines)
    this.#read = [...lines]
    this.#tokens = tokens
    if (problems.length > 0)
      this.#log.error({ problems }, "tokens of the operator's API are left out because of their lines")
    return tokens
  }
}

const form = 'A line has the form: name scope[,scope] sha256:HEX. `riverhook admin token` makes one'

function readTokens(lines: readonly string[]): { readonly tokens: readonly Token[]; readonly problems: string[] } {
  const tokens = new Map<string, Token>()
  const problems: string[] = []
  const entries = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  for (const [index, text] of entries.entries()) {
    const [name = '', list = '', hash = '', ...rest] = text.split(/\s+/)
    const given = list.split(',')
    const hex = /^sha256:([0-9a-f]{64})$/i.exec(hash)?.[1]?.toLowerCase()
    // The line may hold a token by mistake, so no part of it is shown.
    const problem =
      rest.length > 0 || hash === ''
        ? 'must have three parts'
        : hex === undefined
          ? 'must end in sha256: and 64 hexadecimal digits, which are not the token'
          : !isOperatorName(name)
            ? 'has a name that is too long or not printable'
            : !given.every(isScope)
              ? `has an unknown scope; there are ${scopes.join(', ')}`
              : tokens.has(hex)
                ? 'has the token of another line'
                : undefined
    if (problem !== undefined || hex === undefined) problems.push(`entry ${index + 1} ${problem ?? ''}`)
    else tokens.set(hex, makeToken(name, given.filter(isScope), Buffer.from(hex, 'hex')))
  }
  return { tokens: [...tokens.values()], problems }
}

function makeToken(name: string, given: readonly Scope[], digest: Buffer): Token {
  const derive = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', digest, '', `riverhook admin ${purpose}`, length))
  const id = derive('token id', 12).toString('base64url')
  return { name, scopes: new Set(given), digest, id, sessionKey: derive('session', 32) }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function isEqual(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((line, index) => line === others[index])
}
