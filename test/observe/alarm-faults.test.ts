import t from 'tap'

import type { Inbox } from '../../src/index.ts'
import type { AlarmMessage } from '../../src/observe/alarms/messages.ts'
import { listStored } from '../../src/observe/alarms/state.ts'
import type { AlarmWatch } from '../../src/observe/alarms/watch.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { arrival } from '../inbox/arrivals.ts'
import { keysOf, realm } from '../event-keys.ts'
import { day, fail, heard, hour, minute, only, open, path, second, until } from './alarm-rig.ts'

// Risk: a message that comes twice or never, an alarm that says "resolved" before anything was looked at.

type Sent = Pick<AlarmMessage, 'id' | 'body'>

t.test('a server that sends many messages for long keeps the right to do so: each is sent once', async (t) => {
  const rig = await open(t)
  const sent: string[] = []
  let isDown = true
  const first = rig.watch({
    skipped: only('dead'),
    async send({ id }) {
      if (isDown) throw new Error('503')
      sent.push(id)
      rig.now += 9 * second
      await other.round()
    }
  })
  const other = rig.watch({
    skipped: only('dead'),
    async send({ id }) {
      sent.push(id)
    }
  })
  for (let count = 0; count < 12; count += 1) {
    await rig.inbox.record([arrival(`e${count}`, [`h${count}`])])
    await settleAll(rig.inbox, await claim(rig.inbox, [`h${count}`]), { state: 'dead', error: 'no' })
    await rig.pass(30 * second, [first])
  }
  isDown = false
  rig.now += 10 * minute
  await rig.pass(20 * minute, [first])
  t.equal(sent.length, 12)
  t.equal(new Set(sent).size, 12)
})

t.test(
  'a message whose server died while it was sent is sent again, with the same id, and the log says so',
  async (t) => {
    const rig = await open(t)
    const sent: Sent[] = []
    const never = Promise.withResolvers<undefined>()
    const dying = rig.watch({
      send: async (message) => {
        sent.push(message)
        await never.promise
      }
    })
    await fail(rig, 'dead')
    const round = dying.round()
    await until(() => sent.length === 1)
    const next = heard()
    const watch = rig.watch({
      log: next.log,
      async send(message) {
        sent.push(message)
      }
    })
    await rig.pass(5 * minute, [watch])
    t.equal(sent.length, 2)
    t.equal(sent[0]!.id, sent[1]!.id)
    t.equal(sent[0]!.body, sent[1]!.body)
    t.equal(next.lines.filter((line) => /died while it sent a message/.test(line)).length, 1)
    await rig.pass(hour, [watch])
    t.equal(sent.length, 2)
    // The first one wakes up, and cannot store its result: nothing is repeated.
    never.resolve(undefined)
    await round
    await rig.pass(hour, [watch, dying])
    t.equal(sent.length, 2)
  }
)

t.test('a message whose server dies during every try is dropped after the fifth, and the log says so', async (t) => {
  const rig = await open(t)
  const sent: Sent[] = []
  const never = Promise.withResolvers<undefined>()
  const rounds: Promise<void>[] = []
  await fail(rig, 'dead')
  const next = heard()
  for (let count = 1; count <= 6; count += 1) {
    const watch = rig.watch({
      log: next.log,
      send: async (message) => {
        sent.push(message)
        await never.promise
      }
    })
    const round = watch.round()
    if (count < 6) {
      await until(() => sent.length === count)
      rounds.push(round)
    } else await round
    rig.now += 10 * minute
  }
  t.equal(sent.length, 5)
  t.match(next.lines.at(-1), /died during the last try to send a message; it is dropped/)
  never.resolve(undefined)
  await Promise.all(rounds)
})

t.test('a server without a URL does not drop the messages of another one', async (t) => {
  const rig = await open(t)
  const sent: Sent[] = []
  const send = async (message: Sent) => {
    sent.push(message)
    if (sent.length === 1) throw new Error('503')
  }
  const first = rig.watch({ send })
  await fail(rig, 'dead')
  await first.round()
  await first.end()
  const mute = rig.watch()
  await rig.pass(5 * minute, [mute])
  await mute.end()
  const third = rig.watch({ send })
  await rig.pass(minute, [third])
  t.equal(sent.length, 2)
})

t.test('checks that take longer than the lease do not keep all servers from raising alarms', async (t) => {
  const rig = await open(t)
  const rounds: Promise<void>[] = []
  // Each check takes 40 s, and the other server tries to take over after each.
  const slowBeside = (other: () => AlarmWatch): Inbox =>
    new Proxy(rig.inbox, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...args: unknown[]) => unknown
        if (name !== 'tally' && name !== 'levels') return call
        return async (...args: unknown[]) => {
          rig.now += 40 * second
          rounds.push(other().round())
          return call(...args)
        }
      }
    })
  await fail(rig, 'dead')
  const first: AlarmWatch = rig.watch({}, { inbox: slowBeside(() => next) })
  const next: AlarmWatch = rig.watch({}, { inbox: slowBeside(() => first) })
  for (let count = 0; count < 5; count += 1) await Promise.all([first.round(), next.round()])
  await Promise.all(rounds)
  t.same(rig.take(), ['raised dead erp'])
})

t.test('unauthenticated: lasts until an authentic request, also while no request arrives', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('unauthenticated') })
  await rig.count('RIVERHOOK_RECEIVE_UNAUTHENTICATED', 5)
  await rig.pass(20 * hour, [watch], undefined, 5 * minute)
  t.same(rig.take(), [`raised unauthenticated ${path}`])
  t.match(watch.raised, [{ text: /^no request has had right credentials since 5 or more were refused/ }])
  await rig.pass(20 * hour, [watch], undefined, 5 * minute)
  t.same(rig.take(), [`still unauthenticated ${path}`])
  await rig.count('authentic')
  await rig.pass(hour, [watch])
  t.same(rig.take(), [`resolved unauthenticated ${path}`])
  await rig.pass(day, [watch], undefined, 5 * minute)
  t.same(rig.take(), [])
})

t.test(
  'unauthenticated: five forged requests every 16 minutes are one alarm, also with a few authentic ones',
  async (t) => {
    const rig = await open(t)
    const watch = rig.watch({ skipped: only('unauthenticated') })
    const forge = () => rig.count('RIVERHOOK_RECEIVE_UNAUTHENTICATED', 5)
    for (let count = 0; count < 10; count += 1) {
      await forge()
      await rig.pass(16 * minute, [watch])
    }
    t.same(rig.take(), [`raised unauthenticated ${path}`])
    let step = 0
    let hours = 0
    while (hours < 4) {
      for (let minutes = 0; minutes < 60; minutes += 1, step += 1) {
        if (step % 16 === 0) await forge()
        if (step % 20 === 7) await rig.count('authentic')
        await rig.pass(minute, [watch])
      }
      hours += 1
      t.ok(rig.take().length <= 2, 'at most two messages in an hour')
    }
  }
)

t.test('unauthenticated: an authentic request of a time without rounds resolves it', async (t) => {
  const rig = await open(t)
  const first = rig.watch({ skipped: only('unauthenticated') })
  await rig.count('RIVERHOOK_RECEIVE_UNAUTHENTICATED', 5)
  await rig.pass(hour, [first])
  t.same(rig.take(), [`raised unauthenticated ${path}`])
  await first.end()
  rig.now += hour
  await rig.count('authentic')
  rig.now += 2 * hour
  const next = rig.watch({ skipped: only('unauthenticated') })
  await rig.pass(hour, [next])
  t.same(rig.take(), [`resolved unauthenticated ${path}`])
})

t.test(
  'an alarm that flaps slowly is reported at most three times in the first hour, and twice in the next ones',
  async (t) => {
    const rig = await open(t)
    const watch = rig.watch({ skipped: only('failing') })
    const attempt = async (state: 'done' | 'dead') => {
      await rig.inbox.record(Array.from({ length: 10 }, (_, index) => arrival(`${rig.now}-${index}`, ['erp'])))
      await settleAll(rig.inbox, await claim(rig.inbox, ['erp']), state === 'done' ? { state } : { state, error: 'no' })
    }
    const counts: number[] = []
    for (let hours = 0; hours < 4; hours += 1) {
      for (let half = 0; half < 2; half += 1) {
        await rig.pass(10 * minute, [watch], () => attempt('dead'))
        await rig.pass(20 * minute, [watch], () => attempt('done'))
      }
      counts.push(rig.take().length)
    }
    t.ok(counts[0]! <= 3)
    for (const count of counts.slice(1)) t.ok(count <= 2, String(counts))
  }
)

t.test('a server that ends does not wait for the provider', async (t) => {
  const rig = await open(t)
  const asked = Promise.withResolvers<AbortSignal>()
  rig.missing = (signal) => {
    asked.resolve(signal)
    return new Promise(() => undefined)
  }
  const next = heard()
  const watch = rig.watch({ skipped: only('silence'), log: next.log }, { silenceMs: 2 * hour })
  rig.now += 3 * hour
  await rig.count('authentic')
  rig.now += 3 * hour
  const before = await rig.inbox.alarmState()
  // The first round begins the time in which a silence counts.
  await watch.round()
  void rig.pass(3 * hour, [watch], undefined, 10 * minute).catch(() => undefined)
  const signal = await asked.promise
  await watch.end()
  t.ok(signal.aborted)
  t.equal(before.state, undefined)
  t.match(await rig.inbox.holdAlarms({ owner: 'another', leaseMs: 1_000 }), { token: Number })
  t.same(rig.take(), [])
})

t.test('registration: a new server that has not looked yet resolves nothing', async (t) => {
  const rig = await open(t)
  rig.registration = { state: 'changed' }
  const first = rig.watch({ skipped: only('registration') })
  await rig.pass(11 * minute, [first])
  t.same(rig.take(), [`raised registration ${path}`])
  await first.end()
  for (const unseen of [undefined, { state: 'unknown' }, { state: 'unknown', lastError: '500' }]) {
    rig.registration = unseen
    const next = rig.watch({ skipped: only('registration') })
    await rig.pass(hour, [next])
    t.same(rig.take(), [])
    t.match(next.raised, [{ text: /is disabled, changed or deleted/ }])
    await next.end()
  }
  rig.registration = { state: 'in_sync' }
  const last = rig.watch({ skipped: only('registration') })
  await rig.pass(minute, [last])
  t.same(rig.take(), [`resolved registration ${path}`])
})

t.test('registration: is resolved for an endpoint that is not registered any more', async (t) => {
  const rig = await open(t)
  rig.registration = { state: 'unknown', lastError: '500' }
  const first = rig.watch({ skipped: only('registration') })
  await rig.pass(11 * minute, [first])
  t.same(rig.take(), [`raised registration ${path}`])
  await first.end()
  const next = rig.watch({ skipped: only('registration') }, { endpoints: [] })
  await rig.pass(minute, [next])
  t.same(rig.take(), [`resolved registration ${path}`])
})

t.test('space: an inbox whose free space is unknown for a time resolves nothing', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('space') })
  rig.freeShare = 0.1
  await rig.pass(10 * minute, [watch])
  rig.freeShare = undefined
  await rig.pass(hour, [watch])
  t.same(rig.take(), ['raised space'])
})

t.test('backfill: a time that the provider no longer lists is an alarm for a day', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('backfill') })
  await rig.inbox.advance(realm, `backfill ${path} gap`, new Date(rig.now))
  const read = () => rig.inbox.advance(realm, `backfill ${path}`, new Date(rig.now))
  await rig.pass(hour, [watch], read)
  t.same(rig.take(), [`raised backfill ${path}`])
  t.match(watch.raised, [{ text: /no longer lists the events of some time/ }])
  await rig.pass(day, [watch], read, 5 * minute)
  t.same(rig.take(), [`resolved backfill ${path}`])
})

/** An inbox whose `levels` fail while `isBroken` says so. */
function breakable(inbox: Inbox, isBroken: () => boolean): Inbox {
  return new Proxy(inbox, {
    get(target, name) {
      if (name === 'levels' && isBroken())
        return () => Promise.reject(new Error('the value buyer@example.com is too slow'))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

t.test('a check that fails changes nothing, is listed, and is logged once; the others continue', async (t) => {
  const rig = await open(t)
  let isBroken = false
  const inbox = breakable(rig.inbox, () => isBroken)
  const next = heard()
  const watch = rig.watch({ log: next.log, skipped: new Set(['parked']) }, { inbox })
  const list = async () => listStored(await rig.inbox.alarmState()).map(({ condition, state }) => [condition, state])
  const about = () => next.lines.splice(0).filter((line) => line.startsWith('these alarms'))
  await fail(rig, 'dead')
  await rig.pass(minute, [watch])
  isBroken = true
  rig.freeShare = 0.01
  await rig.pass(hour, [watch])
  t.same(rig.take(), ['raised dead erp', 'raised space'])
  t.match(watch.raised, [{ condition: 'space' }, { condition: 'dead' }])
  t.same(about(), ['these alarms cannot be checked: those that are raised stay, and no other is raised'])
  t.same(await list(), [
    ['space', 'raised'],
    ['dead', 'raised'],
    ['backlog', 'unchecked'],
    ['dead', 'unchecked'],
    ['quarantine', 'unchecked']
  ])
  const stored = JSON.stringify(listStored(await rig.inbox.alarmState()))
  t.match(stored, /cannot be checked: the log says why/)
  t.notMatch(stored, /buyer/, 'the error may hold personal data')

  await watch.end()
  const later = heard()
  const restarted = rig.watch({ log: later.log, skipped: new Set(['parked']) }, { inbox })
  await rig.pass(10 * minute, [restarted], () => {
    isBroken = !isBroken
  })
  t.same(later.lines, [], 'a check that fails now and then, also after a restart')
  isBroken = false
  await rig.pass(hour, [restarted])
  t.same(later.lines, ['these alarms can be checked again'])
  t.same(await list(), [
    ['space', 'raised'],
    ['dead', 'raised']
  ])
})

t.test('an alarm that is acknowledged is silent until it is resolved, also after a restart', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('dead') })
  await fail(rig, 'dead')
  await rig.pass(minute, [watch])
  t.same(rig.take(), ['raised dead erp'])
  await rig.inbox.acknowledgeAlarms(listStored(await rig.inbox.alarmState()), true)
  await watch.end()
  const next = rig.watch({ skipped: only('dead') })
  await rig.pass(50 * hour, [next], undefined, 5 * minute)
  t.same(rig.take(), [])
  t.match(listStored(await rig.inbox.alarmState()), [{ condition: 'dead', state: 'acknowledged' }])
  t.match(next.raised, [{ condition: 'dead' }])
  await rig.inbox.remove(keysOf('dead'))
  await rig.pass(hour, [next])
  t.same(rig.take(), ['resolved dead erp'])
  t.same((await rig.inbox.alarmState()).acknowledged, [])
  rig.now += day
  await fail(rig, 'dead2')
  await rig.pass(25 * hour, [next], undefined, 5 * minute)
  t.same(rig.take(), ['raised dead erp', 'still dead erp'], 'the next one is not acknowledged')
})

t.test(
  'an alarm that becomes worse after it was acknowledged is reported, and not acknowledged any more',
  async (t) => {
    const rig = await open(t)
    const watch = rig.watch({ skipped: only('dead') })
    await fail(rig, 'dead')
    await rig.pass(minute, [watch])
    await rig.inbox.acknowledgeAlarms(listStored(await rig.inbox.alarmState()), true)
    for (let count = 0; count < 11; count += 1) await fail(rig, `e${count}`)
    await rig.pass(minute, [watch])
    t.same(rig.take(), ['raised dead erp', 'worse dead erp'])
    t.match(listStored(await rig.inbox.alarmState()), [{ condition: 'dead', state: 'raised' }])
    t.same((await rig.inbox.alarmState()).acknowledged, [])
    await rig.pass(25 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), ['still dead erp'])
  }
)

t.test('an acknowledgement that is taken back makes the alarm come again', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('dead') })
  await fail(rig, 'dead')
  await rig.pass(minute, [watch])
  const listed = listStored(await rig.inbox.alarmState())
  await rig.inbox.acknowledgeAlarms(listed, true)
  await rig.pass(25 * hour, [watch], undefined, 5 * minute)
  await rig.inbox.acknowledgeAlarms(listed, false)
  await rig.pass(hour, [watch])
  t.same(rig.take(), ['raised dead erp', 'still dead erp'])
})
