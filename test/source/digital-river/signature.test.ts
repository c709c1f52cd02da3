import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../../any-text.ts'
import { digitalRiver } from '../../../src/source/digital-river/index.ts'
import { parseHeader } from '../../../src/source/digital-river/header.ts'
import type { SourceRequest } from '../../../src/source/source.ts'

const source = digitalRiver()
const secret = 'whk_0f8fad5b-d9cb-469f-a165-70867728950e'
const body = Buffer.from('{"id":"ü"}')

// Computed by another program, so that a mistake of ours cannot agree with itself:
// printf '%s' 'TIMESTAMP.{"id":"ü"}' | openssl dgst -sha256 -hmac whk_0f8fad5b-d9cb-469f-a165-70867728950e -binary | base64
const vectors = [
  { timestamp: '1767225600', at: '2026-01-01T00:00:00.000Z', signature: 'IgDvWcj90TzjIwLip9HwXJv5wTPDbYzOAL/ID9ZGBl8=' },
  { timestamp: '1767225600123', at: '2026-01-01T00:00:00.123Z', signature: 'KS0l3HmLJlX7EW5kGpgWgJkLsdv0m6UurU0HClucFXE=' },
  { timestamp: '2026-01-01T00:00:00.5Z', at: '2026-01-01T00:00:00.500Z', signature: 'dxa2G96h8xvqy4rsqvzDrHGTINlp91b0XytWj749iLI=' }
]

function signed(header: string, bytes: Uint8Array = body): SourceRequest {
  return { headers: { 'digitalriver-signature': header }, body: bytes }
}

t.test('signatures made by openssl are accepted, the timestamp in seconds, milliseconds or ISO 8601', async (t) => {
  for (const { timestamp, at, signature } of vectors) {
    const verdict = source.verifier([secret]).verify(signed(`${timestamp}, ${signature}`), new Date(at), 1000)
    t.same(verdict, { ok: true, secret: 1, signedAt: new Date(at), driftMs: 0 })
  }
})

t.test('we sign as openssl does', async (t) => {
  const [vector] = vectors
  t.same(source.sign({ body, secret, at: new Date(vector!.at) }), { 'DigitalRiver-Signature': `${vector!.timestamp}, ${vector!.signature}` })
})

t.test('during a rotation any signature may fit any secret, wherever it stands', async (t) => {
  const [{ timestamp, signature, at }] = vectors as [(typeof vectors)[0]]
  const other = 'B'.repeat(43) + '='
  for (const header of [`${timestamp}, ${other}, ${signature}`, `${timestamp},${signature},${other}`, `${timestamp}, ${other}, ${other}, ${signature}`]) {
    t.match(source.verifier(['whk_old', 'whk_new', secret]).verify(signed(header), new Date(at), 1000), { ok: true, secret: 3 })
  }
})

t.test('the timestamp is judged on both sides of now', async (t) => {
  const [{ timestamp, signature, at }] = vectors as [(typeof vectors)[0]]
  const judge = (offsetMs: number) => source.verifier([secret]).verify(signed(`${timestamp}, ${signature}`), new Date(Date.parse(at) + offsetMs), 300_000)
  t.match(judge(300_000), { ok: true, driftMs: 300_000 })
  t.match(judge(-300_000), { ok: true, driftMs: -300_000 })
  t.match(judge(300_001), { ok: false, reason: 'clock', detail: /300\.0 s old .*tolerance 300 s/ })
  t.match(judge(-400_000), { ok: false, reason: 'clock', detail: /400\.0 s in the future/ })
})

t.test('a refusal says why', async (t) => {
  const verifier = source.verifier([secret])
  const judge = (request: SourceRequest) => verifier.verify(request, new Date(), 1000)
  t.match(judge({ headers: {}, body }), { ok: false, reason: 'no_header', detail: /no DigitalRiver-Signature header/ })
  t.match(judge(signed('')), { reason: 'no_header' })
  t.match(judge(signed('yesterday, abc=')), { reason: 'malformed_header', detail: /timestamp cannot be read; expected "<timestamp>, <signature>"/ })
  t.match(judge(signed('1767225600')), { reason: 'malformed_header', detail: /no signature/ })
  t.match(judge(signed('1767225600, nonsense')), { reason: 'no_match', detail: /no secret matched \(1 in the header, 1 configured\)/ })
})

t.test('a secret that cannot be used fails at the start and is named by its position only', async (t) => {
  for (const bad of ['', '  ', 7 as unknown as string]) {
    t.throws(() => source.verifier(['whk_good', bad]), { code: 'RIVERHOOK_SOURCE_SECRET', message: /number 2/ })
  }
  t.throws(() => source.verifier([]), { code: 'RIVERHOOK_SOURCE_SECRET' })
})

t.test('a body that was rewritten on the way is recognised', async (t) => {
  const original = Buffer.from('{"id":"e1","data":{"object":{"a":[1,2]}}}\n')
  const explained = (sent: Buffer, arrived: Buffer) => {
    const headers = source.sign({ body: sent, secret, at: new Date() })
    return source.verifier([secret]).explain(signed(headers['DigitalRiver-Signature']!, arrived))
  }
  const value: unknown = JSON.parse(original.toString())
  const compact = Buffer.from(JSON.stringify(value))
  const pretty = Buffer.from(JSON.stringify(value, undefined, 2))
  const python = Buffer.from('{"id": "e1", "data": {"object": {"a": [1, 2]}}}')
  for (const [sent, arrived] of [[compact, pretty], [pretty, compact], [python, compact], [original, compact], [compact, original]] as const) {
    t.match(explained(sent, arrived), /the body was changed on the way.*re-serialisation/)
  }
  t.equal(explained(compact, Buffer.from('{"id":"e2"}')), undefined, 'another body is just another body')
  t.equal(explained(compact, Buffer.from('not json')), undefined)
})

t.test('a secret with white space or quotes around it is recognised, without being told', async (t) => {
  const headers = source.sign({ body, secret, at: new Date() })
  for (const configured of [`${secret}\n`, ` ${secret}`, `"${secret}"`, `'${secret}' `, `"${secret}`, `${secret}"`]) {
    const found = source.verifier(['whk_other', configured]).explain(signed(headers['DigitalRiver-Signature']!))
    t.match(found, /white space or quotes around configured secret number 2/)
    t.notMatch(found, secret)
  }
})

t.test('any change of any byte of body, timestamp or secret is refused', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.string({ minLength: 1 }).filter((text) => text.trim() !== ''), fc.nat(), fc.integer({ min: 1, max: 255 }),
      fc.constantFrom('body', 'timestamp', 'secret'),
      (bytes, key, position, change, what) => {
        const at = new Date(1_767_225_600_000)
        const header = source.sign({ body: bytes, secret: key, at })['DigitalRiver-Signature']!
        if (!source.verifier([key]).verify(signed(header, bytes), at, 1000).ok) return false
        const flip = (given: Uint8Array): Uint8Array => given.map((byte, index) => (index === position % given.length ? byte ^ change : byte))
        if (what === 'body') return !source.verifier([key]).verify(signed(header, flip(bytes)), at, 1000).ok
        const [timestamp = '', ...rest] = header.split(',')
        if (what === 'timestamp') {
          const changed = Buffer.from(flip(Buffer.from(timestamp))).toString('latin1')
          return !source.verifier([key]).verify(signed([changed, ...rest].join(','), bytes), at, Infinity).ok
        }
        const other = Buffer.from(flip(Buffer.from(key))).toString('latin1')
        return other.trim() === '' || !source.verifier([other]).verify(signed(header, bytes), at, 1000).ok
      }
    ),
    { numRuns: 500 }
  )
})

t.test('no text in the header and no body makes it throw', async () => {
  const verifier = source.verifier([secret])
  fc.assert(
    fc.property(fc.oneof(anyText(), fc.stringMatching(/^[0-9TZ:., +=a-zA-Z/-]*$/)), fc.uint8Array(), (header, bytes) => {
      parseHeader(header)
      verifier.explain(signed(header, bytes))
      return !verifier.verify(signed(header, bytes), new Date(), Infinity).ok
    }),
    { numRuns: 500 }
  )
})
