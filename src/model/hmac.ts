import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'

/** The length of an HMAC, in bytes. */
export const hmacBytes = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const
/** The length of a block of the hash function, in bytes. */
const blockBytes = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 } as const

type Algorithm = keyof typeof hmacBytes
type Pieces = readonly (string | Uint8Array)[]

/** The most bytes that are hashed here. For longer input, Node's own HMAC is as fast. */
const mostBytes = 16_384
/** Holds the padded key and the pieces during one call. */
const input = Buffer.alloc(128 + mostBytes)

/**
 * Computes HMACs (RFC 2104) with one key. The results are those of `createHmac`, which makes several objects for each
 * HMAC, and prepares the key again unless it is a `KeyObject`: several times the work of two calls of `hash`.
 */
export class Hmac {
  readonly #algorithm: Algorithm
  readonly #key: KeyObject
  readonly #innerKey: Buffer
  /** The padded key, and room for the inner digest. */
  readonly #outer: Buffer

  /** @param key a text stands for its UTF-8 */
  constructor(algorithm: Algorithm, key: string | Uint8Array) {
    const bytes = Buffer.from(key)
    const size = blockBytes[algorithm]
    const padded = Buffer.alloc(size)
    padded.set(bytes.byteLength > size ? hash(algorithm, bytes, 'buffer') : bytes)
    this.#algorithm = algorithm
    this.#key = createSecretKey(bytes)
    this.#innerKey = Buffer.from(padded.map((byte) => byte ^ 0x36))
    this.#outer = Buffer.concat([padded.map((byte) => byte ^ 0x5c), Buffer.alloc(hmacBytes[algorithm])])
  }

  /** Computes the HMAC of the pieces, one after the other. */
  of(pieces: Pieces, encoding: 'hex' | 'base64' | 'base64url'): string {
    if (!isShort(pieces)) {
      const hmac = createHmac(this.#algorithm, this.#key)
      for (const piece of pieces) hmac.update(piece)
      return hmac.digest(encoding)
    }
    input.set(this.#innerKey)
    let end = this.#innerKey.byteLength
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        end += input.write(piece, end)
        continue
      }
      input.set(piece, end)
      end += piece.byteLength
    }
    this.#outer.write(hash(this.#algorithm, input.subarray(0, end), 'hex'), this.#innerKey.byteLength, 'hex')
    return hash(this.#algorithm, this.#outer, encoding)
  }
}

function isShort(pieces: Pieces): boolean {
  let most = 0
  // UTF-8 needs at most three bytes for each unit of a string.
  for (const piece of pieces) most += typeof piece === 'string' ? piece.length * 3 : piece.byteLength
  return most <= mostBytes
}
