import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject
} from 'node:crypto'

import type { EncryptionKey } from '../../model/encryption-keys.ts'
import { RiverhookError } from '../../model/errors.ts'
import { sealedMark } from '../rows.ts'

/*
 * Encrypted bytes are `mark | length of the key's id | id | salt 16 | nonce 12 | text | tag 16`: AES-256-GCM under
 * HKDF(key, salt). An encrypted text is the same in Base64, after `rh1.`.
 *
 * The nonce and the salt are digests of what is encrypted and of its place, made with a key. So the same text in the
 * same place gives the same bytes: an engine recognises a duplicate, and knows no key. One of 256 salts is used, so
 * that HKDF runs once for each, and not once for each event.
 */

/** No UTF-8 text begins with the first byte. The last one is the version. */
const mark = Buffer.from([0xf5, 0x72, 0x68, 0x01])
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
/** The most keys of foreign salts that are remembered. */
const mostForeign = 1_000

export function isSealed(bytes: Uint8Array): boolean {
  return bytes.byteLength > mark.length && mark.every((byte, index) => bytes[index] === byte)
}

export function isSealedText(text: string): boolean {
  return text.startsWith(sealedMark)
}

/** As an object, because Node needs five times as long for the bytes of a key. */
function derive(key: Uint8Array, salt: Uint8Array, purpose: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', key, salt, purpose, 32)))
}

/** A key with the keys that are derived from it. */
class Derived {
  readonly #key: EncryptionKey
  readonly #header: Buffer
  readonly #nonceKey: KeyObject
  readonly #own: ({ readonly salt: Buffer; readonly key: KeyObject } | undefined)[] = []
  readonly #foreign = new Map<string, KeyObject>()

  constructor(key: EncryptionKey) {
    this.#key = key
    const id = Buffer.from(key.id)
    this.#header = Buffer.concat([mark, Buffer.from([id.length]), id])
    this.#nonceKey = this.#derive(Buffer.alloc(saltBytes), 'riverhook nonce')
  }

  seal(bytes: Uint8Array, place: Buffer): Buffer {
    const size = Buffer.allocUnsafe(4)
    size.writeUInt32BE(place.length)
    const digest = createHmac('sha256', this.#nonceKey).update(size).update(place).update(bytes).digest()
    const { salt, key } = this.#ownAt(digest.readUInt8(nonceBytes))
    const nonce = digest.subarray(0, nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(place)
    return Buffer.concat([this.#header, salt, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }

  /** @param bytes what follows the id @throws for other bytes than `seal` made for this place */
  open(bytes: Buffer, place: Buffer): Buffer {
    const salt = bytes.subarray(0, saltBytes)
    const nonce = bytes.subarray(saltBytes, saltBytes + nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#foreignKey(salt), nonce, { authTagLength: tagBytes })
    decipher.setAAD(place).setAuthTag(bytes.subarray(-tagBytes))
    const opened = decipher.update(bytes.subarray(saltBytes + nonceBytes, -tagBytes))
    return Buffer.concat([opened, decipher.final()])
  }

  #ownAt(index: number): { readonly salt: Buffer; readonly key: KeyObject } {
    const known = this.#own[index]
    if (known !== undefined) return known
    const digest = createHmac('sha256', this.#nonceKey)
      .update('salt')
      .update(Buffer.from([index]))
      .digest()
    const salt = digest.subarray(0, saltBytes)
    return (this.#own[index] = { salt, key: this.#derive(salt, 'riverhook data') })
  }

  #foreignKey(salt: Buffer): KeyObject {
    const name = salt.toString('latin1')
    const known = this.#foreign.get(name)
    if (known !== undefined) return known
    if (this.#foreign.size >= mostForeign) this.#foreign.clear()
    const key = this.#derive(salt, 'riverhook data')
    this.#foreign.set(name, key)
    return key
  }

  #derive(salt: Uint8Array, purpose: string): KeyObject {
    return derive(this.#key.key, salt, purpose)
  }
}

/** Encrypts with one key, and decrypts with all. */
export class Cipher {
  readonly #derived: ReadonlyMap<string, Derived>

  constructor(keys: Iterable<EncryptionKey>) {
    this.#derived = new Map(Array.from(keys, (key) => [key.id, new Derived(key)]))
  }

  /** @param place is stored nowhere: the same must be given to `open` */
  seal(keyId: string, bytes: Uint8Array, place: readonly string[]): Buffer {
    const key = this.#derived.get(keyId)
    if (key === undefined) throw missingKey([keyId])
    return key.seal(bytes, placeBytes(place))
  }

  sealText(keyId: string, text: string, place: readonly string[]): string {
    return sealedMark + this.seal(keyId, toBytes(text), place).toString('base64url')
  }

  /**
   * Decrypts bytes. Returns those that are not encrypted as they are.
   * @throws {RiverhookError} RIVERHOOK_INBOX_KEY, RIVERHOOK_INBOX_DAMAGED
   */
  open(bytes: Uint8Array, place: readonly string[]): Uint8Array {
    if (!isSealed(bytes)) return bytes
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const id = keyIdOf(bytes)
    const key = this.#derived.get(id)
    if (key === undefined) throw missingKey([id])
    try {
      return key.open(all.subarray(mark.length + 1 + Buffer.byteLength(id)), placeBytes(place))
    } catch {
      throw damaged(place)
    }
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

const inUtf8 = Buffer.from([8])
const inUtf16 = Buffer.from([16])

/** In UTF-16, if UTF-8 has no form for it: for a half of a surrogate pair. */
function toBytes(text: string): Buffer {
  return text.isWellFormed()
    ? Buffer.concat([inUtf8, Buffer.from(text)])
    : Buffer.concat([inUtf16, Buffer.from(text, 'utf16le')])
}

function toText(bytes: Buffer): string {
  return bytes.toString(bytes[0] === inUtf16[0] ? 'utf16le' : 'utf8', 1)
}

function placeBytes(place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(place))
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

const ivBytes = 16
const hiddenMark = 'rhk.'

/** A new key for `IndexCipher`. */
export function newIndexKey(): Uint8Array {
  return randomBytes(32)
}

/**
 * Encrypts what is compared: search keys and order keys. Its key stays when other keys change, so that equal values
 * stay equal. A value is `rhk.`, its HMAC-SHA-256 of 128 bits, and the text under AES-256-CTR with that as the nonce.
 */
export class IndexCipher {
  readonly #macKey: KeyObject
  readonly #textKey: KeyObject
  readonly #searchKey: KeyObject

  constructor(key: Uint8Array) {
    const noSalt = new Uint8Array()
    this.#macKey = derive(key, noSalt, 'riverhook index mac')
    this.#textKey = derive(key, noSalt, 'riverhook index text')
    this.#searchKey = derive(key, noSalt, 'riverhook search keys')
  }

  /** The stored form of a search key: 128 bits in hexadecimal. */
  searchKey(value: string): string {
    return createHmac('sha256', this.#searchKey).update(value).digest('hex').slice(0, 32)
  }

  seal(text: string, place: readonly string[]): string {
    const bytes = toBytes(text)
    const iv = this.#mac(bytes, place)
    const cipher = createCipheriv('aes-256-ctr', this.#textKey, iv)
    return hiddenMark + Buffer.concat([iv, cipher.update(bytes), cipher.final()]).toString('base64url')
  }

  /** Decrypts a text. Returns one that `seal` did not make for this place as it is. */
  open(text: string, place: readonly string[]): string {
    if (!text.startsWith(hiddenMark)) return text
    const all = Buffer.from(text.slice(hiddenMark.length), 'base64url')
    const iv = all.subarray(0, ivBytes)
    if (iv.length < ivBytes) return text
    const decipher = createDecipheriv('aes-256-ctr', this.#textKey, iv)
    const bytes = Buffer.concat([decipher.update(all.subarray(ivBytes)), decipher.final()])
    return this.#mac(bytes, place).equals(iv) ? toText(bytes) : text
  }

  #mac(bytes: Uint8Array, place: readonly string[]): Buffer {
    const name = placeBytes(place)
    const size = Buffer.allocUnsafe(4)
    size.writeUInt32BE(name.length)
    return createHmac('sha256', this.#macKey).update(size).update(name).update(bytes).digest().subarray(0, ivBytes)
  }
}

/** True for a text that `IndexCipher` made. */
export function isHidden(text: string): boolean {
  return text.startsWith(hiddenMark)
}
