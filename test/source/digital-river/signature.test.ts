import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../../any-text.ts'
import { digitalRiver } from '../../../src/source/digital-river/index.ts'
import { parseHeader } from '../../../src/source/digital-river/header.ts'
import type { SourceRequest } from '../../../src/source/source.ts'

const source = digitalRiver()
const secret = 'whk_0f8fad5b-d9cb-469f-a165-70867728950e'
const body = Buffer.from('{"id":"ü"}')

// Computed by another program, so that a mistake of ours cannot agree with itself: printf '%s' 'TIMESTAMP.{"id":"ü"}'
// | openssl dgst -sha256 -hmac whk_0f8fad5b-d9cb-469f-a165-70867728950e -binary | base64
const vectors = [
  {
    timestamp: '1767225600',
    at: '2026-01-01T00:00:00.000Z',
    signature: 'IgDvWcj90TzjIwLip9HwXJv5wTPDbYzOAL/ID9ZGBl8='
  },
  {
    timestamp: '1767225600123',
    at: '2026-01-01T00:00:00.123Z',
    signature: 'KS0l3HmLJlX7EW5kGpgWgJkLsdv0m6UurU0HClucFXE='
  },
  {
    timestamp: '2026-01-01T00:00:00.5Z',
    at: '2026-01-01T00:00:00.500Z',
    signature: 'dxa2G96h8xvqy4rsqvzDrHGTINlp91b0XytWj749iLI='
  }
]

function signed(header: string, bytes: Uint8Array = body): SourceRequest {
  return { headers: { 'digitalriver-signature': header }, body: bytes }
}

t.test('signatures made by openssl are accepted, the timestamp in seconds, milliseconds or ISO 8601', async (t) => {
  for (const { timestamp, at, signature } of vectors) {
    const verdict = source.verifier([secret]).verify(signed(`${timestamp}, ${signature}`), new Date(at), 1000)
    t.same(verdict, { ok: true, secret: 1, signedAt: new Date(at), skewMs: 0 })
  }
})

t.test('our signatures equal those of openssl', async (t) => {
  const [vector] = vectors
  t.same(source.sign({ body, secret, at: new Date(vector!.at) }), {
    'DigitalRiver-Signature': `${vector!.timestamp}, ${vector!.signature}`
  })
})

t.test('during a rotation any signature may match any secret, at any position', async (t) => {
  const [{ timestamp, signature, at }] = vectors as [(typeof vectors)[0]]
  const other = 'B'.repeat(43) + '='
  for (const header of [
    `${timestamp}, ${other}, ${signature}`,
    `${timestamp},${signature},${other}`,
    `${timestamp}, ${other}, ${other}, ${signature}`
  ]) {
    t.match(source.verifier(['whk_old', 'whk_new', secret]).verify(signed(header), new Date(at), 1000), {
      ok: true,
      secret: 3
    })
  }
})

t.test('the timestamp is checked in both directions', async (t) => {
  const [{ timestamp, signature, at }] = vectors as [(typeof vectors)[0]]
  const judge = (offsetMs: number) =>
    source.verifier([secret]).verify(signed(`${timestamp}, ${signature}`), new Date(Date.parse(at) + offsetMs), 300_000)
  t.match(judge(300_000), { ok: true, skewMs: 300_000 })
  t.match(judge(-300_000), { ok: true, skewMs: -300_000 })
  t.match(judge(300_001), { ok: false, reason: 'clock', detail: /"1767225600" is 300\.0 s old .*tolerance 300 s/ })
  t.match(judge(-400_000), { ok: false, reason: 'clock', detail: /400\.0 s in the future/ })
  t.match(judge(NaN), { ok: false, reason: 'clock' })
})

const signWith = (timestamp: string, bytes: Uint8Array = body) =>
  createHmac('sha256', secret).update(`${timestamp}.`).update(bytes).digest('base64')

// Risk: every event, from the day on which the provider writes its times in another format.
t.test('times are read in every unambiguous form, a time without a zone as UTC', async (t) => {
  const at = '2026-01-01T00:00:00.123Z'
  const exact = [
    '1767225600.123',
    't=1767225600.123',
    '1767225600123456',
    '1767225600123456789',
    '2026-01-01T00:00:00.123',
    '2026-01-01 00:00:00.123Z',
    '2026-01-01 00:00:00,123456',
    '2026-01-01t01:00:00.123+01:00',
    '2026-01-01T01:00:00.123+01',
    '2025-12-31T19:00:00.123-0500',
    '20260101T000000.123Z',
    '2026-01-01 00:00:00.123 UTC'
  ]
  for (const text of exact) {
    t.match(
      source.verifier([secret]).verify(signed(`${text}, ${signWith(text)}`), new Date(at), 10),
      { ok: true, skewMs: 0 },
      text
    )
  }
  for (const text of [
    'Thu, 01 Jan 2026 00:00:00 GMT',
    '1 Jan 2026 01:00:00 +0100',
    '2026-01-01T00:00Z',
    '2026-01-01 00:00'
  ]) {
    t.match(
      source.verifier([secret]).verify(signed(`${text}, ${signWith(text)}`), new Date(at), 1000),
      { ok: true, skewMs: 123 },
      text
    )
  }
})

t.test(
  'any text as the timestamp: a matching signature is distinguished, and the log has the text, short and escaped',
  async (t) => {
    const judge = (text: string) =>
      source.verifier([secret]).verify(signed(`${text}, ${signWith(text)}`), new Date(), Infinity)
    for (const text of [
      'yesterday',
      '01/02/2026 10:00:00',
      '20260101000000',
      '1,767,225,600',
      '2026-W01-1',
      '/Date(1767225600000)/',
      '99999999999999999999',
      '-1',
      ''
    ]) {
      t.match(
        judge(text),
        { ok: false, reason: 'unreadable_time', secret: 1, detail: `"${text}" cannot be read as a time` },
        text
      )
    }
    const hostile = judge(`\u001b[31m"\u009b\u202e\ud800${'x'.repeat(500)}`)
    t.match(hostile, { reason: 'unreadable_time' })
    const { detail } = hostile as { detail: string }
    t.ok(detail.length < 400)
    t.match(detail, /^[\x20-\x7e]+$/)
    t.match(detail, String.raw`\u001b[31m\u0022\u009b\u202e\ud800xxx`)
  }
)

// Risk: the server, for anyone who can reach it.
t.test('a header with a thousand signatures, or a million characters, is refused before any comparison', async (t) => {
  const [{ timestamp, signature }] = vectors as [(typeof vectors)[0]]
  const judge = (header: string | string[]) =>
    source
      .verifier([secret])
      .verify({ headers: { 'digitalriver-signature': header }, body }, new Date(1_767_225_600_000), 1000)
  const other = 'B'.repeat(43) + '='
  t.match(judge([`${timestamp}, ${signature}`, ...Array<string>(20).fill(other)]), {
    reason: 'malformed_header',
    detail: /more than 20 signatures/
  })
  t.match(judge([`${timestamp}, ${signature}`, ...Array<string>(19).fill(other)]), { ok: true })
  for (const header of [`${timestamp}${','.repeat(1e6)}`, `${timestamp}${' '.repeat(1e6)}, ${signature}`])
    t.match(judge(header), { reason: 'malformed_header', detail: /longer than/ })
})

t.test('a refusal has its reason', async (t) => {
  const verifier = source.verifier([secret])
  const judge = (request: SourceRequest) => verifier.verify(request, new Date(), 1000)
  t.match(judge({ headers: {}, body }), { ok: false, reason: 'no_header', detail: /no DigitalRiver-Signature header/ })
  t.match(judge(signed('')), { reason: 'no_header' })
  t.match(judge(signed('yesterday, abc=')), { reason: 'no_match' })
  t.match(judge(signed('1767225600')), {
    reason: 'malformed_header',
    detail: /no signature; expected "<timestamp>, <signature>"/
  })
  t.match(judge(signed('1767225600, nonsense')), {
    reason: 'no_match',
    detail: /no secret matched \(1 in the header, 1 configured\)/
  })
})

t.test('an unusable secret fails at the start and is named only by its position', async (t) => {
  // For HMAC, a key of NUL characters is an empty key.
  for (const bad of ['', '  ', '\0\0', 7 as unknown as string]) {
    t.throws(() => source.verifier(['whk_good', bad]), { code: 'RIVERHOOK_SOURCE_SECRET', message: /number 2/ })
  }
  t.throws(() => source.verifier([]), { code: 'RIVERHOOK_SOURCE_SECRET' })
})

t.test('a body that was reformatted on the way is recognised', async (t) => {
  const original = Buffer.from('{"id":"e1","data":{"object":{"a":[1,2]}}}\n')
  const explained = (sent: Buffer, arrived: Buffer) => {
    const headers = source.sign({ body: sent, secret, at: new Date() })
    return source.verifier([secret]).explain(signed(headers['DigitalRiver-Signature']!, arrived))
  }
  const value: unknown = JSON.parse(original.toString())
  const compact = Buffer.from(JSON.stringify(value))
  const pretty = Buffer.from(JSON.stringify(value, undefined, 2))
  const python = Buffer.from('{"id": "e1", "data": {"object": {"a": [1, 2]}}}')
  for (const [sent, arrived] of [
    [compact, pretty],
    [pretty, compact],
    [python, compact],
    [original, compact],
    [compact, original]
  ] as const) {
    t.match(explained(sent, arrived), /the body was changed on the way.*re-serialisation/)
  }
  t.equal(explained(compact, Buffer.from('{"id":"e2"}')), undefined, 'another body is just another body')
  t.equal(explained(compact, Buffer.from('not json')), undefined)
})

t.test(
  'the cost of a wrongly signed body is bounded: nested lists, long lists, many secrets, a large body',
  async (t) => {
    const nested = (depth: number, times: number) =>
      Buffer.from(
        `[${Array<string>(times)
          .fill('['.repeat(depth) + ']'.repeat(depth))
          .join(',')}]`
      )
    const { signature } = vectors[0]!
    const bodies = [
      nested(3_000, 6),
      nested(100_000, 1),
      nested(90, 700),
      Buffer.from('{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000)),
      Buffer.from('['.repeat(60_000)),
      Buffer.from(`[${'1e20,'.repeat(20_000)}1]`),
      Buffer.from('\n'.repeat(120_000)),
      Buffer.alloc(16_777_216, '[')
    ]
    const { stringify } = JSON
    let longest = 0
    t.teardown(() => {
      JSON.stringify = stringify
    })
    JSON.stringify = ((...given: Parameters<typeof stringify>) => {
      const text = stringify(...given)
      longest = Math.max(longest, text.length)
      return text
    }) as typeof stringify
    for (const each of bodies) {
      t.equal(
        source
          .verifier(Array.from({ length: 200 }, (_, index) => ` whk_${index} `))
          .explain(signed(`1767225600, ${signature}`, each)),
        undefined
      )
    }
    t.ok(longest < 1_048_576, `the longest copy has ${longest} characters`)
  }
)

t.test('a secret with white space or quotes around it is recognised, without being shown', async (t) => {
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
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.string({ minLength: 1 }).filter((text) => text.trim() !== ''),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom('body', 'timestamp', 'secret'),
      (bytes, key, position, change, what) => {
        const at = new Date(1_767_225_600_000)
        const header = source.sign({ body: bytes, secret: key, at })['DigitalRiver-Signature']!
        if (!source.verifier([key]).verify(signed(header, bytes), at, 1000).ok) return false
        const flip = (given: Uint8Array): Uint8Array =>
          given.map((byte, index) => (index === position % given.length ? byte ^ change : byte))
        if (what === 'body') return !source.verifier([key]).verify(signed(header, flip(bytes)), at, 1000).ok
        const [timestamp = '', ...rest] = header.split(',')
        if (what === 'timestamp') {
          const changed = Buffer.from(flip(Buffer.from(timestamp))).toString('latin1')
          return !source.verifier([key]).verify(signed([changed, ...rest].join(','), bytes), at, Infinity).ok
        }
        const other = Buffer.from(flip(Buffer.from(key))).toString('latin1')
        // Only white space and NUL characters are no secret.
        return (
          other.replaceAll('\0', '').trim() === '' ||
          !source.verifier([other]).verify(signed(header, bytes), at, 1000).ok
        )
      }
    ),
    { numRuns: 500 }
  )
})

t.test('no text in the header and no body makes it throw', async () => {
  const verifier = source.verifier([secret])
  fc.assert(
    fc.property(
      fc.oneof(anyText(), fc.stringMatching(/^[0-9TZ:., +=a-zA-Z/-]*$/)),
      fc.uint8Array(),
      (header, bytes) => {
        parseHeader(header)
        verifier.explain(signed(header, bytes))
        return !verifier.verify(signed(header, bytes), new Date(), Infinity).ok
      }
    ),
    { numRuns: 500 }
  )
})

// Risk: the header of nearly every request is read in a shorter way, which must find the same.
t.test('a number and one signature are read as in a longer header', (t) => {
  const first = vectors[0]!.signature
  for (const time of ['1767225600', '1767225600123', '0', '99999999999999999999', '999999999999999999999']) {
    for (const between of [', ', ',']) {
      const alone = parseHeader(`${time}${between}${first}`)
      // The comma at the end is an empty item, which is ignored.
      t.same(alone, parseHeader(`${time}${between}${first},`), `${time}${between}`)
      t.match(alone, { ok: true, items: 1, times: [{ text: time }] })
    }
  }
  t.end()
})
