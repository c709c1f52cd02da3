import fc from 'fast-check'
import t from 'tap'

import { gate, rig } from './rig.ts'

t.test('events of one key are handled in order of arrival, one at a time, even if some fail', async (t) => {
  const events = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), failures: fc.nat({ max: 3 }), turns: fc.nat({ max: 2 }) }),
    { minLength: 1, maxLength: 25 }
  )
  await fc.assert(
    fc.asyncProperty(events, async (planned) => {
      const r = await rig(t)
      const running = new Set<string>()
      const handled = new Map<string, number[]>()
      r.handlers.on(
        '*',
        { name: 'ordered', orderBy: () => 'unused here', retry: { attempts: 3, base: 1 } },
        async (event, { attempt }) => {
          const index = Number(event.id)
          const { key, failures, turns } = planned[index]!
          if (running.has(key)) throw new Error('two at once')
          running.add(key)
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
          running.delete(key)
          const indexes = handled.get(key) ?? []
          handled.set(key, indexes)
          if (indexes.at(-1) !== index) indexes.push(index)
          if (attempt <= failures) throw new Error('planned')
        }
      )
      for (const [index, { key }] of planned.entries()) {
        await r.recordFor(String(index), [{ handler: 'ordered', orderKey: key }])
      }
      const dispatcher = await r.start({ random: () => 0 })
      await r.untilSettled(planned.length, ({ state }) => state === 'done' || state === 'dead')
      await dispatcher.stop({ graceMs: 1_000 })
      for (const [index, { failures }] of planned.entries()) {
        t.match(await r.states(String(index)), { ordered: failures < 3 ? 'done' : 'dead' })
      }
      for (const [key, indexes] of handled) {
        const arrived = planned.flatMap((event, index) => (event.key === key ? [index] : []))
        t.strictSame(indexes, arrived, `key ${key}`)
      }
      t.notMatch(JSON.stringify(r.lines), 'two at once')
    }),
    { numRuns: 40 }
  )
})

t.test('a failing event blocks only its own key, and with onFailure "skip" nothing', async (t) => {
  const r = await rig(t)
  const runs: string[] = []
  const handle =
    (name: string) =>
    (event: { readonly id: string }): void => {
      runs.push(`${name} ${event.id}`)
      if (event.id === 'a1') throw new Error('not now')
    }
  const options = { orderBy: () => 'unused here', retry: { base: 3_600_000 } }
  r.handlers.on('*', { ...options, name: 'block' }, handle('block'))
  r.handlers.on('*', { ...options, name: 'skip', onFailure: 'skip' }, handle('skip'))
  for (const id of ['a1', 'a2', 'b1']) {
    await r.recordFor(
      id,
      ['block', 'skip'].map((handler) => ({ handler, orderKey: id.slice(0, 1) }))
    )
  }
  await r.start({ random: () => 0.5 })
  await r.untilSettled(5)
  t.strictSame(runs.toSorted(), ['block a1', 'block b1', 'skip a1', 'skip a2', 'skip b1'])
  t.strictSame(await r.states('a2'), { block: 'waiting', skip: 'done' })
})

t.test('a delivery that hangs blocks only its own key', async (t) => {
  const r = await rig(t)
  const held = gate()
  r.handlers.on('*', { name: 'ordered', orderBy: () => 'unused here' }, async (event) => {
    if (event.id === 'a1') await held.promise
  })
  for (const id of ['a1', 'a2', 'b1', 'b2']) await r.recordFor(id, [{ handler: 'ordered', orderKey: id.slice(0, 1) }])
  await r.start()
  await r.untilSettled(2)
  t.strictSame(
    r.settled.map(({ event_id }) => event_id),
    ['b1', 'b2']
  )
  held.resolve()
  await r.untilSettled(4)
  t.strictSame(
    r.settled.slice(2).map(({ event_id }) => event_id),
    ['a1', 'a2']
  )
})
