import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import fc from 'fast-check'
import t from 'tap'

import { Attempt } from '../../src/deliver/attempt.ts'
import type { AttemptInput } from '../../src/deliver/context.ts'
import { RiverhookError } from '../../src/model/errors.ts'
import { Registry, type HandlerContext, type HandlerFunction } from '../../src/handlers/registry.ts'
import { gate, readableLog } from './rig.ts'
import { binaryText } from '../binary-text.ts'

function inputOf(run: HandlerFunction, timeout = 60_000): AttemptInput {
  const registry = new Registry()
  registry.on('order.*', { name: 'to-erp', timeout }, run)
  const event = {
    id: 'e1',
    type: 'order.accepted',
    data: { object: {} },
    liveMode: false,
    createdTime: '2026-01-01T00:00:00Z'
  }
  return {
    handler: registry.get('to-erp')!,
    event,
    attempt: 2,
    delivery: { realm: 'digital-river', id: 7, handler: 'to-erp', receivedAt: new Date(0) },
    stored: { endpoint: '/webhooks', body: Buffer.from('{}'), headers: {} },
    log: readableLog().log,
    transaction: () => Promise.reject(new Error('none'))
  }
}

function startAttempt(input: AttemptInput): Attempt {
  const attempt = new Attempt(input)
  attempt.start()
  return attempt
}

t.test('a return, a resolved promise and a thenable are success; a throw and a rejection are failure', async (t) => {
  const error = new Error('no')
  const endingOf = (run: HandlerFunction) => startAttempt(inputOf(run)).ending
  t.strictSame(await endingOf(() => 42), { state: 'done' })
  t.strictSame(await endingOf(async () => undefined), { state: 'done' })
  t.strictSame(
    await endingOf(() => ({
      then: (resolve: () => void) => {
        resolve()
      }
    })),
    { state: 'done' }
  )
  t.strictSame(
    await endingOf(() => {
      throw error
    }),
    { state: 'failed', error }
  )
  t.strictSame(
    await endingOf(async () => {
      throw error
    }),
    { state: 'failed', error }
  )
})

t.test(
  'returned work that was never started or awaited fails the attempt, with an error that says what to do',
  async (t) => {
    const query = { execute: async () => undefined, compile: () => undefined }
    const cases: [string, HandlerFunction, RegExp][] = [
      ['Observable', () => ({ subscribe: () => undefined, pipe: () => undefined }), /an Observable.*lastValueFrom/],
      [
        'generator',
        function* () {
          yield 1
        },
        /a generator.*async \(event\)/
      ],
      [
        'async generator',
        async function* () {
          yield 1
        },
        /an async generator.*async \(event\)/
      ],
      [
        'async function that returns a generator',
        async () =>
          (function* () {
            yield 1
          })(),
        /a generator/
      ],
      [
        'cursor',
        () => ({ next: async () => undefined, [Symbol.asyncIterator]: () => undefined }),
        /async generator or iterator/
      ],
      ['stream', () => Readable.from(['a']), /a stream.*finished\(\)/],
      ['function', () => async () => undefined, /a function, which is never called/],
      ['query', async () => query, /not executed.*query\.execute\(\)/],
      ['promises', () => [Promise.resolve(), Promise.reject(new Error('lost'))], /an array of promises.*Promise\.all/],
      [
        'generators',
        () => [
          (function* () {
            yield 1
          })()
        ],
        /an array with a generator/
      ]
    ]
    for (const [name, run, text] of cases) {
      const ending = await startAttempt(inputOf(run)).ending
      t.match(ending, { state: 'failed', error: { code: 'RIVERHOOK_DELIVER_NOT_BEGUN', message: text } }, name)
    }
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const ordinary = [
      undefined,
      'text',
      7,
      { ok: true },
      [1, 'a', null],
      new Map([[1, 2]]),
      new Set([1]),
      Buffer.from('a'),
      new Response('a'),
      new Date(0)
    ]
    for (const value of ordinary)
      t.match(await startAttempt(inputOf(() => value)).ending, { state: 'done' }, String(value))
    t.match(await startAttempt(inputOf(() => [proxy])).ending, { state: 'done' }, 'a value that cannot be inspected')
  }
)

t.test('only the first abort reason counts, also if the handler reads its signal afterwards', async (t) => {
  const held = gate()
  let context: HandlerContext | undefined
  const attempt = startAttempt(
    inputOf(async (_event, given) => {
      context = given
      await held.promise
    })
  )
  attempt.abort(new RiverhookError('RIVERHOOK_DELIVER_SHUTDOWN', 'first'))
  attempt.abort(new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', 'second'))
  t.match(context?.signal.reason, { message: 'first' })
  held.resolve()
  t.strictSame(await attempt.ending, { state: 'done' }, 'an abort does not end the attempt')
})

t.test('a copy of the context has the signal and the log', async (t) => {
  let copy: Partial<HandlerContext> = {}
  await startAttempt(
    inputOf((_event, context) => {
      copy = { ...context }
    })
  ).ending
  t.type(copy.signal, AbortSignal)
  t.type(copy.log?.info, 'function')
  t.equal(copy.idempotencyKey, 'digital-river:e1:to-erp')
})

t.test('a context is a plain object, which works through a proxy and when it is inherited or cloned', async (t) => {
  let given: HandlerContext | undefined
  await startAttempt(
    inputOf((_event, context) => {
      given = context
    })
  ).ending
  const context = given!
  t.strictSame(
    Object.keys(context),
    'event attempt delivery endpoint source body headers signal log idempotencyKey transaction'.split(' ')
  )
  t.equal(Object.getPrototypeOf(context), Object.prototype)
  t.notMatch(inspect(context), /AttemptContext|Symbol/)
  t.notOk(Object.getOwnPropertySymbols({ ...context }).length, 'a copy has the values alone')
  const others: Record<string, Partial<HandlerContext>> = {
    proxy: new Proxy(context, {}),
    'an object that inherits it': Object.create(context) as HandlerContext,
    'a clone with its getters': Object.defineProperties({}, Object.getOwnPropertyDescriptors(context)),
    'a copy': { ...context }
  }
  for (const [name, other] of Object.entries(others)) {
    t.equal(other.body, context.body, name)
    t.equal(other.signal, context.signal, name)
    t.equal(other.log, context.log, name)
    t.equal(other.attempt, 2, name)
  }
})

t.test('a finished attempt leaves nothing that only a full garbage collection frees', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void
  const input = inputOf(() => undefined)
  const usedAfter = async (attempts: number): Promise<number> => {
    for (let count = 0; count < attempts; count += 1) {
      const event = { ...input.event, data: { items: new Array<number>(1_000).fill(count) } }
      await startAttempt({ ...input, event }).ending
    }
    // Survivors of the first one are in the old generation after the second.
    collect({ type: 'minor' })
    collect({ type: 'minor' })
    return getHeapStatistics().used_heap_size
  }
  await usedAfter(500)
  collect({ type: 'major' })
  const before = await usedAfter(1)
  const megabytes = ((await usedAfter(1_000)) - before) / 1e6
  t.ok(megabytes < 4, `${megabytes.toFixed(1)} MB are kept after 8 MB of events`)
})

t.test('at the time limit the attempt fails, and the signal is aborted with the same error', async (t) => {
  const keepAlive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(keepAlive)
  })
  let signal: AbortSignal | undefined
  const ending = await startAttempt(
    inputOf(async (_event, context) => {
      ;({ signal } = context)
      await new Promise(() => undefined)
    }, 1)
  ).ending
  t.match(ending, { state: 'failed', error: { code: 'RIVERHOOK_DELIVER_TIMEOUT' } })
  t.equal(signal?.reason, ending.state === 'failed' && ending.error)
})

t.test('the idempotency key is unique per event and handler, and valid in an HTTP header', async (t) => {
  const keyOf = (realm: string, id: string, name: string): string => {
    const keys: string[] = []
    const input = inputOf((_event, { idempotencyKey }) => {
      keys.push(idempotencyKey)
    })
    startAttempt({
      ...input,
      event: { ...input.event, id },
      delivery: { ...input.delivery, realm },
      handler: { ...input.handler, name }
    })
    return keys[0] ?? ''
  }
  t.equal(keyOf('live', 'e1', 'order.accepted'), 'live:e1:order.accepted')
  t.not(keyOf('live', 'a:b', 'c'), keyOf('live', 'a', 'b:c'))
  t.not(keyOf('live', 'e1', 'c'), keyOf('test', 'e1', 'c'))
  t.not(keyOf('live', 'a\ud800', 'c'), keyOf('live', 'a\ud801', 'c'))
  const part = fc.oneof(
    binaryText(),
    fc.string({ unit: fc.constantFrom(':', '%', 'a', '3', 'A', '\n', 'é', '\ud800') })
  )
  fc.assert(
    fc.property(part, part, part, part, part, part, (realm, id, name, otherRealm, otherId, otherName) => {
      const key = keyOf(realm, id, name)
      const isSame = realm === otherRealm && id === otherId && name === otherName
      return /^[\x21-\x7e]+$/.test(key) && (key === keyOf(otherRealm, otherId, otherName)) === isSame
    })
  )
})
