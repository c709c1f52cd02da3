import fc from 'fast-check'
import t from 'tap'

import { checkPattern, matches } from '../../src/model/pattern.ts'

t.test('a prefix covers the types below it, a type only itself, * every type', async (t) => {
  t.ok(matches('order.*', 'order.accepted'))
  t.ok(matches('order.*', 'order.charge.refund.complete'))
  t.notOk(matches('order.*', 'order'))
  t.notOk(matches('order.*', 'order.'), 'nothing lies below it')
  t.notOk(matches('order.*', 'orders.accepted'))
  t.ok(matches('order.accepted', 'order.accepted'))
  t.notOk(matches('order.accepted', 'order.accepted.again'))
  t.ok(matches('*', ''))
  t.ok(matches('order/*', 'order/accepted'))
  t.notOk(matches('order/*', 'order.accepted'))
  t.ok(matches('order:*', 'order:accepted'))
  t.notOk(matches('order:*', 'order:'))
})

t.test('every event type without white space and star is a pattern that covers itself', async (t) => {
  const types = fc.string({ minLength: 1 }).filter((type) => !/[\s*]/u.test(type))
  fc.assert(
    fc.property(types, (type) => {
      checkPattern(type)
      return matches(type, type) && matches('*', type) && matches(`${type}.*`, `${type}.x`)
    })
  )
  t.end()
})

t.test('any other pattern is refused when it is registered', async (t) => {
  for (const wrong of [
    '',
    '**',
    '*.accepted',
    'or*er',
    'order.*.x',
    '.*',
    '/*',
    'order*',
    'order-*',
    ' order',
    'order accepted',
    5,
    null,
    undefined,
    {}
  ]) {
    t.throws(
      () => {
        checkPattern(wrong)
      },
      { code: 'RIVERHOOK_HANDLERS_PATTERN' },
      String(wrong)
    )
  }
})
