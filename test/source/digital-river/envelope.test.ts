import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'

import { digitalRiver } from '../../../src/source/digital-river/index.ts'

const good = {
  id: '749267cf-a86e-471e-ab70-e4b315c9b9c4',
  type: 'order.accepted',
  data: { object: { id: '1', total: 12.5 } },
  liveMode: false,
  createdTime: '2022-03-21T21:46:55.215753Z'
}

function read(value: unknown) {
  const body =
    value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return digitalRiver().read({ headers: {}, body })
}

t.test('an event is returned as it was sent', async (t) => {
  t.same(read(good), { ok: true, event: good })
})

t.test('a byte order mark is no reason to refuse an event', async (t) => {
  t.same(read(`\ufeff${JSON.stringify(good)}`), { ok: true, event: good })
})

t.test('the envelope is no stricter than the wire', async (t) => {
  const { data: _data, ...rest } = good
  for (const variant of [
    { ...good, id: 'evt_1' },
    { ...good, id: 'quarantine_1', type: '\u{1f4e6}'.repeat(128) },
    { ...good, type: 'AT787.HTTP.Test' },
    { ...good, type: 'ping' },
    { ...good, data: { object: {} } },
    { ...good, data: { object: {}, previousAttributes: { state: null } } },
    { ...good, unknown: [1], digitalRiverVersion: '2020-01-07', webhookIds: [], versionIds: [] },
    { ...rest, data: { object: { nested: { deep: [] } }, extra: 1 } },
    ...[
      '2026-01-31T00:00:00Z',
      '2026-01-31T00:00:00.1Z',
      '2026-01-31T00:00:00.123456789Z',
      '2024-02-29T23:59:59.000+0000',
      '2026-01-31T00:00:00+00:00'
    ].map((createdTime) => ({ ...good, createdTime }))
  ])
    t.match(read(variant), { ok: true }, JSON.stringify(variant))
})

t.test('a day is accepted if the month has it', async (t) => {
  const wrong: string[] = []
  for (let year = 1896; year <= 2104; year += 1)
    for (let month = 1; month <= 12; month += 1)
      for (let day = 28; day <= 31; day += 1) {
        const date = `${year}-${String(month).padStart(2, '0')}-${day}`
        const exists = new Date(Date.UTC(year, month - 1, day)).getUTCMonth() === month - 1
        if (read({ ...good, createdTime: `${date}T12:00:00Z` }).ok !== exists) wrong.push(date)
      }
  t.same(wrong, [])
})

t.test('an invalid Event is refused with the field and the rule, never the value', async (t) => {
  const { id: _id, ...noId } = good
  const cases: [unknown, string][] = [
    [noId, 'The Event lacks the field "id"'],
    [{ ...good, id: '' }, 'The Event\'s field "id" must not be empty'],
    [{ ...good, id: 7 }, 'The Event\'s field "id" must be string'],
    [{ ...good, id: 'x'.repeat(257) }, 'The Event\'s field "id" must not be longer than 256 characters'],
    [{ ...good, type: 'x'.repeat(1e6) }, 'The Event\'s field "type" must not be longer than 256 characters'],
    [
      { ...good, createdTime: `2026-01-31T00:00:00.${'1'.repeat(300)}Z` },
      'The Event\'s field "createdTime" must not be longer than 256 characters'
    ],
    [
      { ...good, id: 'a\ud800' },
      'The Event\'s field "id" must be well-formed Unicode: it holds half of a surrogate pair'
    ],
    [
      { ...good, type: '\udc00.a' },
      'The Event\'s field "type" must be well-formed Unicode: it holds half of a surrogate pair'
    ],
    [{ ...good, id: 'a\0' }, 'The Event\'s field "id" must not hold a NUL character'],
    [
      { ...good, id: `quarantine_${'0a'.repeat(16)}` },
      'The Event\'s field "id" must not have the form of the id of a quarantined request'
    ],
    [{ ...good, type: '' }, 'The Event\'s field "type" must not be empty'],
    [{ ...good, data: [] }, 'The Event\'s field "data" must be object'],
    [{ ...good, data: {} }, 'The Event lacks the field "data.object"'],
    [{ ...good, data: { object: null } }, 'The Event\'s field "data.object" must be object'],
    [{ ...good, liveMode: 'false' }, 'The Event\'s field "liveMode" must be boolean'],
    [
      { ...good, createdTime: '2026-02-30T00:00:00Z' },
      'The Event\'s field "createdTime" must be an ISO 8601 instant in UTC, such as 2026-01-31T12:00:00.123Z'
    ],
    [
      { ...good, createdTime: 'secret value' },
      'The Event\'s field "createdTime" must be an ISO 8601 instant in UTC, such as 2026-01-31T12:00:00.123Z'
    ],
    ['[]', 'The body must be a JSON object, the Event'],
    ['null', 'The body must be a JSON object, the Event']
  ]
  for (const [value, message] of cases)
    t.same(read(value), { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message })
})

t.test('bytes that are not UTF-8 and text that is not JSON have separate codes', async (t) => {
  t.match(read(Buffer.from([0x7b, 0xff, 0x7d])), { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENCODING' })
  for (const text of ['', '{', '{"id": secret}']) {
    const reading = read(text)
    t.match(reading, { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_JSON' }, text)
    t.notMatch(JSON.stringify(reading), 'secret')
  }
})

t.test('keys that pollute prototypes are dropped and the event is accepted', async (t) => {
  const text = JSON.stringify(good).replace(
    '"total":12.5',
    '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}'
  )
  const reading = read(text)
  t.ok(reading.ok)
  const object = (reading.ok ? reading.event.data.object : {}) as Record<string, unknown>
  t.equal(object['polluted'], undefined)
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.ok(Object.getPrototypeOf(object) === Object.prototype)
})

t.test('no bytes make it throw', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text))
      ),
      (bytes) => typeof read(bytes).ok === 'boolean'
    )
  )
})

const samples = new URL('../../../../shared/digital-river/samples/', import.meta.url)
t.test(
  'the samples of the provider’s documentation are accepted',
  { skip: existsSync(samples) ? false : 'the samples are not part of the project' },
  async (t) => {
    for (const name of readdirSync(samples)) t.match(read(readFileSync(new URL(name, samples))), { ok: true }, name)
  }
)
