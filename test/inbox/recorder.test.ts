import t from 'tap'

import { RiverhookError } from '../../src/model/errors.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { Recorder, type RecorderOptions } from '../../src/inbox/recorder.ts'
import { arrival } from './arrivals.ts'
import { keyOf } from '../event-keys.ts'

/** A memory inbox whose commits wait for the test, as on a slow disk. */
async function slowInbox(options?: RecorderOptions) {
  const inbox = memoryInbox()
  await inbox.open()
  const batches: string[][] = []
  const waiting: { go: () => void; fail: (error: Error) => void }[] = []
  let arrived = Promise.withResolvers<undefined>()
  const slow: Inbox = Object.assign(Object.create(inbox) as Inbox, {
    async record(arrivals: Parameters<Inbox['record']>[0]) {
      batches.push(arrivals.map(({ id }) => id))
      const gate = Promise.withResolvers<undefined>()
      waiting.push({
        go: () => {
          gate.resolve(undefined)
        },
        fail: gate.reject
      })
      arrived.resolve(undefined)
      arrived = Promise.withResolvers()
      await gate.promise
      return inbox.record(arrivals)
    }
  })
  return {
    recorder: new Recorder(slow, options),
    inbox,
    batches,
    next: async () => {
      if (waiting.length === 0) await arrived.promise
      return waiting.shift()!
    }
  }
}

const patient = 60_000

t.test('all arrivals that wait during a commit go into the next one, in order', async (t) => {
  const { recorder, batches, next } = await slowInbox()
  const first = [recorder.record(arrival('1'), patient), recorder.record(arrival('2'), patient)]
  const commit = await next()
  const second = ['3', '4', '2'].map((id) => recorder.record(arrival(id), patient))
  commit.go()
  t.same(await Promise.all(first), ['accepted', 'accepted'])
  const another = await next()
  another.go()
  t.same(await Promise.all(second), ['accepted', 'accepted', 'duplicate'])
  t.same(batches, [
    ['1', '2'],
    ['3', '4', '2']
  ])
  await recorder.drained()
})

t.test('no caller gets its answer before the commit', async (t) => {
  const { recorder, inbox, next } = await slowInbox()
  let answered = false
  const result = recorder.record(arrival('1'), patient).then(() => {
    answered = true
  })
  const commit = await next()
  t.equal(answered, false)
  commit.go()
  await result
  t.ok(await inbox.event(keyOf('1')))
})

t.test('a caller is refused at its deadline, and an arrival without waiting callers is not written', async (t) => {
  const { recorder, inbox, next } = await slowInbox()
  const first = recorder.record(arrival('1'), patient)
  const commit = await next()
  await t.rejects(recorder.record(arrival('2'), 1), {
    code: 'RIVERHOOK_INBOX_DEADLINE',
    statusCode: 503,
    message: /within 1 ms/
  })
  commit.go()
  await first
  await recorder.drained()
  t.equal(await inbox.event(keyOf('2')), undefined)
})

t.test('an event committed after its deadline is a duplicate when the sender retries', async (t) => {
  const { recorder, next } = await slowInbox()
  const late = recorder.record(arrival('1'), 1)
  const commit = await next()
  await t.rejects(late, { code: 'RIVERHOOK_INBOX_DEADLINE' })
  commit.go()
  await recorder.drained()
  const retry = recorder.record(arrival('1'), patient)
  ;(await next()).go()
  t.equal(await retry, 'duplicate')
})

t.test('when the oldest has waited half its time, new callers are refused at once', async (t) => {
  let now = 0
  const { recorder, next } = await slowInbox({ clock: () => now })
  const first = recorder.record(arrival('1'), patient)
  const commit = await next()
  now = patient / 2 + 1
  await t.rejects(recorder.record(arrival('2'), patient), { code: 'RIVERHOOK_INBOX_OVERLOADED', statusCode: 503 })
  commit.go()
  await first
  await recorder.drained()
  const third = recorder.record(arrival('3'), patient)
  ;(await next()).go()
  t.equal(await third, 'accepted', 'and it recovers')
})

t.test('the bytes of waiting bodies are limited, including those being written', async (t) => {
  const { recorder, next } = await slowInbox({ maxWaitingBytes: 100 })
  const body = Buffer.alloc(60)
  const first = recorder.record(arrival('1', [], { body }), patient)
  const commit = await next()
  await t.rejects(recorder.record(arrival('2', [], { body }), patient), { code: 'RIVERHOOK_INBOX_OVERLOADED' })
  commit.go()
  await first
  await recorder.drained()
  const second = recorder.record(arrival('2', [], { body }), patient)
  ;(await next()).go()
  t.equal(await second, 'accepted')
})

t.test('a commit that fails refuses only its own callers, with the reason', async (t) => {
  const { recorder, next } = await slowInbox()
  const first = recorder.record(arrival('1'), patient)
  const commit = await next()
  const second = recorder.record(arrival('2'), patient)
  commit.fail(new Error('disk on fire'))
  await t.rejects(first, { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /disk on fire/ })
  const another = await next()
  another.fail(new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'as said'))
  await t.rejects(second, { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: 'as said' })
})

// Risk: half of a request, or the memory of the process for one request with many events.
t.test('the arrivals of one request stay together, with any batch size', async (t) => {
  const { recorder, batches, next } = await slowInbox()
  const first = recorder.record(arrival('1'), patient)
  const commit = await next()
  const many = Array.from({ length: 600 }, (_, index) => arrival(`m${index}`))
  const before = Array.from({ length: 300 }, (_, index) => recorder.record(arrival(`b${index}`), patient))
  const together = recorder.recordAll(many, patient)
  const after = recorder.recordAll([arrival('a1'), arrival('m0')], patient)
  commit.go()
  t.equal(await first, 'accepted')
  for (let open = 3; open > 0; open -= 1) (await next()).go()
  t.same(new Set(await Promise.all(before)), new Set(['accepted']))
  t.same(new Set(await together), new Set(['accepted']))
  t.same(await after, ['accepted', 'duplicate'])
  t.same(
    batches.map((batch) => batch.length),
    [1, 300, 600, 2]
  )
  await recorder.drained()
})

t.test('a request is refused when the inbox refuses one of its arrivals, or gives too few results', async (t) => {
  const inbox = memoryInbox()
  await inbox.open()
  const refused = new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'a trigger said no')
  const answers: (readonly ('accepted' | RiverhookError)[])[] = [['accepted', refused, 'accepted'], ['accepted']]
  const picky: Inbox = Object.assign(Object.create(inbox) as Inbox, { record: async () => answers.shift() })
  const recorder = new Recorder(picky)
  await t.rejects(recorder.recordAll([arrival('1'), arrival('2')], patient), refused)
  await t.rejects(recorder.recordAll([arrival('1'), arrival('2')], patient), { message: /too few results/ })
  const small = new Recorder(inbox, { maxWaitingBytes: 10 })
  await t.rejects(small.recordAll([arrival('1'), arrival('2')], patient), { code: 'RIVERHOOK_INBOX_OVERLOADED' })
})
