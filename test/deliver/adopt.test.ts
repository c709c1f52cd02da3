import t from 'tap'

import type { Adopted, Inbox } from '../../src/inbox/inbox.ts'
import { altered, gate, rig, type Rig } from './rig.ts'

// Risk: with a large backlog, handlers start late after a deployment, or a part of the backlog never runs.

/** A dispatcher whose inbox parks and resumes in batches, each when the test allows it. */
async function batchedRig(
  t: Parameters<typeof rig>[0],
  batches: readonly (Adopted | Error)[]
): Promise<Rig & { readonly allow: () => void; readonly untilCalls: (count: number) => Promise<void> }> {
  const gates = batches.map(() => gate())
  const calls = batches.map(() => gate())
  let count = 0
  let allowed = 1
  const wrap = (inbox: Inbox): Inbox =>
    altered(inbox, (inner) => ({
      async adopt(handlers) {
        const at = count
        count += 1
        if (at === 0) await inner.adopt(handlers)
        else {
          calls[at]?.resolve()
          await gates[at]?.promise
        }
        const batch = batches[at]
        if (batch instanceof Error) throw batch
        return batch ?? { parked: 0, resumed: 0 }
      }
    }))
  return {
    ...(await rig(t, wrap)),
    allow: () => gates[allowed++]?.resolve(),
    untilCalls: async (count) => calls[count - 1]?.promise
  }
}

t.test('handlers run while a backlog is parked and resumed, and one line at the end has the sums', async (t) => {
  const more = { parked: 500, resumed: 0, hasMore: true }
  const r = await batchedRig(t, [more, { ...more, resumed: 3 }, { parked: 1, resumed: 4 }])
  r.handlers.on('order.accepted', () => undefined)
  await r.start()
  await r.untilCalls(2)
  await r.record('e1')
  await r.untilSettled(1)
  t.same(r.messages('parked'), [], 'not yet')
  r.allow()
  await r.untilCalls(3)
  r.allow()
  await r.record('e2')
  await r.untilSettled(2)
  t.match(r.messages('deliveries are parked'), [{ level: 40, parked: 1_001 }])
  t.match(r.messages('parked deliveries are due again'), [{ level: 30, resumed: 7 }])
})

t.test('a batch that fails is logged and tried again', async (t) => {
  const more = { parked: 500, resumed: 0, hasMore: true }
  const r = await batchedRig(t, [more, new Error('database or disk is full'), { parked: 2, resumed: 0 }])
  r.handlers.on('order.accepted', () => undefined)
  await r.start()
  await r.untilCalls(2)
  r.allow()
  await r.untilCalls(3)
  t.match(r.messages('fails at parking and resuming'), [{ level: 50, err: { message: 'database or disk is full' } }])
  r.allow()
  await r.record('e1')
  await r.untilSettled(1)
  t.match(r.messages('deliveries are parked'), [{ parked: 502 }])
})

t.test('a stop waits for the batch under way, and leaves the rest to the next start', async (t) => {
  const more = { parked: 500, resumed: 0, hasMore: true }
  const r = await batchedRig(t, [more, more, new Error('not called')])
  r.handlers.on('order.accepted', () => undefined)
  const dispatcher = await r.start()
  await r.untilCalls(2)
  let stopped = false
  const stopping = dispatcher.stop({ graceMs: 60_000 }).then(() => {
    stopped = true
  })
  await new Promise(setImmediate)
  t.notOk(stopped, 'the inbox is not closed under it')
  r.allow()
  await stopping
  t.same(r.messages('fails at'), [])
  t.match(r.messages('deliveries are parked'), [{ parked: 1_000 }])
})
