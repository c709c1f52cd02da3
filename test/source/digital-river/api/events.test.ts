import t from 'tap'

import type { EventsPageFilter } from '../../../../src/source/digital-river/api/events-query.ts'
import type { ListedEvent } from '../../../../src/source/digital-river/api/models.ts'
import { rig, type Reply, type Seen } from './api-server.ts'

const since = new Date('2026-01-01T00:00:00.000Z')
const until = new Date('2026-01-02T00:00:00.000Z')
const event = (id: string, fields: Record<string, unknown> = {}) => ({
  id,
  type: 'order.accepted',
  createdTime: '2026-01-01T12:00:00.123456Z',
  ...fields
})
const many = (from: number, count: number) => Array.from({ length: count }, (_, n) => event(`e${from + n}`))
const ids = (events: readonly ListedEvent[]) => events.map((event) => event['id'])

/** Pages by cursor, as documented. */
const paged =
  (events: () => readonly { id?: unknown }[]) =>
  ({ query }: Seen): Reply => {
    const limit = Number(query.get('limit') ?? 10)
    const from = events().findIndex(({ id }) => id === query.get('startingAfter')) + 1
    return { body: { hasMore: from + limit < events().length, data: events().slice(from, from + limit) } }
  }

t.test('list sends every documented filter and cursor', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: { hasMore: true, data: [event('a'), event('b')] } }))
  const sent = async (filter: EventsPageFilter) => {
    await client.events.list(filter)
    return Object.fromEntries(seen.at(-1)?.query ?? [])
  }
  t.strictSame(await sent({}), {})
  t.strictSame(await sent({ type: 'order.*', limit: 2, startingAfter: 'x', endingBefore: 'y' }), {
    type: 'order.*',
    limit: '2',
    startingAfter: 'x',
    endingBefore: 'y'
  })
  t.strictSame(await sent({ createdTime: since }), { createdTime: '2026-01-01T00:00:00.000Z' })
  t.strictSame(await sent({ createdTime: { gt: since, gte: since, lt: '2026-01-02T00:00:00Z', lte: until } }), {
    'createdTime[gt]': '2026-01-01T00:00:00.000Z',
    'createdTime[gte]': '2026-01-01T00:00:00.000Z',
    'createdTime[lt]': '2026-01-02T00:00:00Z',
    'createdTime[lte]': '2026-01-02T00:00:00.000Z'
  })
  t.match(await client.events.list(), { hasMore: true, data: [{ id: 'a' }, { id: 'b' }], next: 'b' })
})

t.test('an invalid filter is refused before it is sent', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: [] }))
  const filters: [Record<string, unknown>, RegExp][] = [
    [{ limit: 0 }, /"limit"/],
    [{ limit: 101 }, /"limit"/],
    [{ limit: 1.5 }, /"limit"/],
    [{ limit: '5' }, /"limit"/],
    [{ type: 'a', types: ['b'] }, /not both/],
    [{ types: Array.from({ length: 20 }, (_, n) => `t${n}`) }, /"types".*19/],
    [{ createdTime: new Date(NaN) }, /"createdTime" must be a valid Date/],
    [{ createdTime: { since } }, /"createdTime\[since\]" is unknown/],
    [{ createdTime: { gte: 'yesterday' } }, /"createdTime\[gte\]"/],
    [{ startingAfter: '' }, /"startingAfter"/],
    [{ starting: 'x' }, /"starting" is unknown/]
  ]
  for (const [filter, message] of filters)
    await t.rejects(client.events.list(filter), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  const each = async (filter: Record<string, unknown>) => Array.fromAsync(client.events.each(filter))
  await t.rejects(each({ type: 'a', types: ['b'] }), { message: /not both/ })
  await t.rejects(each({ types: [...Array.from({ length: 30 }, (_, n) => `t${n}`), 'a,b'] }), { message: /comma/ })
  const all = Array.fromAsync(client.events.all({ since: new Date(NaN), until }))
  await t.rejects(all, { code: 'RIVERHOOK_OPTIONS_INVALID', message: /"since" and "until"/ })
  t.equal(seen.length, 0)
})

t.test('retrieve returns one event; an answer without an id is an error', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: event('evt/1') }))
  t.match(await client.events.retrieve('evt/1'), { id: 'evt/1' })
  t.equal(seen[0]?.path, '/events/evt%2F1')
  for (const body of ['', 'null', '[]', {}]) {
    const odd = await rig(t, () => ({ body }))
    await t.rejects(odd.client.events.retrieve('x'), { code: 'RIVERHOOK_API_ANSWER' })
  }
})

t.test('all() reads every page of a window, newest or oldest first', async (t) => {
  const events = many(0, 250)
  for (const order of [events, events.toReversed()]) {
    const { client, seen } = await rig(
      t,
      paged(() => order)
    )
    t.strictSame(ids(await Array.fromAsync(client.events.all({ since, until }))), ids(order))
    t.strictSame(
      seen.map(({ query }) => Object.fromEntries(query)),
      [undefined, order[99]?.id, order[199]?.id].map((after) => ({
        'createdTime[gte]': '2026-01-01T00:00:00.000Z',
        'createdTime[lt]': '2026-01-02T00:00:00.000Z',
        limit: '100',
        ...(after === undefined ? {} : { startingAfter: after })
      }))
    )
  }
})

t.test('events that arrive while pages are read neither duplicate nor hide others', async (t) => {
  const events = many(0, 250)
  let asked = 0
  const { client } = await rig(t, (seen) => {
    asked += 1
    // Newest first: each page pushes all the others back.
    events.unshift(...many(1000 * asked, 3))
    return paged(() => events)(seen)
  })
  const given = ids(await Array.fromAsync(client.events.all({ since, until })))
  t.equal(new Set(given).size, given.length)
  t.equal(many(0, 250).filter(({ id }) => !given.includes(id)).length, 0)
})

t.test('a page that repeats earlier events is read once', async (t) => {
  const pages: Record<string, unknown> = {
    '': { hasMore: true, data: many(0, 3) },
    e2: { hasMore: false, data: many(1, 4) }
  }
  const { client } = await rig(t, ({ query }) => ({ body: pages[query.get('startingAfter') ?? ''] }))
  t.strictSame(ids(await Array.fromAsync(client.events.all({ since, until }))), ['e0', 'e1', 'e2', 'e3', 'e4'])
})

t.test('a list with more but nothing new is an error, not an endless loop or a silent end', async (t) => {
  for (const data of [many(0, 3), [], [event('', {})]]) {
    const { client } = await rig(t, () => ({ body: { hasMore: true, data } }))
    const all = Array.fromAsync(client.events.all({ since, until }))
    await t.rejects(all, { code: 'RIVERHOOK_API_ANSWER', message: /more events, but with none that is new/ })
  }
})

t.test('hasMore and data may be missing', async (t) => {
  const full = await rig(t, ({ query }) => ({
    body: { data: query.has('startingAfter') ? many(100, 5) : many(0, 100) }
  }))
  t.equal(
    (await Array.fromAsync(full.client.events.all({ since, until }))).length,
    105,
    'a full page may have another after it'
  )
  for (const body of [{}, { hasMore: false }, []]) {
    const { client } = await rig(t, () => ({ body }))
    t.strictSame(await Array.fromAsync(client.events.all({ since, until })), [])
  }
  for (const body of ['', 'null', '7', { data: {} }, { data: [null] }]) {
    const { client } = await rig(t, () => ({ body }))
    await t.rejects(client.events.list(), { code: 'RIVERHOOK_API_ANSWER', message: /not (JSON|a list of events)/ })
  }
})

t.test('an event without an id is returned, and so is one whose time cannot be parsed', async (t) => {
  const odd = [
    event('a'),
    { type: 'x', createdTime: '2026-01-01T01:00:00Z' },
    { id: 7, createdTime: 'soon' },
    event('b')
  ]
  const { client } = await rig(t, () => ({ body: { hasMore: false, data: odd } }))
  t.strictSame(ids(await Array.fromAsync(client.events.all({ since, until }))), ['a', undefined, 7, 'b'])
})

t.test('the window is kept even if the provider does not filter', async (t) => {
  const at = (id: string, createdTime: string) => event(id, { createdTime })
  const data = [
    at('before', '2025-12-31T23:59:59.999999Z'),
    at('first', '2026-01-01T00:00:00Z'),
    at('last', '2026-01-01T23:59:59.999999Z'),
    at('after', '2026-01-02T00:00:00Z')
  ]
  const { client, seen } = await rig(t, () => ({ body: { data } }))
  t.strictSame(ids(await Array.fromAsync(client.events.all({ since, until }))), ['first', 'last'])
  t.strictSame(await Array.fromAsync(client.events.all({ since: until, until: since })), [])
  t.equal(seen.length, 1, 'an empty window asks for nothing')
})

t.test('a reader that stops early ends the requests', async (t) => {
  const events = many(0, 1000)
  const { client, seen } = await rig(
    t,
    paged(() => events)
  )
  for await (const event of client.events.each()) if (event['id'] === 'e120') break
  t.equal(seen.length, 2)
})

t.test('an error in the middle rejects, so that a part is not mistaken for the whole', async (t) => {
  const events = many(0, 250)
  const { client } = await rig(t, (seen) =>
    seen.query.get('startingAfter') === 'e99' ? { status: 401 } : paged(() => events)(seen)
  )
  await t.rejects(Array.fromAsync(client.events.all({ since, until })), { name: 'DigitalRiverApiError', status: 401 })
})
