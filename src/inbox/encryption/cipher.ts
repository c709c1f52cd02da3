import { randomBytes } from 'node:crypto'

import type { EncryptionKey } from '../../model/encryption-keys.ts'
import { RiverhookError } from '../../model/errors.ts'
import { Hmac } from '../../model/hmac.ts'
import { sealedMark } from '../rows.ts'
import { deriveKey, Siv, type SivPart } from './siv.ts'

/*
 * Encrypted bytes are `mark | length of the key's id | id | HMAC 16 | text`: see `Siv`. An encrypted text is the same
 * in Base64, after `rh1.`. The same text in the same place gives the same bytes: an engine recognises a duplicate, and
 * knows no key.
 */

/** No UTF-8 text begins with the first byte. The last one is the version. */
const mark = Buffer.from([0xf5, 0x72, 0x68, 0x01])

export function isSealed(bytes: Uint8Array): boolean {
  return bytes.byteLength > mark.length && mark.every((byte, index) => bytes[index] === byte)
}

export function isSealedText(text: string): boolean {
  return text.startsWith(sealedMark)
}

/** The text of encrypted bytes. */
export function sealedText(sealed: Buffer): string {
  return sealedMark + sealed.toString('base64url')
}

/** A key, and what its bytes begin with. */
interface Sealer {
  readonly siv: Siv
  readonly header: Buffer
}

function sealerOf({ id, key }: EncryptionKey): Sealer {
  const bytes = Buffer.from(id)
  return { siv: new Siv(key, 'riverhook data'), header: Buffer.concat([mark, Buffer.from([bytes.length]), bytes]) }
}

/** Encrypts with one key, and decrypts with all. */
export class Cipher {
  readonly #sealers: ReadonlyMap<string, Sealer>

  constructor(keys: Iterable<EncryptionKey>) {
    this.#sealers = new Map(Array.from(keys, (key) => [key.id, sealerOf(key)]))
  }

  has(keyId: string): boolean {
    return this.#sealers.has(keyId)
  }

  /** Encrypts many parts together, which takes less time than one by one. */
  sealAll(keyId: string, parts: readonly SivPart[]): readonly Buffer[] {
    const sealer = this.#sealers.get(keyId)
    if (sealer === undefined) throw missingKey([keyId])
    return sealer.siv.seal(parts, sealer.header)
  }

  seal(keyId: string, bytes: Uint8Array, place: readonly string[]): Buffer {
    return this.sealAll(keyId, [{ bytes, place }])[0] as Buffer
  }

  sealText(keyId: string, text: string, place: readonly string[]): string {
    return sealedText(this.seal(keyId, toBytes(text), place))
  }

  /**
   * Decrypts bytes. Returns those that are not encrypted as they are.
   * @throws {RiverhookError} RIVERHOOK_INBOX_KEY, RIVERHOOK_INBOX_DAMAGED
   */
  open(bytes: Uint8Array, place: readonly string[]): Uint8Array {
    if (!isSealed(bytes)) return bytes
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const id = keyIdOf(bytes)
    const sealer = this.#sealers.get(id)
    if (sealer === undefined) throw missingKey([id])
    const opened = sealer.siv.open(all.subarray(sealer.header.length), place)
    if (opened === undefined) throw damaged(place)
    return opened
  }

  /** As `open`. @param places the text may be of any of these */
  openText(text: string, ...places: readonly (readonly string[])[]): string {
    if (!isSealedText(text)) return text
    const bytes = Buffer.from(text.slice(sealedMark.length), 'base64url')
    if (!isSealed(bytes)) throw damaged(places[0] ?? [])
    for (const place of places) {
      try {
        return toText(Buffer.from(this.open(bytes, place)))
      } catch (error) {
        if (place === places.at(-1)) throw error
      }
    }
    throw damaged([])
  }
}

/** The id of the key of encrypted bytes. */
export function keyIdOf(bytes: Uint8Array): string {
  const start = mark.length + 1
  return Buffer.from(bytes.subarray(start, start + (bytes[mark.length] ?? 0))).toString('latin1')
}

/** The id of the key of an encrypted text. */
export function keyIdOfText(text: string): string {
  return keyIdOf(Buffer.from(text.slice(sealedMark.length), 'base64url'))
}

/** The first byte of a text that is encrypted in this form. */
const inUtf8 = '\x08'
const inUtf16 = 16

/** In UTF-16, if UTF-8 has no form for it: for a half of a surrogate pair. */
export function toBytes(text: string): Buffer {
  return text.isWellFormed()
    ? Buffer.from(inUtf8 + text)
    : Buffer.concat([Buffer.from([inUtf16]), Buffer.from(text, 'utf16le')])
}

function toText(bytes: Buffer): string {
  return bytes.toString(bytes[0] === inUtf16 ? 'utf16le' : 'utf8', 1)
}

function damaged([realm, id]: readonly string[]): RiverhookError {
  const what = id === undefined ? 'A stored text' : `A part of the event ${JSON.stringify(id)} of the realm "${realm}"`
  return new RiverhookError(
    'RIVERHOOK_INBOX_DAMAGED',
    `${what} cannot be decrypted: it was changed in the store, belongs to another event, or its key has another value`
  )
}

export function missingKey(ids: readonly string[]): RiverhookError {
  const [keys, are] = ids.length === 1 ? ['the key', 'is'] : ['the keys', 'are']
  return new RiverhookError(
    'RIVERHOOK_INBOX_KEY',
    `The inbox has data that is encrypted with ${keys} ${ids.map((id) => JSON.stringify(id)).join(', ')}, which ${are} not in RIVERHOOK_ENCRYPTION_KEYS_FILE or "encryption.keys"`
  )
}

const hiddenMark = 'rhk.'
const nothing = new Uint8Array()
/** How many digests of search keys are remembered, and of what length the keys may be. */
const mostKnown = 2_000
const longestKnown = 256

/** A new key for `IndexCipher`. */
export function newIndexKey(): Uint8Array {
  return randomBytes(32)
}

/**
 * Encrypts what is compared: search keys and order keys. Its key stays when other keys change, so that equal values
 * stay equal. A value is `rhk.`, and the encrypted text in Base64.
 */
export class IndexCipher {
  readonly #siv: Siv
  readonly #searchKey: Hmac
  readonly #known = new Map<string, string>()

  constructor(key: Uint8Array) {
    this.#siv = new Siv(key, 'riverhook index')
    this.#searchKey = new Hmac('sha256', deriveKey(key, 'riverhook search keys'))
  }

  /**
   * The stored form of a search key: 128 bits in hexadecimal. The newest are remembered, because events that share a
   * key often arrive one after the other.
   */
  searchKey(value: string): string {
    const known = this.#known.get(value)
    if (known !== undefined) return known
    const digest = this.#searchKey.of([value], 'hex').slice(0, 32)
    if (this.#known.size >= mostKnown) this.#known.clear()
    if (value.length <= longestKnown) this.#known.set(value, digest)
    return digest
  }

  seal(text: string, place: readonly string[]): string {
    const [sealed] = this.#siv.seal([{ bytes: toBytes(text), place }], nothing)
    return hiddenMark + (sealed as Buffer).toString('base64url')
  }

  /** Decrypts a text. Returns one that `seal` did not make for this place as it is. */
  open(text: string, place: readonly string[]): string {
    if (!text.startsWith(hiddenMark)) return text
    const opened = this.#siv.open(Buffer.from(text.slice(hiddenMark.length), 'base64url'), place)
    return opened === undefined ? text : toText(opened)
  }
}

/** True for a text that `IndexCipher` made. */
export function isHidden(text: string): boolean {
  return text.startsWith(hiddenMark)
}
