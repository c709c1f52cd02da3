// Risk: two kinds of events get one id, or one kind gets two, and lists by type, endpoint or mode miss events.
import { createHash } from 'node:crypto'

import t from 'tap'

import { kindId, type KindFields } from '../../src/inbox/postgres/kinds.ts'

const base: KindFields = { source: 's', realm: 'r', endpoint: '/e', type: 'a.b', liveMode: true }

/** The stored ids are digests: 64 bits, signed. */
function idOf({ source, realm, endpoint, type = '', liveMode }: KindFields): string {
  const text = JSON.stringify([source, realm, type, endpoint, liveMode ?? null])
  return String(createHash('sha256').update(text).digest().readBigInt64BE())
}

t.test('a kind has the same id each time, also after many others', (t) => {
  const others = Array.from({ length: 2_500 }, (_, index) => ({ ...base, type: `other.${index}` }))
  const long = { ...base, type: 'x'.repeat(10_000) }
  for (const kind of [base, base, ...others, ...others.slice(0, 10), long, long, base]) {
    if (kindId(kind) !== idOf(kind)) t.fail(`another id for ${kind.type?.slice(0, 20)}`)
  }
  t.equal(kindId(base), idOf(base))
  t.end()
})

t.test('kinds that differ in one field have different ids', (t) => {
  const kinds = [
    base,
    { ...base, source: 't' },
    { ...base, realm: 't' },
    { ...base, endpoint: '/t' },
    { ...base, type: 't' },
    { ...base, type: undefined },
    { ...base, liveMode: false },
    { ...base, liveMode: undefined }
  ]
  for (const round of [1, 2]) t.equal(new Set(kinds.map(kindId)).size, kinds.length, `round ${round}`)
  t.end()
})
