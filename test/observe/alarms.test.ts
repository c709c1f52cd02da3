import t from 'tap'

import { publish } from '../../src/model/channels.ts'
import { alarmConditions, alarmNames } from '../../src/model/alarm.ts'
import { quarantined, someMismatch } from '../inbox/arrivals.ts'
import { keysOf, realm } from '../event-keys.ts'
import { cases, fail, hour, minute, only, open, path, second } from './alarm-rig.ts'
import { log } from './log.ts'

/** Words of the bodies, errors and details of these tests. */
const personal = /buyer|@example|secret/i

// Risk: an outage without an alarm, or an alarm that comes so often that it is not read any more.

for (const name of alarmNames) {
  const { prepare, begin, hold, end, rest, subject, beginMs = 0, endMs = 0 } = cases[name]
  const { forMs, resolveMs } = alarmConditions[name]
  const changed = (change: string) => [`${change} ${name} ${subject}`.trim()]

  t.test(`${name}: raised once by one of two replicas, not again for a day, and resolved once`, async (t) => {
    const rig = await open(t)
    // Each process reports for itself that it cannot write to the inbox, and cannot store that.
    const isOwn = name === 'inbox'
    const send = async ({ body }: { readonly body: string }) => {
      messages.push(body)
    }
    const messages: string[] = []
    const watch = () => rig.watch({ skipped: only(name), send })
    const replicas = [watch(), watch()]
    const times = (lines: readonly string[]) => (isOwn ? [...lines, ...lines] : lines)
    await prepare?.(rig)
    await rig.pass(minute, replicas, () => rest?.(rig))
    t.same(rig.take(), [], 'before')
    await begin?.(rig)
    await rig.pass(beginMs + Math.max(0, forMs - minute), replicas, () => hold?.(rig))
    if (forMs > minute) t.same(rig.take(), [], 'a short time is no alarm')
    await rig.pass(3 * minute, replicas, () => hold?.(rig))
    t.same(rig.take(), times(changed('raised')))
    for (const replica of replicas)
      t.match(replica.raised, name === 'backlog' ? [{ condition: name }] : [{ condition: name, subject }])

    await rig.pass(hour, replicas, () => hold?.(rig))
    for (const replica of replicas) await replica.end()
    const next = watch()
    await rig.pass(hour, [next], () => hold?.(rig))
    t.same(rig.take(), isOwn ? changed('raised') : [], 'a restart repeats nothing')
    await rig.pass(23 * hour, [next], () => hold?.(rig), 2 * minute)
    t.same(rig.take(), isOwn ? [] : changed('still'), 'it lasts')
    if (isOwn) {
      await rig.pass(hour, [next], () => hold?.(rig), 2 * minute)
      t.same(rig.take(), changed('still'))
    }
    t.equal(messages.length, isOwn ? 4 : 2, 'as many messages as reports')
    for (const message of messages) t.notMatch(message, personal)

    await end?.(rig)
    await rig.pass(endMs + resolveMs + 3 * minute, [next], () => rest?.(rig))
    t.same(rig.take(), changed('resolved'))
    await rig.pass(hour, [next], () => rest?.(rig))
    t.same(rig.take(), [])
    t.same(next.raised, [])
    t.equal(messages.length, isOwn ? 5 : 3)
  })

  for (const [holdMinutes, restMinutes] of [
    [3, 3],
    [1, 5],
    [5, 1]
  ] as const)
    t.test(`${name}: ten times ${holdMinutes} min in an hour are two messages at most`, async (t) => {
      const rig = await open(t)
      let messages = 0
      const send = async () => {
        messages += 1
      }
      const watch = rig.watch({ skipped: only(name), send })
      await prepare?.(rig)
      for (let count = 0; count < 10; count += 1) {
        await begin?.(rig)
        await rig.pass(holdMinutes * minute, [watch], () => hold?.(rig))
        await end?.(rig)
        await rig.pass(restMinutes * minute, [watch], () => rest?.(rig))
      }
      t.ok(messages <= 2, String(messages))
    })
}

t.test('dead letters: worse from 10 on, reported again after a day, and not when some are gone', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('dead') })
  const ids = Array.from({ length: 12 }, (_, index) => `e${index}`)
  await fail(rig, ids[0]!)
  await rig.pass(minute, [watch])
  t.same(rig.take(), ['raised dead erp'])
  for (const id of ids.slice(1)) await fail(rig, id)
  await rig.pass(minute, [watch])
  t.match(rig.reported, [{ change: 'worse', level: 'error', value: 12, text: /^12 dead letters: / }])
  rig.take()
  await rig.inbox.remove(keysOf(...ids.slice(0, 6)))
  await rig.pass(minute, [watch])
  for (const id of ids.slice(0, 6)) await fail(rig, `${id}-again`)
  await rig.pass(23 * hour, [watch], undefined, 5 * minute)
  t.same(rig.take(), [])
  await rig.pass(2 * hour, [watch], undefined, 5 * minute)
  t.same(rig.take(), ['still dead erp'])
})

t.test('drift: a kind that a person has acknowledged is no alarm, and a new one is', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('drift') })
  const see = (path: string) =>
    rig.inbox.flag([{ ...someMismatch, realm, path, firstAt: new Date(rig.now), lastAt: new Date(rig.now) }])
  await see('data.object.state')
  await rig.pass(minute, [watch])
  t.same(rig.take(), ['raised drift'])
  await rig.inbox.acknowledge(await rig.inbox.drifts(), true)
  await rig.pass(hour, [watch], () => see('data.object.state'))
  t.same(rig.take(), ['resolved drift'], 'also while events of this kind arrive')
  await see('data.object.total')
  await rig.pass(minute, [watch])
  t.match(rig.reported, [{ change: 'raised', value: 1 }])
})

t.test(
  'one message for all that changed at once; it is tried again, by another process too, and then dropped',
  async (t) => {
    const rig = await open(t)
    const sent: { readonly id: string; readonly body: string }[] = []
    let isDown = true
    const send = async (message: { readonly id: string; readonly body: string }) => {
      sent.push(message)
      if (isDown) throw new Error('503')
    }
    const lines: unknown[] = []
    const heard = { ...log, error: (keys: unknown, text: unknown) => lines.push([keys, text]) } as unknown as typeof log
    const first = rig.watch({ send, log: heard })
    await fail(rig, 'dead')
    await rig.inbox.record([quarantined('q', { receivedAt: new Date(rig.now) })])
    await rig.pass(30 * second, [first])
    t.equal(sent.length, 1)
    await first.end()
    const next = rig.watch({ send, log: heard })
    await rig.pass(11 * minute, [next])
    t.equal(sent.length, 5)
    t.equal(new Set(sent.map(({ id }) => id)).size, 1)
    t.match(JSON.parse(sent[0]!.body), {
      type: 'riverhook.alarm',
      text: /^Riverhook \[warn\] .*\nRiverhook \[warn\] /,
      alarms: [{ change: 'raised' }, { change: 'raised' }]
    })
    t.match(lines, [[{ tries: 5 }, 'a message about alarms could not be sent, and is dropped']])
    isDown = false
    await fail(rig, 'dead2')
    await rig.inbox.remove(keysOf('q'))
    await rig.pass(hour, [next])
    t.equal(sent.length, 6)
    t.match(JSON.parse(sent[5]!.body), { text: /^Riverhook \[resolved\] quarantine: / })
  }
)

t.test('the reason of the last refused request is in the alarm; a callback that fails is logged', async (t) => {
  const rig = await open(t)
  const lines: unknown[] = []
  const heard = { ...log, error: (_keys: unknown, text: unknown) => lines.push(text) } as unknown as typeof log
  const watch = rig.watch({
    skipped: only('unauthenticated'),
    log: heard,
    onAlarm: () => {
      throw new Error('no')
    }
  })
  publish('rejected', {
    endpoint: path,
    realm,
    code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED',
    status_code: 401,
    reason: 'the signature was made with another secret'
  })
  await rig.count('RIVERHOOK_RECEIVE_UNAUTHENTICATED', 5)
  await rig.pass(minute, [watch])
  t.match(watch.raised, [
    { text: /5 were refused in 15 min; the last one: the signature was made with another secret$/ }
  ])
  t.match(lines, [/^alarm: no request has right credentials/, 'onAlarm failed'])
})
