import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pino } from 'pino'
import t from 'tap'

import { createRiverhook, defineHandler, memoryInbox, type Actor, type AuditedMessage } from '../src/index.ts'
import { whenSettled } from '../src/testing/index.ts'
import { keysOf } from './event-keys.ts'
import { arrival } from './inbox/arrivals.ts'
import { event } from './receive/receiver.ts'

const ship = defineHandler('order.accepted', { name: 'ship' }, () => undefined)
const ada: Actor = { name: 'ada\u001b', via: 'session', peer: '192.0.2.7', requestId: 'req-1' }

/** A receiver with two events, its log, and the messages of the channel. */
async function open(t: { teardown(work: () => unknown): void }) {
  const inbox = memoryInbox()
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>)
  }
  const audited: AuditedMessage[] = []
  const hear = (message: unknown): number => audited.push(message as AuditedMessage)
  subscribe('riverhook:audited', hear)
  const riverhook = createRiverhook({ path: '/h', secrets: 'whk', inbox, handlers: [ship], log: pino({}, { write }) })
  await riverhook.start()
  t.teardown(async () => {
    unsubscribe('riverhook:audited', hear)
    await riverhook.stop()
  })
  await inbox.record(['1', '2'].map((id) => arrival(id, [], { body: event({ id }) })))
  const own = () => lines.filter(({ msg }) => msg === 'audited' || msg === 'an act failed')
  return { riverhook, inbox, own, audited }
}

// Risk: something was changed, and no one can say by whom.
t.test('each method that changes something enters who did it, and what was changed', async (t) => {
  const { riverhook, inbox, own, audited } = await open(t)
  await riverhook.pauseHandler('ship', { by: ada })
  await riverhook.pauseHandler('ship')
  t.equal(await riverhook.resumeHandler('ship', { by: ada }), true)
  await riverhook.replay({ about: 'ada@shop.example', type: 'order.*' }, { by: ada })
  await riverhook.replay({ handler: 'ship', since: new Date(0) }, { by: ada })
  await riverhook.retryQuarantined('unknown', { by: ada })
  // A running delivery keeps its event.
  for (const id of ['1', '2']) await whenSettled(inbox, id)
  t.equal(await riverhook.removeEvents(keysOf('1', '2', '3', '4'), { by: ada }), 2)
  t.equal(await riverhook.removeEvents([], { by: ada, filter: { about: 'ada@shop.example', state: 'dead' } }), 0)
  const { entries } = await inbox.audits({ limit: 99 })
  t.same(
    entries.toReversed().map(({ actor, action, target, count, outcome }) => [actor, action, target, count, outcome]),
    [
      [ada.name, 'handler.pause', 'ship', 1, 'paused'],
      ['riverhook', 'handler.pause', 'ship', 0, 'already paused'],
      [ada.name, 'handler.resume', 'ship', 1, 'resumed'],
      [ada.name, 'events.replay', 'type=order.* about=...', 0, '0 planned'],
      [ada.name, 'events.replay', 'handler=ship since=1970-01-01T00:00:00.000Z', 2, '2 planned'],
      [ada.name, 'quarantine.retry', 'unknown', 0, 'nothing to do'],
      [
        ada.name,
        'events.remove',
        'digital-river 1, digital-river 2, digital-river 3 and 1 more',
        2,
        '2 removed, 2 running, changed, erased or unknown'
      ],
      [ada.name, 'events.remove', 'state=dead about=...', 0, '0 removed']
    ]
  )
  t.match(entries.at(-1), { via: 'session', peer: '192.0.2.7', requestId: 'req-1' })
  t.match(own()[0], {
    level: 30,
    msg: 'audited',
    actor: 'ada\\u001b',
    action: 'handler.pause',
    target: 'ship',
    count: 1
  })
  t.match(audited[0], { actor: ada.name, via: 'session', request_id: 'req-1', action: 'handler.pause', count: 1 })
  t.equal(audited.length, own().length)
  t.notMatch(JSON.stringify([entries, own(), audited]), 'shop.example')
})

t.test('an act that fails has no entry, and is logged; one without a valid actor is not begun', async (t) => {
  const { riverhook, inbox, own, audited } = await open(t)
  const { pause } = inbox
  inbox.pause = () => Promise.reject(new Error('disk full'))
  await t.rejects(riverhook.pauseHandler('ship', { by: ada }), { message: 'disk full' })
  inbox.pause = pause
  await t.rejects(riverhook.pauseHandler('ship', { by: { name: 'x', via: 'guess' } as never }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /"via" must be one of token/
  })
  t.match(own(), [{ msg: 'an act failed', action: 'handler.pause', target: 'ship', err: { message: /disk full/ } }])
  t.same([(await inbox.audits({ limit: 9 })).entries, await inbox.pauses(), audited], [[], [], []])
})
