import t from 'tap'

import { RiverhookError } from '../../src/model/errors.ts'
import { altered, failing, rig, type Rig } from './rig.ts'
import { keyOf } from '../event-keys.ts'

async function faultyRig(
  t: Parameters<typeof rig>[0]
): Promise<Rig & { faults: Map<string, number>; calls: string[] }> {
  let wrapped: ReturnType<typeof failing> | undefined
  const r = await rig(t, (inbox) => (wrapped = failing(inbox)).inbox)
  return { ...r, faults: wrapped!.faults, calls: wrapped!.calls }
}

t.test('an outcome that the inbox cannot store is kept and retried: the handler does not run again', async (t) => {
  const r = await faultyRig(t)
  const runs: string[] = []
  r.handlers.on('order.accepted', (event) => {
    runs.push(event.id)
  })
  await r.start()
  r.faults.set('settle', 3)
  await r.record('e1', 'e2')
  await r.untilSettled(2)
  t.strictSame(runs.toSorted(), ['e1', 'e2'])
  t.match(await r.states('e1'), { 'order.accepted': 'done' })
  t.match(
    r.messages('fails at storing outcomes'),
    [{ level: 50, err: { message: 'database or disk is full' } }],
    'one line, not one a try'
  )
  t.match(r.messages('back at storing outcomes'), [{ level: 30, failures: 3 }])
})

t.test('nothing is claimed while outcomes cannot be stored: after a crash it would run twice', async (t) => {
  const r = await faultyRig(t)
  r.handlers.on('order.accepted', () => undefined)
  await r.start()
  r.faults.set('settle', 2)
  await r.record('e1')
  await r.untilSettled(1)
  const [first, last] = [r.calls.indexOf('settle'), r.calls.lastIndexOf('settle')]
  // One claim may have been under way when the first settle failed.
  t.ok(r.calls.slice(first, last).filter((name) => name === 'claim').length <= 1)
})

t.test('failed claims are retried, with one log line at the beginning and one at the end', async (t) => {
  const r = await faultyRig(t)
  r.handlers.on('order.accepted', () => undefined)
  await r.start()
  r.faults.set('claim', 3)
  await r.record('e1')
  await r.untilSettled(1)
  t.equal(r.messages('fails at claiming deliveries').length, 1)
  t.match(r.messages('back at claiming deliveries'), [{ failures: 3 }])
})

t.test('start() succeeds although the inbox fails, and deliveries run when the inbox is back', async (t) => {
  const r = await faultyRig(t)
  r.handlers.on('order.accepted', () => undefined)
  r.faults.set('adopt', 2)
  await r.start()
  await r.record('e1')
  t.strictSame(r.settled, [])
  await r.untilSettled(1)
  t.match(await r.inbox.handlers(), [{ name: 'order.accepted' }])
})

t.test('an outcome that the inbox can never store is logged, and the others are stored', async (t) => {
  const refusal = new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'a trigger says no to ada@x.example')
  const r = await rig(t, (inbox) =>
    altered(inbox, ({ settle }) => ({
      settle: async (settlements) => {
        const poison = (await inbox.event(keyOf('poison')))!.deliveries[0]!.id
        const good = settlements.filter(({ id }) => id !== poison)
        const results = await settle.call(inbox, good)
        return settlements.map((settlement) =>
          settlement.id === poison ? refusal : results[good.indexOf(settlement)]!
        )
      }
    }))
  )
  r.handlers.on('order.accepted', () => undefined)
  await r.record('poison', 'e1', 'e2')
  await r.start({ redact: (text, { id }) => text.replaceAll('ada@x.example', `(of ${id})`) })
  await r.untilSettled(2)
  t.same(
    r.settled.map(({ event_id }) => event_id),
    ['e1', 'e2']
  )
  t.match(r.messages('cannot be stored'), [
    { level: 50, event_id: 'poison', err: { message: /a trigger says no to \(of poison\)$/ } }
  ])
  t.notMatch(JSON.stringify(r.lines), /x\.example/, 'an error of the inbox may quote personal data of the event')
  t.equal((await r.event('poison')).deliveries[0]!.state, 'running', 'until its lease ends')
})
