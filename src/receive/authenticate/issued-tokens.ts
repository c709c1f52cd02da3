import { createHash, createSecretKey, randomUUID, type KeyObject } from 'node:crypto'
import type * as Jose from 'jose'

import { RiverhookError } from '../../model/errors.ts'
import type { HeaderVerdict } from './header-verdict.ts'
import { SharedCall } from './shared-call.ts'

type GivenKeys = string | readonly string[]

export interface IssuedTokensOptions {
  /** The endpoint's path, for which the tokens are valid. */
  readonly path: string
  readonly keys: GivenKeys | (() => GivenKeys | PromiseLike<GivenKeys>)
  /** In milliseconds. */
  readonly lifetime: number
  readonly clients: readonly { readonly clientID: string }[]
}

export interface IssuedToken {
  readonly token: string
  readonly seconds: number
}

interface Key {
  /** Names the key in the head of a token. Derived from the key, which it does not reveal. */
  readonly id: string
  readonly key: KeyObject
}

const issuer = 'riverhook'
const algorithm = 'HS256'
/** The type of access tokens in RFC 9068. A JWT that was signed for another purpose has another one. */
const type = 'at+jwt'
/** In characters, of a key. */
const shortestKey = 32
/** In characters. Ours have about 350. */
const longestToken = 2_048
/** In seconds: how far the clocks of replicas may differ. */
const clockTolerance = 60

/**
 * The bearer tokens of one endpoint: signed JWTs, so that every replica with the same keys accepts them, and nothing is
 * stored.
 */
export class IssuedTokens {
  readonly path: string
  readonly #rule: IssuedTokensOptions['keys']
  readonly #seconds: number
  readonly #clients: ReadonlySet<string>
  #given: readonly string[] = []
  #keys: readonly Key[] = []
  readonly #calls = new SharedCall<readonly Key[]>()
  #jose: Promise<typeof Jose> | undefined

  constructor({ path, keys, lifetime, clients }: IssuedTokensOptions) {
    this.path = path
    this.#rule = keys
    this.#seconds = Math.floor(lifetime / 1_000)
    this.#clients = new Set(clients.map(({ clientID }) => clientID))
  }

  /**
   * Loads the library and reads the keys, so that a mistake is reported at the start.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID; what the function for the keys throws
   */
  async refresh(): Promise<void> {
    await this.#load()
    await this.#read()
  }

  /** @throws as `refresh` */
  async issue(clientID: string, now: Date): Promise<IssuedToken> {
    const { SignJWT } = await this.#load()
    const [first] = await this.#read()
    if (first === undefined) throw new TypeError('there is at least one key')
    const issuedAt = Math.floor(now.getTime() / 1_000)
    const token = await new SignJWT({ client_id: clientID })
      .setProtectedHeader({ alg: algorithm, typ: type, kid: first.id })
      .setIssuer(issuer)
      .setAudience(this.path)
      .setSubject(clientID)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + this.#seconds)
      .sign(first.key)
    return { token, seconds: this.#seconds }
  }

  /** Judges a token. @throws as `refresh` */
  async judge(token: string, now: Date): Promise<HeaderVerdict> {
    if (token.length > longestToken || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return refused('was not issued here')
    const jose = await this.#load()
    const fault = this.#claimFault(token, now, jose)
    if (fault !== undefined) return refused(fault)
    const keys = await this.#read()
    const unknownKey = new Error('no key has this id')
    try {
      await jose.jwtVerify(
        token,
        ({ kid }) => {
          const found = keys.find(({ id }) => id === kid)
          if (found === undefined) throw unknownKey
          return found.key
        },
        {
          algorithms: [algorithm],
          typ: type,
          issuer,
          audience: this.path,
          clockTolerance,
          currentDate: now,
          requiredClaims: ['sub', 'exp']
        }
      )
      return { ok: true }
    } catch (error) {
      if (error === unknownKey) return refused('is signed with none of the keys')
      if (!(error instanceof jose.errors.JOSEError)) throw error
      return refused('was not issued here')
    }
  }

  /**
   * Finds what is wrong with a token whatever its signature is, so that an unauthenticated sender cannot cause
   * thousands of calls of the function for the keys. Undefined if it may be valid.
   */
  #claimFault(token: string, now: Date, { decodeJwt, decodeProtectedHeader }: typeof Jose): string | undefined {
    try {
      const { alg, typ } = decodeProtectedHeader(token)
      const { iss, aud, sub, exp } = decodeJwt(token)
      if (alg !== algorithm || typ !== type || iss !== issuer || sub === undefined || exp === undefined)
        return 'was not issued here'
      if (aud !== this.path) return 'was issued for another endpoint'
      if (!this.#clients.has(sub)) return 'is of a client that is not configured'
      return exp + clockTolerance <= now.getTime() / 1_000 ? 'has expired' : undefined
    } catch {
      // It is no JWT.
      return 'was not issued here'
    }
  }

  #load(): Promise<typeof Jose> {
    return (this.#jose ??= import('jose'))
  }

  #read(): readonly Key[] | Promise<readonly Key[]> {
    const rule = this.#rule
    if (typeof rule !== 'function') return this.#prepare(rule)
    const { current } = this.#calls
    if (current !== undefined) return current
    const given = rule()
    if (typeof given === 'string' || Array.isArray(given)) return this.#prepare(given)
    return this.#calls.share(Promise.resolve(given).then((keys) => this.#prepare(keys)))
  }

  /** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names a key by its position only */
  #prepare(given: unknown): readonly Key[] {
    const keys = [given].flat() as readonly unknown[]
    if (this.#keys.length > 0 && keys.length === this.#given.length && keys.every((key, at) => key === this.#given[at]))
      return this.#keys
    const wrong = keys.findIndex((key) => typeof key !== 'string' || key.length < shortestKey)
    if (keys.length === 0 || wrong !== -1)
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        keys.length === 0
          ? 'Option "tokenEndpoint.keys": the list has no key'
          : `Option "tokenEndpoint.keys": key number ${wrong + 1} must be a text of at least ${shortestKey} characters`
      )
    this.#given = keys as readonly string[]
    this.#keys = this.#given.map((key) => ({ id: idOf(key), key: createSecretKey(key, 'utf8') }))
    return this.#keys
  }
}

function idOf(key: string): string {
  return createHash('sha256').update(`riverhook token key ${key}`).digest('base64url').slice(0, 12)
}

function refused(why: string): HeaderVerdict {
  return { ok: false, reason: `the bearer token ${why}`, isTokenInvalid: true }
}
