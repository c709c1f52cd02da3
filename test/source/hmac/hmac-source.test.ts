import { createHmac } from 'node:crypto'
import t from 'tap'

import type { AnyEvent } from '../../../src/index.ts'
import { hmacSource, type HmacSourceOptions } from '../../../src/sources.ts'
import { sourceContract } from '../../../src/testing/index.ts'

// Risk: a provider that cannot be described, a description that accepts forgeries, or a mistake that is found by the
// first forged request instead of at the start.

const secret = 'a secret of the provider'
const now = new Date('2026-01-31T12:00:00Z')
const seconds = String(now.getTime() / 1_000)
const body = Buffer.from('{"event":{"id":"ev_1","kind":"bill.paid","at":1769860800},"amount":"5 €"}')

const base = {
  name: 'payments',
  header: 'X-Signature',
  id: { field: 'event.id' },
  type: { field: 'event.kind' }
} satisfies HmacSourceOptions

/** The headers of a request, with a signature computed independently of the source. */
function mac(
  algorithm: string,
  encoding: 'hex' | 'base64' | 'base64url',
  key: string | Buffer,
  signed: string
): string {
  return createHmac(algorithm, key).update(signed).digest(encoding)
}

interface Case {
  readonly options: Partial<HmacSourceOptions>
  readonly headers: Record<string, string>
  readonly secret?: string
}

const text = body.toString()
const cases: Readonly<Record<string, Case>> = {
  'hex over the body': { options: {}, headers: { 'x-signature': mac('sha256', 'hex', secret, text) } },
  'upper-case hex, SHA-1, a prefix': {
    options: { algorithm: 'sha1', prefix: 'sha1=' },
    headers: { 'x-signature': `sha1=${mac('sha1', 'hex', secret, text).toUpperCase()}` }
  },
  'Base64, SHA-512': {
    options: { algorithm: 'sha512', encoding: 'base64' },
    headers: { 'x-signature': mac('sha512', 'base64', secret, text) }
  },
  'Base64, SHA-384, which needs no padding': {
    options: { algorithm: 'sha384', encoding: 'base64' },
    headers: { 'x-signature': mac('sha384', 'base64', secret, text) }
  },
  'URL-safe Base64 with padding': {
    options: { encoding: 'base64url' },
    headers: { 'x-signature': `${mac('sha256', 'base64url', secret, text)}=` }
  },
  'fields, of which two are signatures and one is of another scheme': {
    options: { fields: { timestamp: 't', signature: 'v1' }, signed: '{timestamp}.{body}' },
    headers: {
      'x-signature': `t=${seconds},v0=00,v1=${'0'.repeat(64)},v1=${mac('sha256', 'hex', secret, `${seconds}.${text}`)}`
    }
  },
  'fields between semicolons, with a colon in what is signed': {
    options: { fields: { timestamp: 'ts', signature: 'h1' }, separator: ';', signed: '{timestamp}:{body}' },
    headers: { 'x-signature': `ts=${seconds};h1=${mac('sha256', 'hex', secret, `${seconds}:${text}`)}` }
  },
  'a time in a header, in milliseconds, and a version in what is signed': {
    options: {
      timestampHeader: 'X-Time',
      timestampFormat: 'milliseconds',
      signed: 'v0:{timestamp}:{body}',
      prefix: 'v0='
    },
    headers: {
      'x-time': `${seconds}123`,
      'x-signature': `v0=${mac('sha256', 'hex', secret, `v0:${seconds}123:${text}`)}`
    }
  },
  'a time as ISO 8601, behind the body': {
    options: { timestampHeader: 'X-Time', timestampFormat: 'iso', signed: '{body}{timestamp}' },
    headers: {
      'x-time': '2026-01-31T12:00:00.5Z',
      'x-signature': mac('sha256', 'hex', secret, `${text}2026-01-31T12:00:00.5Z`)
    }
  },
  'the second of two headers, as with a provider that sends one for each secret': {
    options: { header: ['X-Signature', 'X-Signature-Old'] },
    headers: { 'x-signature': '0'.repeat(64), 'x-signature-old': mac('sha256', 'hex', secret, text) }
  },
  'several signatures between spaces, with the id': {
    options: { id: { header: 'X-Id' }, separator: ' ', signed: '{id}.{body}', prefix: 'v1,' },
    headers: {
      'x-id': 'ev_1',
      'x-signature': `v1,${'0'.repeat(64)} v2,00 v1,${mac('sha256', 'hex', secret, `ev_1.${text}`)}`
    }
  },
  'a key in hex': {
    options: { key: { encoding: 'hex' } },
    secret: '00ff11',
    headers: { 'x-signature': mac('sha256', 'hex', Buffer.from('00ff11', 'hex'), text) }
  },
  'a key in Base64 behind a prefix': {
    options: { key: { encoding: 'base64', prefix: 'key_' } },
    secret: 'key_AP8Q',
    headers: { 'x-signature': mac('sha256', 'hex', Buffer.from('AP8Q', 'base64'), text) }
  }
}

for (const [name, { options, headers, secret: own = secret }] of Object.entries(cases)) {
  t.test(`${name}: accepted, and refused for another body`, async (t) => {
    const source = hmacSource<AnyEvent>({ ...base, ...options })
    const request = { method: 'POST', url: '/', headers, body }
    const { verify } = source.verifier([`${own.slice(0, -1)}0`, own])
    t.match(verify(request, now, 60_000), { ok: true, secret: 2 })
    t.match(source.precheck(request), { ok: true })
    t.match(verify({ ...request, body: Buffer.from('{}') }, now, 60_000), { ok: false, reason: 'no_match' })
    t.match(source.read(request), { ok: true, event: { id: 'ev_1', type: 'bill.paid', payload: { amount: '5 €' } } })
    await sourceContract(
      t,
      source,
      [{ body, headers, secret: own, at: now, events: [{ id: 'ev_1', type: 'bill.paid' }] }],
      {
        requests: 100
      }
    )
  })
}
