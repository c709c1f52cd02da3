import type { Test } from 'tap'

import type { Inbox, Outcome } from '../../src/index.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll, type Subject } from './contract.ts'
import { keyOf } from '../event-keys.ts'

/** The contract of every engine for events that are restored from another inbox. */
export async function restoreContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('events are restored unchanged: done stays done, due stays due, in order', async (t) => {
    const { inbox: source, now } = await open(t)
    const { inbox: target } = await open(t)
    await source.adopt(['ship', 'mail', 'gone'].map((name) => ({ name, source: 'digital-river', pattern: '*' })))
    const keyed = { handler: 'ship', orderKey: 'k' }
    await source.record([
      arrival('1', [keyed, 'mail']),
      arrival('2', [keyed, 'mail']),
      arrival('3', [keyed, 'mail', 'gone']),
      quarantined('q')
    ])
    await source.record([arrival('1'), arrival('1', [], { body: Buffer.from('{}') })])
    const settle = async (handler: string, outcome: Outcome) =>
      settleAll(source, (await claim(source, [handler])).slice(0, 1), outcome)
    await settle('ship', { state: 'done' })
    await settle('ship', { state: 'retry', dueAt: new Date(now() + 5000), error: 'Error: no', releaseKey: false })
    const [dead, done] = await claim(source, ['mail'])
    await settleAll(source, [dead!], { state: 'dead', error: 'Error: never' })
    await settleAll(source, [done!], { state: 'done' })
    await source.adopt(['ship', 'mail'].map((name) => ({ name, source: 'digital-river', pattern: '*' })))

    const details = await detailsOf(source)
    t.equal(await target.restore(details.slice(0, 2)), 2)
    t.equal(await target.restore(details), 2, 'a known event is left alone')
    const seen = (details: readonly object[]) =>
      details.map(
        (detail) =>
          JSON.parse(
            JSON.stringify(detail, (name, value: unknown) =>
              name === 'id' && typeof value === 'number' ? undefined : value
            )
          ) as object
      )
    const restored = await detailsOf(target)
    t.same(seen(restored.slice(0, 2)), seen(details.slice(0, 2)))
    t.match(restored[2], {
      deliveries: [
        { handler: 'ship', state: 'waiting' },
        { handler: 'mail', state: 'pending', attempts: 1 },
        { handler: 'gone', state: 'parked' }
      ]
    })
    t.match(restored[3], { id: 'q', state: 'quarantined', reason: 'not UTF-8' })
    t.match(await target.stats(), { events: 3, quarantined: 1, duplicates: 2, conflicts: 1 })
  })

  t.test('the trace of a request is stored with its event, passed to its deliveries, and restored', async (t) => {
    const { inbox: source } = await open(t)
    const { inbox: target } = await open(t)
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await source.record([arrival('1', ['ship'], { trace }), arrival('2', ['ship']), quarantined('q', { trace })])
    await source.admit([{ request: keyOf('q'), id: '3', type: 'a', deliveries: [{ handler: 'ship' }] }])
    const traces = async (inbox: Inbox) => (await claim(inbox, ['ship'])).map(({ event }) => event.trace)
    t.same(await traces(source), [trace, undefined, trace])
    const details = await detailsOf(source)
    t.same(
      details.map((detail) => detail.trace),
      [trace, undefined, trace]
    )
    await target.restore(details)
    t.same(await traces(target), [trace, undefined, trace])
  })

  t.test('restored deliveries run: retries at their time, order keys one at a time', async (t) => {
    const { inbox: source } = await open(t)
    const { inbox: target, advance, now } = await open(t)
    const keyed = { handler: 'ship', orderKey: 'k' }
    await source.record([arrival('1', [keyed]), arrival('2', [keyed])])
    await settleAll(source, await claim(source, ['ship']), {
      state: 'retry',
      dueAt: new Date(now() + 5000),
      error: 'x',
      releaseKey: false
    })
    await target.restore(await detailsOf(source))
    t.same(await claim(target, ['ship']), [])
    advance(5000)
    const first = await claim(target, ['ship'])
    t.match(first, [{ attempt: 2, event: { id: '1' } }])
    await settleAll(target, first, { state: 'done' })
    t.match(await claim(target, ['ship']), [{ attempt: 1, event: { id: '2' } }])
  })

  t.test('events are listed from either end', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('1'), arrival('2'), arrival('3')])
    const first = await inbox.events({ limit: 2, oldestFirst: true })
    t.same(
      first.events.map(({ id }) => id),
      ['1', '2']
    )
    t.same(
      (await inbox.events({ limit: 2, oldestFirst: true, after: first.next })).events.map(({ id }) => id),
      ['3']
    )
  })
}

async function detailsOf(inbox: Inbox) {
  const { events } = await inbox.events({ limit: 100, oldestFirst: true })
  return Promise.all(events.map(async ({ id }) => (await inbox.event(keyOf(id)))!))
}
