import fc from 'fast-check'
import type { Test } from 'tap'

import { isFound, readKeySearch, toSearchKeys } from '../../src/model/search-keys.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'
import { selectReplay } from '../../src/inbox/replay.ts'
import { keyOf, keysOf, realm } from '../event-keys.ts'

/** Risk: the events of an order or a customer are not found, of which only the id or the address is known. */
export async function searchContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('events are found by what they are about, with every other filter and page by page', async (t) => {
    const { inbox, findsBeginnings } = await open(t)
    const found = async (about: string, more: object = {}) =>
      (await inbox.events({ about, limit: 10, ...more })).events.map(({ id }) => id)
    await inbox.record([
      arrival('1', ['ship'], { about: ['order-1', 'buyer@x.example'] }),
      arrival('2', ['ship'], { about: ['order-2', 'buyer@x.example', 'öl 😀'], type: 'refund.complete' }),
      arrival('3', ['ship'], { about: ['order-10', 'order-11'], realm: 'shop' }),
      arrival('4', ['ship'])
    ])
    t.same(await found('order-1'), ['1'])
    t.same(await found('ORDER-1'), ['1'], 'in any case')
    t.same(await found('Buyer@X.example'), ['2', '1'])
    t.same(await found('öl 😀'), ['2'])
    t.same(await found('order'), [])
    if (findsBeginnings === false)
      await t.rejects(found('order-1*'), { code: 'RIVERHOOK_OPTIONS_INVALID', message: /without a \*/ })
    else {
      t.same(await found('order-1*'), ['3', '1'], 'an event with two such keys comes once')
      t.same(await found('öl 😀*'), ['2'])
      t.same(await found('nothing*'), [])
      t.same(await found('ord*', { realm: 'shop' }), ['3'])
    }
    t.same(await found('buyer@x.example', { type: 'refund.*' }), ['2'])
    t.same(await found('order-1', { realm: 'shop' }), [])
    t.same(await found('order-1', { id: '1', source: 'digital-river', handler: 'ship', state: 'pending' }), ['1'])
    t.same(await found('order-1', { state: 'dead' }), [])
    t.same(await found('order-1', { state: 'accepted', since: new Date(1), until: new Date(2_000_000) }), ['1'])
    t.same(await found('order-1', { until: new Date(1) }), [])
    t.same(await found('buyer@x.example', { oldestFirst: true }), ['1', '2'])
    for (const about of findsBeginnings === false ? ['buyer@x.example'] : ['buyer@x.example', 'order*'])
      for (const oldestFirst of [true, false]) {
        const pages: string[] = []
        let after: number | undefined
        do {
          const page = await inbox.events({ about, limit: 1, oldestFirst, after })
          pages.push(...page.events.map(({ id }) => id))
          after = page.next
        } while (after !== undefined)
        t.same(pages, await found(about, { oldestFirst }))
      }
    for (const about of ['', ' ', '*', 'ab*', 'a\0b', 'x'.repeat(201), 7])
      await t.rejects(inbox.events({ about, limit: 1 } as never), { code: 'RIVERHOOK_OPTIONS_INVALID' })
    t.same((await inbox.event(keyOf('2')))!.about, ['buyer@x.example', 'order-2', 'öl 😀'])
    t.same((await inbox.event(keyOf('4')))!.about, [])
  })

  t.test('events are found by endpoint and mode, in whatever way they were stored', async (t) => {
    const { inbox } = await open(t)
    const { inbox: other } = await open(t)
    const found = async (filter: object, from = inbox) =>
      (await from.events({ limit: 10, ...filter })).events.map(({ id }) => id)
    await inbox.record([
      arrival('1', ['ship'], { endpoint: '/a', liveMode: true }),
      arrival('2', ['ship'], { endpoint: '/a', liveMode: false, type: 'refund.complete' }),
      arrival('3', ['ship'], { endpoint: '/b', liveMode: true }),
      arrival('4', [], { endpoint: '/b', liveMode: undefined }),
      quarantined('q', { endpoint: '/a' }),
      arrival('5', ['mail'], { endpoint: '/a', liveMode: true })
    ])
    const expected = async (quarantinedIds: readonly string[], from = inbox) => {
      t.same(await found({ endpoint: '/a' }, from), ['5', ...quarantinedIds, '2', '1'])
      t.same(await found({ endpoint: '/A' }, from), [])
      t.same(await found({ endpoint: '/b', live: true }, from), ['3'])
      t.same(await found({ endpoint: '/b', live: false }, from), [])
      t.same(await found({ live: false }, from), ['2'], 'not what is quarantined, or of a source that does not say')
      t.same(await found({ endpoint: '/a', type: 'refund.*' }, from), ['2'])
      t.same(await found({ endpoint: '/a', type: '*', live: true }, from), ['5', '1'])
      t.same(await found({ live: true, handler: 'ship', state: 'pending', oldestFirst: true }, from), ['1', '3'])
      t.same(await found({ live: true, id: '2' }, from), [])
    }
    await expected(['q'])
    const copies = []
    for (const { realm, id } of (await inbox.events({ limit: 10, oldestFirst: true })).events)
      copies.push((await inbox.event({ realm, id }))!)
    t.equal(await other.restore(copies), 6)
    await expected(['q'], other)
    const admission = { request: keyOf('q'), id: '6', type: 'order.accepted', liveMode: true, deliveries: [] }
    t.same(await inbox.admit([admission]), ['accepted'])
    t.same(await found({ endpoint: '/a', live: true }), ['5', '6', '1'])
    t.same(await found({ type: 'order.accepted', endpoint: '/a' }), ['5', '6', '1'])
    t.match((await inbox.stats()).byRealm, [{ realm, events: 6, quarantined: 0 }])
    t.equal(await inbox.remove(keysOf('1', '2', '3', '4', '5', '6')), 6)
    t.same(await found({ live: true }), [])
    t.same((await inbox.stats()).byRealm, [])
  })

  t.test('events of a type are found by their handler, in whatever way the delivery was stored', async (t) => {
    const { inbox } = await open(t)
    const { inbox: other } = await open(t)
    const found = async (type: string, handler: string, more: object = {}) =>
      (await inbox.events({ type, handler, limit: 10, ...more })).events.map(({ id }) => id)
    await inbox.record([
      arrival('1', ['ship'], { type: 'order.created' }),
      arrival('2', ['mail'], { type: 'invoice.created' }),
      quarantined('q')
    ])
    await other.record([arrival('4', ['fax'], { type: 'order.created' })])
    t.same(await found('order.*', 'ship'), ['1'])
    t.same(await found('invoice.*', 'ship'), [], 'no event of the type has a delivery for it')
    t.same((await inbox.events({ type: 'invoice.*', state: 'pending', limit: 10 })).events.length, 1)
    const deliveries = [{ handler: 'ship' }]
    await inbox.admit([{ request: { realm, id: 'q' }, id: '3', type: 'refund.created', deliveries }])
    t.same(await found('refund.*', 'ship'), ['3'])
    await inbox.replay([{ event: keyOf('2'), handler: 'ship' }])
    t.same(await found('invoice.*', 'ship', { state: 'pending' }), ['2'])
    await inbox.restore([(await other.event(keyOf('4')))!])
    t.same(await found('order.*', 'fax'), ['4'])
  })

  t.test('events are found by the error of a failing delivery, with every other filter and page by page', async (t) => {
    const { inbox } = await open(t)
    const found = async (filter: object) => (await inbox.events({ limit: 10, ...filter })).events.map(({ id }) => id)
    await inbox.record([arrival('1', ['ship', 'mail']), arrival('2', ['ship', 'mail']), arrival('3', ['ship'])])
    const claimed = await claim(inbox, ['ship', 'mail'])
    const endings = (handler: string, error: string, state: 'dead' | 'retry') =>
      settleAll(
        inbox,
        claimed.filter((delivery) => delivery.handler === handler),
        state === 'dead' ? { state, error } : { state, error, dueAt: new Date(9e12), releaseKey: false }
      )
    await endings('ship', 'ERP answered 503: 100 % übervoll_', 'dead')
    await endings('mail', 'Timeout', 'retry')
    await inbox.record([arrival('4', ['ship'])])
    t.same(await found({ error: '503' }), ['3', '2', '1'])
    t.same(await found({ error: 'erp ANSWERED' }), ['3', '2', '1'])
    t.same(await found({ error: 'ÜBERVOLL_' }), ['3', '2', '1'])
    t.same(await found({ error: '%503%' }), [])
    t.same(await found({ error: 'timeout', oldestFirst: true }), ['1', '2'])
    t.same(await found({ error: 'timeout', handler: 'ship' }), [], 'the error is of this handler')
    t.same(await found({ error: 'timeout', state: 'dead' }), [], 'and of a delivery in this state')
    t.same(await found({ error: '503', id: '2', state: 'dead', handler: 'ship', type: 'order.*' }), ['2'])
    t.same(await found({ error: '503', endpoint: '/none' }), [])
    const pages: string[] = []
    let after: number | undefined
    do {
      const page = await inbox.events({ limit: 1, error: '503', after })
      pages.push(...page.events.map(({ id }) => id))
      after = page.next
      t.equal(page.searchedTo, undefined, 'a short search is whole')
    } while (after !== undefined)
    t.same(pages, ['3', '2', '1'])
    await inbox.replay([{ event: keyOf('2'), handler: 'ship' }])
    t.same(await found({ error: '503' }), ['3', '1'], 'a replayed delivery does not fail')
    const selected = await Array.fromAsync(selectReplay(inbox, { error: '503' }, { for: () => ['ship', 'new'] }))
    t.same(
      selected.map(({ event, handler }) => [event.id, handler]),
      [
        ['1', 'ship'],
        ['3', 'ship']
      ],
      'a replay takes these deliveries only, and no missing ones'
    )
    for (const error of ['', ' ', 7, 'x'.repeat(501)])
      await t.rejects(inbox.events({ error, limit: 1 } as never), { message: /"error" must be a text of 1 to 500/ })
  })

  t.test('events are found by conditions for their bodies, with every other filter and page by page', async (t) => {
    const { inbox } = await open(t)
    const found = async (where: readonly string[], more: object = {}) =>
      (await inbox.events({ limit: 10, where, ...more })).events.map(({ id }) => id)
    const body = (total: string) => Buffer.from(`{"data":{"object":{"total":${total},"items":[{"sku":"a"}]}}}`)
    await inbox.record([
      arrival('1', ['ship'], { body: body('99.99') }),
      arrival('2', ['ship'], { body: body('100.01'), type: 'refund.complete' }),
      arrival('3', ['mail'], { body: body('90071992547409931') }),
      arrival('4', [], { body: Buffer.from('<xml/>') }),
      quarantined('q')
    ])
    t.same(await found(['data.object.total>100']), ['3', '2'])
    t.same(await found(['data.object.total>100', 'data.object.total<1000']), ['2'])
    t.same(await found(['data.object.total>90071992547409930']), ['3'])
    t.same(await found(['data.object.items.sku=a'], { type: 'order.*', oldestFirst: true }), ['1', '3'])
    t.same(await found(['data exists'], { handler: 'ship', state: 'pending' }), ['2', '1'])
    t.same(await found(['data.object.total=0']), [])
    t.same(await found([]), ['q', '4', '3', '2', '1'], 'no condition')
    const pages: string[] = []
    let after: number | undefined
    do {
      const page = await inbox.events({ limit: 2, where: ['data exists'], after })
      pages.push(...page.events.map(({ id }) => id))
      after = page.next
    } while (after !== undefined)
    t.same(pages, ['3', '2', '1'])
    const selected = selectReplay(inbox, { where: ['data.object.total<100'] }, { for: () => [] })
    t.match(await Array.fromAsync(selected), [{ event: { id: '1' }, handler: 'ship' }])
    for (const where of ['data exists', ['data'], ['__proto__.x=1'], [7], new Array<string>(11).fill('a=1')])
      await t.rejects(inbox.events({ where, limit: 1 } as never), {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message:
          /"where" (?:\[\d\] )?must be (?:a path, an operator .* such as data\.object\.totalAmount>100|a list of)/
      })
  })

  t.test('a search finds exactly the keys that begin so, in every script', async (t) => {
    const { inbox, findsBeginnings } = await open(t)
    const unit = fc.constantFrom(
      'a',
      'b',
      'é',
      '~',
      '%',
      '_',
      '\\',
      '*',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '😀',
      '\u{10ffff}'
    )
    const key = fc.string({ unit, minLength: 3, maxLength: 6 })
    const keys = toSearchKeys(['aaa', 'aab', 'aaaa', 'aa\u{10ffff}', 'aa😀b', 'aa\ud7ffa', 'aa~'])
    keys.push(...new Set(fc.sample(key, { numRuns: 60, seed: 7 }).flatMap((each) => toSearchKeys([each]))))
    await inbox.record(keys.map((each, index) => arrival(String(index), [], { about: [each] })))
    const start = fc
      .constantFrom(...keys)
      .chain((each) =>
        fc.constantFrom(each, ...Array.from(each, (_, length) => `${Array.from(each).slice(0, length).join('')}*`))
      )
    await fc.assert(
      fc.asyncProperty(start, async (about) => {
        const search = readKeySearch(about)
        if (search === undefined || (findsBeginnings === false && !('key' in search))) return
        const { events } = await inbox.events({ about, limit: 1_000, oldestFirst: true })
        const expected = keys.flatMap((each, index) => (isFound(search, [each]) ? [String(index)] : []))
        t.strictSame([...new Set(events.map(({ id }) => id))], expected, about)
      }),
      { numRuns: 60, seed: 7 }
    )
  })

  t.test('a beginning that very many keys have finds the same events', async (t) => {
    const { inbox, findsBeginnings } = await open(t)
    if (findsBeginnings === false) return
    const numbers = Array.from({ length: 5_001 }, (_, index) => String(index))
    await inbox.record(
      numbers.map((id) => arrival(id, [], { about: [`cus_${id}`, `order-${id}`].slice(0, id === '7' ? 2 : 1) }))
    )
    const found = async (about: string, more: object = {}) =>
      (await inbox.events({ about, limit: 3, ...more })).events.map(({ id }) => id)
    t.same(await found('cus_*'), numbers.slice(-3).reverse())
    t.same(await found('cus_*', { oldestFirst: true, after: 3 }), ['3', '4', '5'])
    t.same(await found('order-*'), ['7'])
    t.same(await found('cus_*', { id: '7' }), ['7'])
  })

  t.test('search keys come with a request that is accepted later, a copied event, and again by reindex', async (t) => {
    const { inbox } = await open(t)
    const { inbox: other } = await open(t)
    const found = async (about: string, where = inbox) =>
      (await where.events({ about, limit: 10 })).events.map(({ id }) => id)
    await inbox.record([quarantined('q'), arrival('1', ['ship'], { about: ['order-1'] })])
    const admission = { request: keyOf('q'), id: '2', type: 'a', deliveries: [] }
    t.same(await inbox.admit([{ ...admission, about: ['Order-2', 'order-2', 'x'.repeat(201)] }]), ['accepted'])
    t.same(await found('order-2'), ['2'])
    t.same(await inbox.record([arrival('1', [], { about: ['order-9'] })]), ['duplicate'])
    t.same(await found('order-9'), [], 'a duplicate adds no key')

    t.equal(await other.restore([(await inbox.event(keyOf('1')))!, (await inbox.event(keyOf('2')))!]), 2)
    t.same([await found('order-1', other), await found('order-2', other)], [['1'], ['2']])
    const { about: _about, ...older } = (await inbox.event(keyOf('1')))!
    t.equal(await other.restore([{ ...older, id: '3' } as never]), 1, 'from an inbox without search keys')

    const entries = [
      { event: keyOf('1'), about: ['order-3', 'ORDER-4'] },
      { event: keyOf('2'), about: [] },
      { event: keyOf('none'), about: ['order-5'] }
    ]
    t.equal(await inbox.reindex(entries), 2)
    t.same((await inbox.event(keyOf('1')))!.about, ['order-3', 'order-4'])
    t.same(
      [await found('order-1'), await found('order-2'), await found('order-4'), await found('order-5')],
      [[], [], ['1'], []]
    )
    await t.rejects(inbox.reindex([{ event: keyOf('1') }] as never), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  })

  t.test('the id of the resource: recorded, accepted later, copied, and replaced by reindex', async (t) => {
    const { inbox } = await open(t)
    const { inbox: other } = await open(t)
    const resources = async (where = inbox) =>
      (await where.events({ limit: 10, oldestFirst: true })).events.map(({ id, resource }) => [id, resource])
    await inbox.record([
      quarantined('q'),
      arrival('1', ['ship'], { about: ['order-1'], resource: 'Order-1' }),
      arrival('2', [])
    ])
    await inbox.admit([{ request: keyOf('q'), id: '3', type: 'a', resource: 'cus_Ö😀', deliveries: [] }])
    const all = [
      ['3', 'cus_Ö😀'],
      ['1', 'Order-1'],
      ['2', undefined]
    ]
    t.same(await resources(), all)
    const details = await Promise.all(['3', '1', '2'].map((id) => inbox.event(keyOf(id))))
    t.same(
      details.map((detail) => detail?.resource),
      ['cus_Ö😀', 'Order-1', undefined]
    )
    await other.restore(details.map((detail) => detail!))
    t.same(await resources(other), all)
    await inbox.reindex([
      { event: keyOf('1'), about: [] },
      { event: keyOf('2'), about: ['order-2'], resource: 'Order-2' }
    ])
    t.same(await resources(), [
      ['3', 'cus_Ö😀'],
      ['1', undefined],
      ['2', 'Order-2']
    ])
  })

  t.test('an event that is removed or purged takes its search keys along, and its id can have others', async (t) => {
    const { inbox, now } = await open(t)
    const about = async () => (await inbox.events({ about: 'order', limit: 10 })).events.map(({ id }) => id)
    const keys = (id: string) => ({ about: ['order', `order-${id}`], receivedAt: new Date(now()) })
    await inbox.record(['1', '2', '3'].map((id) => arrival(id, ['ship'], keys(id))))
    const [first, second] = await claim(inbox, ['ship'])
    await settleAll(inbox, [first!], { state: 'done' })
    await settleAll(inbox, [second!], { state: 'dead', error: 'Error: no' })
    t.equal((await inbox.prune({ before: new Date(now() + 1), limit: 10 })).purged, 1)
    t.same(await about(), ['3', '2'])
    t.equal(await inbox.remove(keysOf('2', '3')), 1, 'the third is running')
    t.same(await about(), ['3'])
    await inbox.record([arrival('1', [], { about: ['order-new'], realm })])
    t.same((await inbox.event(keyOf('1')))!.about, ['order-new'])
  })
}
