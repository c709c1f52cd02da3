import { hkdfSync, timingSafeEqual } from 'node:crypto'

import { Hmac } from '../../model/hmac.ts'
import { Ctr } from './ctr.ts'

const macBytes = 16

/** Bytes to encrypt. */
export interface SivPart {
  readonly bytes: Uint8Array
  /** Not stored: `open` needs the same. */
  readonly place: readonly string[]
}

/**
 * Authenticated encryption that gives the same bytes for the same text in the same place (SIV: Rogaway and Shrimpton,
 * "Deterministic Authenticated-Encryption", 2006). The first 128 bits of an HMAC-SHA-256 of the place and the text are
 * the nonce of AES-256-CTR, and show at decryption whether anything was changed. Encrypted bytes are `HMAC 16 | text`.
 */
export class Siv {
  readonly #mac: Hmac
  readonly #ctr: Ctr

  /** @param purpose other purposes have other keys */
  constructor(key: Uint8Array, purpose: string) {
    this.#mac = new Hmac('sha256', deriveKey(key, `${purpose} mac`))
    this.#ctr = new Ctr(deriveKey(key, `${purpose} text`))
  }

  /** @param before what the encrypted bytes of each part begin with */
  seal(parts: readonly SivPart[], before: Uint8Array): readonly Buffer[] {
    const start = before.byteLength + macBytes
    // One buffer for all: a separate one for each long text costs as much as a quarter of its encryption.
    const all = Buffer.allocUnsafe(parts.reduce((sum, { bytes }) => sum + start + bytes.byteLength, 0))
    let end = 0
    const sealing = parts.map(({ bytes, place }) => {
      const sealed = all.subarray(end, (end += start + bytes.byteLength))
      sealed.set(before)
      sealed.write(this.#macOf(bytes, place), before.byteLength, macBytes, 'hex')
      return { bytes, target: sealed, start }
    })
    this.#ctr.apply(sealing)
    return sealing.map(({ target }) => target)
  }

  /** Decrypts bytes. Returns undefined unless `seal` made them for this place. */
  open(sealed: Buffer, place: readonly string[]): Buffer | undefined {
    if (sealed.byteLength < macBytes) return undefined
    const target = Buffer.from(sealed)
    this.#ctr.apply([{ bytes: sealed.subarray(macBytes), target, start: macBytes }])
    const opened = target.subarray(macBytes)
    const mac = Buffer.from(this.#macOf(opened, place), 'hex')
    return timingSafeEqual(mac, sealed.subarray(0, macBytes)) ? opened : undefined
  }

  /** @returns in hexadecimal */
  #macOf(bytes: Uint8Array, place: readonly string[]): string {
    // A JSON array shows where it ends, so no other place and text have the same bytes.
    return this.#mac.of([JSON.stringify(place), bytes], 'hex').slice(0, 2 * macBytes)
  }
}

/** Derives a key of 32 bytes. */
export function deriveKey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), purpose, 32))
}
