import fc from 'fast-check'
import t from 'tap'

import { matchesType } from '../../../../src/source/digital-river/api/match-type.ts'
import { rig, webhook, type Reply, type Seen } from './api-server.ts'

const since = new Date('2026-01-01T00:00:00.000Z')
const until = new Date('2026-01-02T00:00:00.000Z')

/** The ways in which a provider may read `types`. Returns the types that the query selects; undefined: no filter. */
type Reading = (values: string[]) => string[] | undefined
const readings: Record<string, Reading> = {
  'comma-separated': (values) =>
    values
      .join(',')
      .split(',')
      .filter((type) => values.length === 1 || !type.includes(',')),
  'comma-separated, the last parameter only': (values) => values.at(-1)?.split(','),
  repeated: (values) => values,
  'as one odd name, the first parameter only': (values) => values.slice(0, 1),
  'as one odd name, the last parameter only': (values) => values.slice(-1),
  'not at all': () => undefined
}
const refusing: Reading = (values) => (values.some((value) => value.includes(',')) ? ['400'] : values)

/** A provider with `each` events of each of `kinds` types, that reads `types` in its way. */
function provider(reading: Reading, kinds: number, each: number) {
  const events = Array.from({ length: kinds * each }, (_, n) => ({
    id: `e${n}`,
    type: `type.${n % kinds}`,
    createdTime: '2026-01-01T12:00:00Z'
  }))
  return ({ query }: Seen): Reply => {
    const type = query.get('type')
    const asked = type === null ? (query.has('types') ? reading(query.getAll('types')) : undefined) : [type]
    if (asked?.includes('400'))
      return { status: 400, body: { errors: [{ parameter: 'types', code: 'invalid_parameter' }] } }
    const found = events.filter((event) => asked?.some((pattern) => matchesType(pattern, event.type)) ?? true)
    const from = found.findIndex(({ id }) => id === query.get('startingAfter')) + 1
    const limit = Number(query.get('limit') ?? 10)
    return { body: { hasMore: from + limit < found.length, data: found.slice(from, from + limit) } }
  }
}

for (const [name, reading] of Object.entries({ ...readings, 'refused when comma-separated': refusing })) {
  t.test(`types read ${name}: no event is missed, duplicated or returned without being selected`, async (t) => {
    for (const [kinds, each] of [
      [50, 6],
      [3, 2],
      [2, 150],
      [1, 0]
    ] as const) {
      const { client } = await rig(t, provider(reading, kinds, each))
      for (const count of [1, 2, 19, 20, 45]) {
        const types = Array.from({ length: count }, (_, n) => `type.${n}`)
        const found = await Array.fromAsync(client.events.all({ since, until, types }))
        const label = `${kinds} kinds, ${each} each, ${count} asked`
        t.equal(found.length, Math.min(count, kinds) * each, label)
        t.equal(new Set(found.map((event) => event['id'])).size, found.length, label)
        t.ok(
          found.every((event) => types.includes(String(event['type']))),
          label
        )
      }
    }
  })
}

const pages = (answer: (types: string[]) => Reply) => (seen: Seen) => answer(seen.query.getAll('types'))
const event = (type: string, n = 0) => ({ id: `${type}${n}`, type, createdTime: '2026-01-01T12:00:00Z' })

t.test('the encoding that worked is used again', async (t) => {
  const data = [event('a'), event('b')]
  const comma = await rig(
    t,
    pages(() => ({ body: { data } }))
  )
  await comma.client.events.list({ types: ['a', 'b'] })
  await comma.client.events.list({ types: ['a', 'b'] })
  t.strictSame(
    comma.seen.map(({ query }) => query.getAll('types')),
    [['a,b'], ['a,b']]
  )
  for (const odd of [
    { body: { data: [] } },
    { body: { data: [event('z')] } },
    { status: 400, body: { errors: [{ message: 'Unknown type' }] } }
  ]) {
    const repeated = await rig(
      t,
      pages((types) => (types.length === 1 ? odd : { body: { data } }))
    )
    t.match(await repeated.client.events.list({ types: ['a', 'b'] }), { data })
    t.match(await repeated.client.events.list({ types: ['a', 'b'] }), { data })
    t.strictSame(
      repeated.seen.map(({ query }) => query.getAll('types')),
      [['a,b'], ['a', 'b'], ['a', 'b']]
    )
  }
})

t.test('an error unrelated to types is thrown unchanged', async (t) => {
  for (const reply of [{ status: 401 }, { status: 400, body: { errors: [{ parameter: 'limit' }] } }]) {
    const { client, seen } = await rig(t, () => reply)
    await t.rejects(client.events.list({ types: ['a', 'b'] }), { name: 'DigitalRiverApiError', status: reply.status })
    t.equal(seen.length, 1)
  }
  const both = await rig(t, () => ({ status: 400, body: { errors: [{ parameter: 'types' }] } }))
  await t.rejects(both.client.events.list({ types: ['a', 'b'] }), { status: 400, errors: [{ parameter: 'types' }] })
})

t.test('one type is requested with type, and so is a group; extra events of the provider are left out', async (t) => {
  const { client, seen } = await rig(t, () => ({
    body: { hasMore: true, data: [event('order.accepted'), event('refund.created')] }
  }))
  const page = await client.events.list({ types: ['order.accepted'] })
  t.match(
    page,
    { hasMore: true, data: [{ type: 'order.accepted' }], next: 'refund.created0' },
    'the cursor is that of the whole page'
  )
  t.equal(page.data.length, 1)
  t.equal((await client.events.list({ type: 'order.*' })).data.length, 1)
  t.strictSame(
    seen.map(({ query }) => Object.fromEntries(query)),
    [{ type: 'order.accepted' }, { type: 'order.*' }]
  )
})

t.test('a window that fits one page takes one call, for any number of types', async (t) => {
  const types = Array.from({ length: 134 }, (_, n) => `type.${n}`)
  for (const data of [[], [event('type.7'), event('other')]]) {
    const { client, seen } = await rig(t, () => ({ body: { hasMore: false, data } }))
    t.equal((await Array.fromAsync(client.events.all({ since, until, types }))).length, data.length / 2)
    t.strictSame(
      seen.map(({ query }) => query.get('types')),
      [null]
    )
  }
})

t.test('no types are no events, and take no call', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: { data: [event('a')] } }))
  t.strictSame(await Array.fromAsync(client.events.all({ since, until, types: [] })), [])
  t.equal(seen.length, 0)
})

t.test('webhooks are filtered by type, and by types in every way that the provider may read them', async (t) => {
  const account = [
    webhook({ id: '1', types: ['a', 'x'] }),
    webhook({ id: '2', types: ['b'] }),
    webhook({ id: '3', types: ['c'] }),
    webhook({ id: '4', types: ['order.accepted'] })
  ]
  for (const [name, reading] of Object.entries({ ...readings, refused: refusing })) {
    const { client, seen } = await rig(t, ({ query }) => {
      const type = query.get('type')
      const asked = type === null ? (query.has('types') ? reading(query.getAll('types')) : undefined) : [type]
      if (asked?.includes('400')) return { status: 400, body: { errors: [{ parameter: 'types' }] } }
      return {
        body: account.filter(
          ({ types }) => asked?.some((pattern) => types.some((one) => matchesType(pattern, one))) ?? true
        )
      }
    })
    const listed = async (filter: { type?: string; types?: string[] }) =>
      (await client.webhooks.list(filter)).map(({ id }) => id)
    t.strictSame(await listed({ type: 'order.*' }), ['4'], name)
    t.strictSame(Object.fromEntries(seen[0]?.query ?? []), { type: 'order.*' })
    t.strictSame(await listed({ types: ['a', 'b'] }), ['1', '2'], name)
    t.strictSame(await listed({ types: ['b', 'c'] }), ['2', '3'], name)
    t.strictSame(await listed({ types: ['nothing', 'such'] }), [], name)
    t.strictSame(await listed({ types: ['c', 'nothing'] }), ['3'], name)
  }
})

t.test('a pattern matches like the equivalent regular expression', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
  fc.assert(
    fc.property(text, text, (pattern, type) => {
      const expression = new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replaceAll('.', '\\.'))
          .join('.*')}$`
      )
      return matchesType(pattern, type) === expression.test(type)
    }),
    { numRuns: 2_000 }
  )
  t.ok(matchesType('order.*', 'order.charge.failed'))
  t.notOk(matchesType('order.*', 'orders.created'))
})

t.test('a hostile pattern in an answer takes no time', async (t) => {
  t.notOk(matchesType(`${'a*'.repeat(50_000)}b`, 'a'.repeat(50_000)))
})
