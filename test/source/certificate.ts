import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** A certificate in PEM, and the key that signs with it. */
export interface TestCertificate {
  readonly pem: string
  readonly privateKey: KeyObject
  readonly name: string
}

export interface CertificateOptions {
  readonly from?: Date
  readonly to?: Date
  /** The issuer. Default: the certificate signs itself. */
  readonly issuer?: TestCertificate
  /** Default: a new RSA key of 2048 bits. */
  readonly privateKey?: KeyObject
}

/** Makes a certificate, because node:crypto only reads them. */
export function makeCertificate(name: string, options: CertificateOptions = {}): TestCertificate {
  const { from = new Date('2020-01-01'), to = new Date('2120-01-01'), issuer } = options
  const privateKey = options.privateKey ?? generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const algorithm = sequence(oid('2a864886f70d01010b'), Buffer.from('0500', 'hex'))
  const content = sequence(
    wrap(0xa0, integer(2)),
    integer(1),
    algorithm,
    nameOf(issuer?.name ?? name),
    sequence(time(from), time(to)),
    nameOf(name),
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  )
  const signer = issuer?.privateKey ?? privateKey
  const signature = sign(signer.asymmetricKeyType === 'rsa' ? 'RSA-SHA256' : 'sha256', content, signer)
  const der = sequence(content, algorithm, wrap(0x03, Buffer.from([0]), signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
  return { pem, privateKey, name }
}

/** The answer of each address: a text, a status, or a network error. */
export type Network = Readonly<Record<string, string | number | Error>>

/** A fetch that knows some addresses, and the requests that it was asked for. */
export function fakeNetwork(known: Network): { readonly fetch: typeof fetch; readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    fetch: async (input, options) => {
      const url = String(input)
      asked.push(url)
      const found = known[url] ?? 404
      if (found instanceof Error) throw found
      if (options?.redirect !== 'error' || options.signal === undefined) throw new Error('redirects, and no limit')
      return typeof found === 'number' ? new Response('', { status: found }) : new Response(found)
    }
  }
}

/** A type, a length and a content, encoded as in ASN.1. */
function wrap(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...bytes]), content])
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => wrap(0x30, ...parts)
const integer = (value: number): Buffer => wrap(0x02, Buffer.from([value]))
const oid = (hex: string): Buffer => wrap(0x06, Buffer.from(hex, 'hex'))
/** Without fractions of a second: 20260101000000Z. */
const time = (at: Date): Buffer => wrap(0x18, Buffer.from(`${at.toISOString().replace(/\D/g, '').slice(0, 14)}Z`))
const nameOf = (name: string): Buffer => sequence(wrap(0x31, sequence(oid('550403'), wrap(0x0c, Buffer.from(name)))))
