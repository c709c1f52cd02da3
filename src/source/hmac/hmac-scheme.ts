import { timingSafeEqual } from 'node:crypto'

import { Hmac, hmacBytes } from '../../model/hmac.ts'
import type { HmacEncoding, HmacSourceOptions } from './hmac-options.ts'
import { UnusableSecret, type Pieces, type Scheme, type SignatureKind } from './scheme.ts'

/** A provider sends one signature for each active secret, so only a few. */
const mostSignatures = 20

/** The HMAC signatures of a description. */
export function hmacScheme({
  algorithm = 'sha256',
  encoding = 'hex',
  prefix = '',
  key: { encoding: keyEncoding, prefix: keyPrefix = '' } = { encoding: 'utf8' }
}: Pick<HmacSourceOptions, 'algorithm' | 'encoding' | 'prefix' | 'key'>): Scheme {
  const kind: SignatureKind = {
    prefix,
    pattern: signaturePattern(encoding, hmacBytes[algorithm]),
    most: mostSignatures
  }
  return {
    expected: `${prefix}<${algorithm.toUpperCase()} in ${encoding}>`,
    kinds: [kind],
    keyOf(secret) {
      const text = secret.startsWith(keyPrefix) ? secret.slice(keyPrefix.length) : secret
      const hmac = new Hmac(algorithm, decodeKey(text, keyEncoding))
      const sign = (pieces: Pieces): string => hmac.of(pieces, encoding)
      return { kind, sign, matches: (pieces, given) => isOneOf(given, sign(pieces), encoding) }
    }
  }
}

/** Compares all signatures, in constant time. */
function isOneOf(given: readonly string[], expected: string, encoding: HmacEncoding): boolean {
  const right = Buffer.from(expected)
  return (
    given
      .map((text) => Buffer.from(canonical(text, encoding)))
      .filter((bytes) => bytes.length === right.length && timingSafeEqual(bytes, right)).length > 0
  )
}

/** The encoding in node:crypto. */
function canonical(text: string, encoding: HmacEncoding): string {
  if (encoding === 'hex') return text.toLowerCase()
  return encoding === 'base64' ? text : text.replace(/=+$/, '')
}

function signaturePattern(encoding: HmacEncoding, bytes: number): RegExp {
  if (encoding === 'hex') return new RegExp(`^[0-9A-Fa-f]{${bytes * 2}}$`)
  const padding = (3 - (bytes % 3)) % 3
  const letters = Math.ceil((bytes * 4) / 3)
  const characters = encoding === 'base64' ? 'A-Za-z0-9+/' : 'A-Za-z0-9_-'
  const end = '='.repeat(padding)
  return new RegExp(`^[${characters}]{${letters}}${encoding === 'base64' || padding === 0 ? end : `(?:${end})?`}$`)
}

/** @throws {UnusableSecret} */
function decodeKey(text: string, encoding: 'utf8' | 'hex' | 'base64'): Buffer {
  if (encoding === 'utf8') return Buffer.from(text)
  const isRight =
    encoding === 'hex'
      ? /^(?:[0-9A-Fa-f]{2})+$/.test(text)
      : /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)
  const key = isRight ? Buffer.from(text, encoding) : Buffer.alloc(0)
  if (!isRight || key.length === 0)
    throw new UnusableSecret(
      `is not ${encoding === 'hex' ? 'hexadecimal' : 'Base64'}: copy it whole from the provider, without white space or quotes`
    )
  // HMAC treats a key of NUL characters as an empty one.
  if (key.every((byte) => byte === 0)) throw new UnusableSecret('is a key of zeros, which anybody can guess')
  return key
}
