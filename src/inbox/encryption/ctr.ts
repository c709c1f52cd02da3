import { createCipheriv, createSecretKey, type Cipheriv, type KeyObject } from 'node:crypto'

const blockBytes = 16
/** The most bytes of counters that are encrypted at once. */
const mostBytes = 16_384
/** In bytes. A longer text is encrypted faster with a separate object. */
const longestShort = 2_048

/** Bytes to encrypt or to decrypt, which is the same. */
export interface CtrPart {
  readonly bytes: Uint8Array
  /** Where the result is written, from `start` on. The 16 bytes before are the first counter. */
  readonly target: Buffer
  readonly start: number
}

/**
 * AES-256-CTR, with the same result as Node's `aes-256-ctr`. Node makes an object for each text, which costs more than
 * encrypting a short one. Here, one object encrypts the counters of many texts, and the result is XORed with the texts.
 */
export class Ctr {
  readonly #key: KeyObject
  readonly #aes: Cipheriv
  readonly #counters = new DataView(new ArrayBuffer(mostBytes))
  readonly #words = new Uint32Array(longestShort / 4)
  readonly #text = Buffer.from(this.#words.buffer)

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key)
    this.#aes = createCipheriv('aes-256-ecb', this.#key, null).setAutoPadding(false)
  }

  apply(parts: readonly CtrPart[]): void {
    let short: CtrPart[] = []
    let end = 0
    for (const part of parts) {
      const { byteLength } = part.bytes
      if (byteLength > longestShort) {
        const nonce = part.target.subarray(part.start - blockBytes, part.start)
        part.target.set(createCipheriv('aes-256-ctr', this.#key, nonce).update(part.bytes), part.start)
        continue
      }
      if (end + byteLength + blockBytes > mostBytes) {
        this.#xor(short, end)
        short = []
        end = 0
      }
      end = this.#count(part, end)
      short.push(part)
    }
    if (end > 0) this.#xor(short, end)
  }

  /** Writes the counters of a text, which are numbers of 128 bits. @returns where they end */
  #count({ bytes, target, start: nonceEnd }: CtrPart, start: number): number {
    const counters = this.#counters
    const end = start + Math.ceil(bytes.byteLength / blockBytes) * blockBytes
    let first = target.readUInt32BE(nonceEnd - 16)
    let second = target.readUInt32BE(nonceEnd - 12)
    let third = target.readUInt32BE(nonceEnd - 8)
    let last = target.readUInt32BE(nonceEnd - 4)
    for (let at = start; at < end; at += blockBytes) {
      counters.setUint32(at, first)
      counters.setUint32(at + 4, second)
      counters.setUint32(at + 8, third)
      counters.setUint32(at + 12, last)
      last = (last + 1) >>> 0
      if (last > 0) continue
      third = (third + 1) >>> 0
      if (third > 0) continue
      second = (second + 1) >>> 0
      if (second === 0) first = (first + 1) >>> 0
    }
    return end
  }

  /** Encrypts the counters, and XORs the texts with the result. @param end where the counters end */
  #xor(parts: readonly CtrPart[], end: number): void {
    const stream = this.#aes.update(new Uint8Array(this.#counters.buffer, 0, end))
    const words = new Uint32Array(stream.buffer, stream.byteOffset, end / 4)
    const text = this.#words
    let first = 0
    for (const { bytes, target, start } of parts) {
      const { byteLength } = bytes
      const length = Math.ceil(byteLength / blockBytes) * 4
      this.#text.set(bytes)
      // Not by `entries`, which takes three times as long.
      for (let at = 0; at < length; at += 1) text[at] = (text[at] ?? 0) ^ (words[first + at] ?? 0)
      this.#text.copy(target, start, 0, byteLength)
      first += length
    }
  }
}
