import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

import { RiverhookError } from '../../model/errors.ts'
import { UnusableSecret, type Key, type Pieces, type Scheme, type SignatureKind } from './scheme.ts'

/** Checking one costs as much as a hundred HMACs of a short body. */
const mostSignatures = 5

/** The prefix of a key in ASN.1 (RFC 8410), with which node:crypto accepts its plain 32 bytes. */
const publicHead = Buffer.from('302a300506032b6570032100', 'hex')
const privateHead = Buffer.from('302e020100300506032b657004220420', 'hex')

export interface Ed25519Options {
  /** The prefix of a signature. */
  readonly prefix: string
  /** The prefix of a public key in Base64: the secret of an endpoint. */
  readonly publicPrefix: string
  /** The prefix of a private key in Base64, the sender's: only `sign` takes one. */
  readonly privatePrefix: string
}

/** Ed25519 signatures in Base64. A secret without one of the prefixes does not belong to this scheme. */
export function ed25519Scheme({ prefix, publicPrefix, privatePrefix }: Ed25519Options): Scheme {
  const kind: SignatureKind = { prefix, pattern: /^[A-Za-z0-9+/]{86}==$/, most: mostSignatures }
  return {
    expected: `${prefix}<Ed25519 in base64>`,
    kinds: [kind],
    keyOf(secret) {
      if (secret.startsWith(privatePrefix)) {
        const key = decode(secret.slice(privatePrefix.length), privateHead, (der) =>
          createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
        )
        return signingKey(kind, key)
      }
      if (!secret.startsWith(publicPrefix)) throw new UnusableSecret(`does not begin with ${publicPrefix}`)
      const key = decode(secret.slice(publicPrefix.length), publicHead, (der) =>
        createPublicKey({ key: der, format: 'der', type: 'spki' })
      )
      return verifyingKey(kind, key)
    }
  }
}

function verifyingKey(kind: SignatureKind, key: KeyObject): Key {
  return {
    kind,
    matches: (pieces, signatures) => {
      if (signatures.length === 0) return false
      const message = joined(pieces)
      return signatures.some((signature) => verify(null, message, key, Buffer.from(signature, 'base64')))
    },
    sign() {
      throw new RiverhookError(
        'RIVERHOOK_SOURCE_SECRET',
        'A public key cannot sign: give sign() the private key of the sender, or use a secret of the HMAC scheme'
      )
    }
  }
}

function signingKey(kind: SignatureKind, key: KeyObject): Key {
  return {
    ...verifyingKey(kind, createPublicKey(key)),
    sign: (pieces) => sign(null, joined(pieces), key).toString('base64')
  }
}

function joined(pieces: Pieces): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}

/** @throws {UnusableSecret} */
function decode(text: string, head: Buffer, read: (der: Buffer) => KeyObject): KeyObject {
  const bytes = /^[A-Za-z0-9+/]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0)
  if (bytes.length !== 32) throw new UnusableSecret('is not an Ed25519 key: 32 bytes in Base64 after the prefix')
  return read(Buffer.concat([head, bytes]))
}
