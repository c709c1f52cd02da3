import { X509Certificate, type KeyObject } from 'node:crypto'

import { RiverhookError } from '../model/errors.ts'

/** Limits of the work for an unauthenticated request: its sender chooses the address of the certificate. */
const longestAddress = 500
const mostBytes = 65_536
const fetchMs = 5_000
/** Fetches per minute. A provider changes its certificate about once a year. */
const mostFetches = 30
/** Certificates in memory. */
const mostKept = 20

export interface CertificatesOptions {
  /** Whether a certificate may be fetched from this host and path, always over https. */
  readonly isTrusted: (host: string, path: string) => boolean
  /** Whether the certificate was issued to the provider. Default: its address is proof enough. */
  readonly isNamed?: ((certificate: X509Certificate) => boolean) | undefined
  /** For tests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
}

/** A certificate's public key, or why there is none: a sentence for the log. */
export type FoundKey = { readonly ok: true; readonly key: KeyObject } | { readonly ok: false; readonly detail: string }

/**
 * The certificates that a provider publishes. Each is fetched once, over https from the provider's host, which proves
 * that it is the provider's. It is cached until it expires.
 */
export class Certificates {
  readonly #isTrusted: CertificatesOptions['isTrusted']
  readonly #isNamed: CertificatesOptions['isNamed']
  readonly #fetch: typeof fetch | undefined
  readonly #kept = new Map<string, X509Certificate>()
  readonly #pending = new Map<string, Promise<X509Certificate | string>>()
  #minute = 0
  #fetches = 0

  constructor({ isTrusted, isNamed, fetch }: CertificatesOptions) {
    this.#isTrusted = isTrusted
    this.#isNamed = isNamed
    this.#fetch = fetch
  }

  /**
   * Finds the RSA key of the certificate at an address, which anybody may have sent.
   * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT if it cannot be fetched now: the request may be authentic, so it
   * must not be refused for good
   */
  async keyAt(address: string, now: Date): Promise<FoundKey> {
    const host = this.#hostOf(address)
    if (host === undefined)
      return { ok: false, detail: 'the address of the certificate is not one of the provider: it was not fetched' }
    const certificate = this.#keptAt(address, now) ?? (await this.#fetchOnce(address, host, now))
    if (typeof certificate === 'string') return { ok: false, detail: `the certificate at ${host} ${certificate}` }
    if (!isValid(certificate, now))
      return {
        ok: false,
        detail: `the certificate at ${host} is valid from ${certificate.validFrom} to ${certificate.validTo}`
      }
    return { ok: true, key: certificate.publicKey }
  }

  /** The host of an address; undefined if the address must not be fetched. */
  #hostOf(address: string): string | undefined {
    if (address.length > longestAddress || !URL.canParse(address)) return undefined
    const { protocol, host, pathname, href } = new URL(address)
    // The address has no user, port, query or fragment, and is written in its normal form.
    const isPlain = protocol === 'https:' && href === `https://${host}${pathname}` && href === address
    return isPlain && this.#isTrusted(host, pathname) ? host : undefined
  }

  #keptAt(address: string, now: Date): X509Certificate | undefined {
    const certificate = this.#kept.get(address)
    if (certificate === undefined || isValid(certificate, now)) return certificate
    this.#kept.delete(address)
    return undefined
  }

  /** Requests that need the same certificate share one fetch. It continues after a request was answered. */
  #fetchOnce(address: string, host: string, now: Date): Promise<X509Certificate | string> {
    const before = this.#pending.get(address)
    if (before !== undefined) return before
    this.#count(now)
    const pending = this.#get(address, host).finally(() => this.#pending.delete(address))
    this.#pending.set(address, pending)
    return pending
  }

  /** @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT above the limit */
  #count(now: Date): void {
    const minute = Math.floor(now.getTime() / 60_000)
    if (minute !== this.#minute) this.#fetches = 0
    this.#minute = minute
    this.#fetches += 1
    if (this.#fetches <= mostFetches) return
    throw new RiverhookError(
      'RIVERHOOK_RECEIVE_FAULT',
      `More than ${mostFetches} certificates were asked for in a minute, so no more are fetched until the next minute`
    )
  }

  /** @returns the certificate, or what is wrong with it: the end of a sentence */
  async #get(address: string, host: string): Promise<X509Certificate | string> {
    try {
      const answer = await (this.#fetch ?? fetch)(address, {
        redirect: 'error',
        signal: AbortSignal.timeout(fetchMs)
      })
      const { status } = answer
      if (status !== 200) {
        await answer.body?.cancel()
        if (status >= 400 && status < 500 && status !== 408 && status !== 429) return `is not there (status ${status})`
        throw new Error(`the answer has the status ${status}`)
      }
      const found = parse(await readText(answer))
      if (typeof found === 'string') return found
      if (this.#isNamed?.(found) === false) return 'is not in the name of the provider'
      this.#keep(address, found)
      return found
    } catch (cause) {
      throw new RiverhookError(
        'RIVERHOOK_RECEIVE_FAULT',
        `The certificate of the signature could not be fetched from ${host}: check that this machine can reach it over https`,
        { cause }
      )
    }
  }

  #keep(address: string, certificate: X509Certificate): void {
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(address, certificate)
  }
}

function isValid({ validFromDate, validToDate }: X509Certificate, now: Date): boolean {
  return validFromDate <= now && now <= validToDate
}

/** Reads the body as Latin-1: a certificate in PEM is ASCII. */
async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    const bytes = chunk as Uint8Array
    length += bytes.length
    if (length > mostBytes) return ''
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('latin1')
}

/**
 * Parses the first certificate of a chain.
 * @returns the certificate, or what is wrong with it: the end of a sentence
 */
function parse(pem: string): X509Certificate | string {
  try {
    const certificate = new X509Certificate(pem)
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
    const bits = asymmetricKeyDetails?.modulusLength ?? 0
    return asymmetricKeyType === 'rsa' && bits >= 2_048 && bits <= 8_192
      ? certificate
      : 'has no RSA key of 2048 to 8192 bits'
  } catch {
    return 'is not a certificate in PEM'
  }
}
