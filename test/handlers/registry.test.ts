import fc from 'fast-check'
import t from 'tap'

import { eventType } from '../../src/handlers/event-type.ts'
import { defineHandler } from '../../src/options/default-source.ts'
import type { Event, Source } from '../../src/index.ts'
import { Registry } from '../../src/handlers/registry.ts'

const run = (): void => undefined
/** Accepts any arguments, like a call from JavaScript. */
const onAnything = (registry: Registry, ...given: unknown[]): void => {
  ;(registry.on as (...given: unknown[]) => void).apply(registry, given)
}

t.test('handlers are found by event type, in order of registration, and by name', async (t) => {
  const registry = new Registry()
  registry.on('*', run)
  registry.on('order.accepted', run)
  registry.on('order.*', { name: 'orders' }, run)
  const names = (type: string): string[] => registry.for(type).map(({ name }) => name)
  t.strictSame(names('order.accepted'), ['*', 'order.accepted', 'orders'])
  t.strictSame(names('order.charge.refund.complete'), ['*', 'orders'])
  t.strictSame(names('order'), ['*'])
  t.strictSame(names('constructor'), ['*'])
  t.equal(registry.get('orders')?.pattern, 'order.*')
  t.equal(registry.get('toString'), undefined)
  t.strictSame(
    registry.all.map(({ name }) => name),
    ['*', 'order.accepted', 'orders']
  )
})

t.test('a handler registered after a look-up is found by the next look-up', async (t) => {
  const registry = new Registry()
  t.strictSame(registry.for('order.accepted'), [])
  registry.on('order.accepted', run)
  t.equal(registry.for('order.accepted').length, 1)
})

t.test('every setting has its value', async (t) => {
  const registry = new Registry()
  registry.on('order.*', run)
  registry.on('*', { name: 'all', timeout: 5, concurrency: 1, onFailure: 'skip', retry: { attempts: 2 } }, run)
  t.match(registry.get('order.*'), {
    name: 'order.*',
    timeoutMs: 30_000,
    concurrency: 16,
    onFailure: 'block',
    retry: undefined,
    orderBy: undefined
  })
  t.match(registry.get('all'), { timeoutMs: 5, concurrency: 1, onFailure: 'skip', retry: { attempts: 2 } })
})

t.test('two handlers with one name are refused, and the error names both patterns', async (t) => {
  const registry = new Registry()
  registry.on('order.accepted', run)
  t.throws(
    () => {
      registry.on('order.accepted', run)
    },
    { code: 'RIVERHOOK_HANDLERS_NAME_CLASH' }
  )
  registry.on('order.accepted', { name: 'second' }, run)
  t.throws(
    () => {
      registry.on('refund.*', { name: 'second' }, run)
    },
    {
      code: 'RIVERHOOK_HANDLERS_NAME_CLASH',
      message: /"second".*"order\.accepted".*"refund\.\*"/
    }
  )
  t.equal(registry.all.length, 2)
})

t.test('registering after the start is refused, because the handler would miss events', async (t) => {
  const registry = new Registry()
  registry.seal()
  t.throws(
    () => {
      registry.on('*', run)
    },
    { code: 'RIVERHOOK_HANDLERS_LATE' }
  )
})

t.test('a wrong option is refused with the handler, the option and the accepted values', async (t) => {
  const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
    [{ timeuot: 1 }, /Handler "order\.\*": unknown option "timeuot"; did you mean "timeout"\?/],
    [{ retries: 1 }, /unknown option "retries"; did you mean "retry"\?/],
    [{ somethingElse: 1 }, /unknown option "somethingElse"; known options: name, retry, timeout/],
    [{ constructor: 1 }, /unknown option "constructor"/],
    [{ retry: { attemps: 1 } }, /unknown option "retry\.attemps"; did you mean "attempts"\?/],
    [{ name: 'mine', concurrency: 0 }, /Handler "mine": option "concurrency" must be a whole number from 1; got 0/],
    [[], /options must be an object.*got an array/],
    [null, /options must be an object.*got null/],
    ['name', /options must be an object.*got the string "name"/],
    [new Map(), /options must be an object/]
  ]
  for (const [options, message] of wrong) {
    t.throws(
      () => {
        onAnything(new Registry(), 'order.*', options, run)
      },
      { code: 'RIVERHOOK_OPTIONS_INVALID', message }
    )
  }
  const values: Readonly<Record<string, readonly unknown[]>> = {
    name: ['', ' x', 'x ', 'a\nb', 'x'.repeat(201), 5, null],
    timeout: [0, -1, '2', NaN, Infinity, 2 ** 31, null, true, {}],
    concurrency: [0, -1, '2', NaN, Infinity, 1.5, null],
    orderBy: ['id', 1, null, {}],
    onFailure: ['stop', '', true, null],
    retry: [3, null, [], 'never'],
    'retry.attempts': [0, -1, '2', NaN, Infinity, 1.5, null],
    'retry.base': [0, -1, '2', NaN, Infinity, null],
    'retry.factor': [0, 0.5, -1, '2', NaN, Infinity, null],
    'retry.cap': [0, -1, '2', NaN, Infinity, null]
  }
  for (const [option, given] of Object.entries(values)) {
    const [outer, inner] = option.split('.') as [string, string?]
    for (const value of given) {
      const options = { [outer]: inner === undefined ? value : { [inner]: value } }
      t.throws(
        () => {
          onAnything(new Registry(), 'order.*', options, run)
        },
        {
          code: 'RIVERHOOK_OPTIONS_INVALID',
          message: new RegExp(`"${option.replace('.', '\\.')}" must be`)
        },
        `${option}: ${String(value)}`
      )
    }
  }
})

t.test('an invalid pattern, or a value that is not a function, is refused', async (t) => {
  t.throws(
    () => {
      onAnything(new Registry(), 'order.', run, {})
    },
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /last argument/ }
  )
  t.throws(
    () => {
      onAnything(new Registry(), 'order.accepted')
    },
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /got undefined/ }
  )
  t.throws(
    () => {
      onAnything(new Registry(), 'or*der', run)
    },
    { code: 'RIVERHOOK_HANDLERS_PATTERN' }
  )
  t.throws(
    () => {
      onAnything(new Registry(), undefined, run)
    },
    { code: 'RIVERHOOK_HANDLERS_PATTERN' }
  )
  t.throws(() => defineHandler('order accepted' as string, run), { code: 'RIVERHOOK_HANDLERS_PATTERN' })
  t.throws(() => defineHandler('*', { timeout: 0 }, run), { code: 'RIVERHOOK_OPTIONS_INVALID' })
})

t.test('any options are either accepted or refused with a named error', async (t) => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withMap: true, withDate: true }), (options) => {
      try {
        onAnything(new Registry(), '*', options, run)
        return true
      } catch (error) {
        return (error as { code?: string }).code === 'RIVERHOOK_OPTIONS_INVALID'
      }
    })
  )
  t.end()
})

t.test('an order key is a string or a number; undefined means no order; any other value is an error', async (t) => {
  const registry = new Registry()
  registry.on('*', { orderBy: (event) => (event as Event).data.object['key'] }, run)
  const keyOf = (key: unknown) =>
    registry.get('*')!.orderBy!({
      id: 'e1',
      type: 'x',
      data: { object: { key } },
      liveMode: false,
      createdTime: '2026-01-01T00:00:00Z'
    } as Event)
  t.equal(keyOf('o1'), 'o1')
  t.equal(keyOf(17), '17')
  for (const none of [undefined, null, '']) t.equal(keyOf(none), undefined)
  for (const wrong of [{}, [], NaN, true, Promise.resolve('x')]) {
    t.throws(() => keyOf(wrong), { message: /Handler "\*": orderBy must return a string, a number or undefined/ })
  }
})

t.test('the cache of event types is bounded, because types are external data', async (t) => {
  const registry = new Registry()
  registry.on('order.*', run)
  t.equal(registry.for('order.accepted'), registry.for('order.accepted'), 'one list for all look-ups')
  const long = `order.${'x'.repeat(10_000)}`
  t.not(registry.for(long), registry.for(long), 'a very long type is not cached')
  const first = registry.for('order.accepted')
  for (let index = 0; index < 1_000; index += 1) registry.for(`order.${index}`)
  t.not(registry.for('order.accepted'), first, 'many types clear the cache')
})

// Risk: an event of one provider, passed to the handler of another that has a type of the same name.
t.test('handlers belong to a source: types may be equal, names must differ', async (t) => {
  const registry = new Registry('shop')
  const payments = { name: 'payments' } as Source
  registry.on('order.created', run)
  registry.from(payments).on('order.created', { name: 'book' }, run)
  registry.from(payments).on('*', run)
  registry.on(defineHandler(payments, 'order.*', { name: 'defined' }, run))
  registry.on(defineHandler(eventType('order.created'), { name: 'default' }, run))
  const names = (source: string) =>
    registry
      .of(source)
      .for('order.created')
      .map(({ name }) => name)
  t.same(names('shop'), ['order.created', 'default'])
  t.same(names('payments'), ['book', '*', 'defined'])
  t.same(names('others'), [])
  t.same(registry.for('order.created'), registry.of('shop').for('order.created'))
  t.same(
    registry.all.map(({ name, source }) => [name, source]),
    [
      ['order.created', 'shop'],
      ['book', 'payments'],
      ['*', 'payments'],
      ['defined', 'payments'],
      ['default', 'shop']
    ]
  )
  t.throws(
    () => {
      registry.from(payments).on('order.created', run)
    },
    { code: 'RIVERHOOK_HANDLERS_NAME_CLASH' }
  )
  for (const source of [undefined, null, 'payments', {}, { name: '' }]) {
    t.throws(() => registry.from(source as unknown as Source), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  }
  t.throws(() => (defineHandler as (...given: unknown[]) => unknown)({}, 'order.*', run), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /A source must be an object with a "name"/
  })
})
