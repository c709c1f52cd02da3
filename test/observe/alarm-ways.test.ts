import { Registry } from '@prometheus-io/client'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'

import { createRiverhook, memoryInbox, type AlarmChange, type RiverhookOptions } from '../../src/index.ts'
import { Heartbeat } from '../../src/lifecycle/heartbeat.ts'
import { sendTestAlarm } from '../../src/programs.ts'
import { startTarget } from '../forward/target.ts'
import { arrival } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { keysOf } from '../event-keys.ts'
import { secret } from '../receive/receiver.ts'
import { log } from './log.ts'
import { valueOf } from './samples.ts'

// Risk: an alarm that does not arrive, or that a stranger can forge.

const alarmSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** A receiver whose inbox has a dead letter of another server. */
async function startFailing(t: Test, options: RiverhookOptions) {
  const inbox = memoryInbox()
  const riverhook = createRiverhook({ secrets: secret, inbox, log, ...options })
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  await inbox.record([arrival('dead', ['erp'])])
  await settleAll(inbox, await claim(inbox, ['erp']), { state: 'dead', error: 'buyer@example.com is unknown' })
  return { riverhook, inbox }
}

t.test(
  'an alarm is sent signed, passed to onAlarm, listed, and in the metrics; the heartbeat is fetched',
  async (t) => {
    const sent = Promise.withResolvers<undefined>()
    const beaten = Promise.withResolvers<undefined>()
    const target = await startTarget(t, (response, { url }) => {
      ;(url === '/beat' ? beaten : sent).resolve(undefined)
      response.writeHead(204).end()
    })
    const heard: AlarmChange[] = []
    const registry = new Registry()
    const { riverhook, inbox } = await startFailing(t, {
      metrics: { registry },
      onAlarm: (alarm) => heard.push(alarm),
      alarms: { url: `${target.url}/alarms`, secret: alarmSecret, heartbeat: `${target.url}/beat`, every: '50ms' }
    })
    await Promise.all([sent.promise, beaten.promise])
    const [post] = target.arrived.filter(({ url }) => url === '/alarms')
    t.equal(post!.method, 'POST')
    const body = new Webhook(alarmSecret).verify(post!.body, post!.headers as Record<string, string>)
    const text = 'Riverhook [warn] dead erp: 1 dead letter: riverhook failures --handler erp lists the errors'
    t.match(body, {
      type: 'riverhook.alarm',
      text,
      alarms: [{ condition: 'dead', subject: 'erp', change: 'raised', level: 'warn', value: 1, threshold: 1 }]
    })
    t.notMatch(post!.body.toString(), 'buyer@example.com')
    t.match(heard, [{ condition: 'dead', subject: 'erp', change: 'raised' }])
    t.match(await riverhook.alarms(), [{ condition: 'dead', subject: 'erp' }])
    t.equal(valueOf(await riverhook.metrics(), 'riverhook_alarm_active', { alarm: 'dead', subject: 'other' }), 1)
    const [beat] = target.arrived.filter(({ url }) => url === '/beat')
    t.match(beat, { method: 'GET' })
    await inbox.remove(keysOf('dead'))
  }
)

t.test('without alarms, no condition is checked', async (t) => {
  const { riverhook, inbox } = await startFailing(t, { alarms: false })
  t.same(await riverhook.alarms(), [])
  t.match(await inbox.holdAlarms({ owner: 'me', leaseMs: 1_000 }), { token: 1 }, 'no server has the right')
})

t.test('a server that stops lets another one continue at once', async (t) => {
  const reported = Promise.withResolvers<undefined>()
  // The timer of the alarms does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(alive)
  })
  const { riverhook, inbox } = await startFailing(t, {
    alarms: { every: '50ms' },
    onAlarm: () => {
      reported.resolve(undefined)
    }
  })
  await reported.promise
  t.match(await inbox.holdAlarms({ owner: 'another', leaseMs: 1_000 }), { token: undefined })
  const close = inbox.close.bind(inbox)
  let held: unknown
  inbox.close = async () => {
    held = await inbox.holdAlarms({ owner: 'another', leaseMs: 1_000 })
    await close()
  }
  await riverhook.stop()
  t.match(held, { token: Number, state: /"condition":"dead"/ })
})

t.test('a test message says that it is one; a refusal says who refused', async (t) => {
  let status = 204
  const target = await startTarget(t, (response) => response.writeHead(status, { location: '/other' }).end())
  await sendTestAlarm({ url: target.url })
  t.match(JSON.parse(target.arrived[0]!.body.toString()), {
    text: 'Riverhook [test] this is a test of the alarms: nothing happened',
    alarms: [{ change: 'test' }]
  })
  t.equal(target.arrived[0]!.headers['webhook-signature'], undefined)
  for (status of [302, 401, 500])
    await t.rejects(sendTestAlarm({ url: `${target.url}/token-123` }), { message: `${target.url} answered ${status}` })
  t.equal(target.arrived.length, 4, 'no redirect is followed')
})

t.test(
  'the heartbeat follows no redirect, shows no secret of its URL, and pauses while nothing can be recorded',
  async (t) => {
    let status = 302
    const target = await startTarget(t, (response) => {
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
    const lines: string[] = []
    const told: (() => void)[] = []
    const tell = (keys: unknown, text: unknown): void => {
      lines.push(typeof keys === 'string' ? keys : `${String(text)} ${JSON.stringify(keys)}`)
      told.shift()?.()
    }
    const line = (): Promise<void> => new Promise((resolve) => told.push(resolve))
    let asked = 0
    let isReady = true
    const first = line()
    const heartbeat = new Heartbeat({
      url: `${target.url}/ping/token-123`,
      isReady: async () => {
        asked += 1
        return isReady
      },
      log: { warn: tell, info: tell } as never,
      everyMs: 5
    })
    t.teardown(() => heartbeat.end())
    await first
    t.match(lines, [/^heartbeat: its URL could not be fetched; trying again .*it answered 302/])
    t.notMatch(lines.join(), /token-123/)
    const again = line()
    status = 204
    await again
    t.match(lines[1], /^heartbeat: its URL answers again/)
    t.same([...new Set(target.arrived.map(({ url }) => url))], ['/ping/token-123'])
    isReady = false
    const before = asked
    while (asked < before + 3) await new Promise(setImmediate)
    const { length } = target.arrived
    while (asked < before + 9) await new Promise(setImmediate)
    t.equal(target.arrived.length, length)
  }
)

t.test('wrong options are named, without their secret parts', async (t) => {
  const bad = (alarms: unknown) => () => createRiverhook({ secrets: secret, inbox: 'memory:', log, alarms } as never)
  t.throws(bad({ url: 'ftp://user:pass@host/x' }), { message: /^Option "alarms.url" must be an http or https URL/ })
  t.throws(bad({ url: 'http://169.254.169.254/' }), { message: /"alarms.url" must not lead to a link-local/ })
  t.throws(bad({ secret: 'c2hvcnQ=' }), { message: /"alarms.secret" must be at least 24 bytes/ })
  t.throws(bad({ skip: ['deads'] }), { message: /alarms.skip/ })
  t.throws(bad(true), { message: /"alarms"/ })
  t.throws(bad({ heartbeat: 'http://[fd00:ec2::254]/' }), {
    message: /"alarms.heartbeat" must not lead to a link-local/
  })
  t.throws(bad({ silence: '2h', quietHours: '22-7' }), { message: /"alarms.quietHours" must be two times of day/ })
  t.throws(bad({ quietHours: '22:00-07:00 UTC' }), { message: /"alarms.quietHours" needs "alarms.silence"/ })
})
