import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../../any-text.ts'
import { Hmac } from '../../../src/model/hmac.ts'
import { github, hmacSource, shopify, standardWebhooks, stripe, type HmacSource } from '../../../src/sources.ts'

// Risk: a server that headers of an unknown sender can crash, slow down, or make accept a forgery.

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const publicKey = `whpk_${Buffer.alloc(32, 7).toString('base64')}`
const timed = hmacSource({
  name: 'timed',
  header: ['X-Signature', 'X-Signature-Old'],
  fields: { timestamp: 't', signature: 'v1' },
  signed: '{timestamp}.{body}',
  id: 'digest',
  type: ({ kind }) => String(kind)
})
const sources: readonly (readonly [HmacSource, readonly string[]])[] = [
  [stripe(), [secret]],
  [github(), [secret]],
  [shopify(), [secret]],
  [standardWebhooks(), [secret, publicKey]],
  [timed, [secret]]
]
const body = Buffer.from('{"id":"1","type":"a.b","kind":"c"}')
const now = new Date('2026-01-31T12:00:00Z')

/** Characters that are difficult for parsers, besides those of real headers. */
const piece = fc.oneof(
  anyText(),
  fc.constantFrom(
    't=',
    'v1=',
    'v1,',
    'v1a,',
    'sha256=',
    ',',
    ' ',
    ';',
    '=',
    '0'.repeat(64),
    'A'.repeat(43) + '=',
    '1769860800'
  ),
  fc.constantFrom('-1', 'NaN', '1e3', '9'.repeat(400), '__proto__', 'constructor', '\0', '\u00ff')
)
const value = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.constant(undefined)
)

for (const [source, secrets] of sources) {
  const verifier = source.verifier(secrets)
  const names = [...source.signatureHeaders, ...source.keep, 'webhook-timestamp', '__proto__']

  t.test(`${source.name}: no header is accepted, and none makes it throw`, async () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), value),
        fc.uint8Array({ maxLength: 60 }),
        (headers, bytes) => {
          for (const given of [bytes, body]) {
            const request = { method: 'POST', url: '/', headers, body: given }
            const verdict = verifier.verify(request, now, 300_000)
            if (verdict.ok) throw new Error('a forged request was accepted')
            // No key and no control character of the request reaches the log.
            if (verdict.detail.length > 500 || verdict.detail.includes(secret.slice(6))) throw new Error(verdict.detail)
            source.precheck(request)
            verifier.explain(request)
            source.read({ headers: {}, body: given })
            source.read({ headers: Object.fromEntries(source.keep.map((name) => [name, 'x'])), body: given })
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  t.test(`${source.name}: a signature with any change is refused`, async () => {
    const signed = source.sign({ body, secret, at: now, id: 'msg_1', type: 'a.b' })
    const headers = Object.fromEntries(Object.entries(signed).map(([name, text]) => [name.toLowerCase(), text]))
    const [name = ''] = source.signatureHeaders
    const right = headers[name] ?? ''
    const start = right.search(/[0-9a-f]{64}|[A-Za-z0-9+/]{43}=/)
    const end = right.endsWith('=') ? right.length - 1 : right.length
    fc.assert(
      fc.property(fc.integer({ min: start, max: end - 1 }), fc.constantFrom('0', '1', 'a', 'Z'), (at, letter) => {
        const changed = right.slice(0, at) + letter + right.slice(at + 1)
        const { ok } = verifier.verify({ headers: { ...headers, [name]: changed }, body }, now, 300_000)
        if (ok !== (changed === right)) throw new Error(`${changed} was ${ok ? 'accepted' : 'refused'}`)
      })
    )
  })
}

t.test('thousands of signatures, and long headers, are refused before any computation', async (t) => {
  const signature = 'v1=' + '0'.repeat(64)
  const { verify } = timed.verifier([secret])
  const judge = (header: string | readonly string[]) =>
    verify({ headers: { 'x-signature': header }, body }, now, 300_000)
  const { verify: check } = standardWebhooks().verifier([publicKey])
  const asymmetric = Array(6)
    .fill(`v1a,${'A'.repeat(86)}==`)
    .join(' ')
  const standard = { 'webhook-id': 'a', 'webhook-timestamp': '1', 'webhook-signature': asymmetric }
  const short = { ...standard, 'webhook-signature': asymmetric.slice(0, 92) }
  const computed = countComputed(() => {
    t.match(judge(`t=1,${Array(21).fill(signature).join(',')}`), {
      ok: false,
      reason: 'malformed_header',
      detail: /has more than 20 signatures/
    })
    t.match(judge(Array(5_000).fill(signature)), { reason: 'malformed_header', detail: /longer than 4096 characters/ })
    t.match(judge(','.repeat(100_000)), { reason: 'malformed_header', detail: /longer than 4096 characters/ })
    t.match(judge(`t=${'1'.repeat(65)},${signature}`), { detail: /its field "t" must be there once/ })
    t.match(judge(`t=1,t=2,${signature}`), { detail: /its field "t" must be there once/ })
    t.match(judge(signature), { detail: /its field "t" must be there once/ })
    t.match(check({ headers: standard, body }, now, 300_000), { detail: /has more than 5 signatures/ })
    t.match(check({ headers: { ...short, 'webhook-id': 'a'.repeat(257) }, body }, now, 1), {
      reason: 'malformed_header',
      detail: /the webhook-id header is malformed: it is longer than 256 characters/
    })
  })
  t.equal(computed, 0)
  const twenty = countComputed(() => {
    t.match(judge(`t=1,${Array(20).fill(signature).join(',')}`), { reason: 'no_match' })
  })
  t.equal(twenty, 1, 'twenty signatures take one HMAC for each secret')
  const one = countComputed(() => {
    t.match(check({ headers: short, body }, now, 1), { reason: 'no_match' })
  })
  t.equal(one, 1)
})

/**
 * The number of HMACs and public-key checks that `run` computes. Synchronous, so that other tests of the process are
 * not counted.
 */
function countComputed(run: () => void): number {
  const { verify } = crypto
  const { of } = Hmac.prototype
  let calls = 0
  Hmac.prototype.of = function (...given) {
    calls += 1
    return of.apply(this, given)
  }
  Object.assign(crypto, {
    verify(...given: readonly unknown[]): unknown {
      calls += 1
      return Reflect.apply(verify, crypto, given)
    }
  })
  syncBuiltinESMExports()
  try {
    run()
  } finally {
    Hmac.prototype.of = of
    Object.assign(crypto, { verify })
    syncBuiltinESMExports()
  }
  return calls
}
