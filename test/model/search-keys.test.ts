import fc from 'fast-check'
import t from 'tap'

import { isFound, readKeySearch, toResource, toSearchKeys } from '../../src/model/search-keys.ts'
import { valuesAt } from '../../src/model/values-at.ts'
import { binaryText } from '../binary-text.ts'

// Risk: an event is refused, or a receiver stalls, because of an odd id in a payload.

t.test('search keys are few, short and storable, whatever the values are', (t) => {
  t.same(toSearchKeys(['A-1', ' a-1 ', 12, 1.5, null, undefined, true, {}, [], '', ' ', 'a\nb', '\ud800', 2 ** 60]), [
    'a-1',
    '12'
  ])
  t.same(toSearchKeys(['x'.repeat(201), 'x'.repeat(200)]), ['x'.repeat(200)])
  t.same(toSearchKeys(['İ'.repeat(200)]), [], 'lower case has more characters')
  t.equal(toSearchKeys(Array.from({ length: 99 }, (_, index) => index)).length, 12)
  const value = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true })
  fc.assert(
    fc.property(fc.array(fc.oneof(value, binaryText())), (values) => {
      const keys = toSearchKeys(values)
      return (
        keys.length <= 12 &&
        keys.every((key) => key.isWellFormed() && key.length >= 1 && key.length <= 200 && !/\p{Cc}/u.test(key)) &&
        keys.every((key) => key.endsWith('*') || isFound(readKeySearch(key)!, [key]))
      )
    })
  )
  t.end()
})

t.test('a prefix is at least three characters, and its end is the next text in the order of code points', (t) => {
  t.same(readKeySearch('ORD-1*'), { from: 'ord-1', end: 'ord-2' })
  t.same(readKeySearch('ab\ud7ff*'), { from: 'ab\ud7ff', end: 'ab\ue000' })
  t.same(readKeySearch('ab\u{10ffff}*'), { from: 'ab\u{10ffff}', end: 'ac' })
  const last = '\u{10ffff}'.repeat(3)
  t.same(readKeySearch(`${last}*`), { from: last, end: '\u{10ffff}'.repeat(201) }, 'no key has more than 200')
  for (const text of ['', '*', 'ab*', ' ab *', 'a\0b', 'a\0bc*', 'x'.repeat(201)])
    t.equal(readKeySearch(text), undefined)
  t.end()
})

t.test('values are found through lists and expanded objects, in the order of the paths', (t) => {
  const find = valuesAt(['data.id', 'data.customer', 'data.lines.sku', 'data.customer.email', 'data.tags'])
  const data = {
    id: 7,
    customer: { id: 'cus_1', email: 'a@b.example' },
    lines: [{ sku: 's1' }, { sku: ['s2', 's3'] }, null, 'x', { other: 1 }],
    tags: ['t1', ['t2'], { id: 't3' }]
  }
  t.same(find({ data }), [7, 'cus_1', 'a@b.example', 's1', 's2', 's3', 't1', 't3'])
  t.same(find({ data: { id: { id: { id: 1 } }, customer: true } }), [])
  t.same(valuesAt(['constructor.name', '__proto__.x', 'toString'])({}), [], 'own fields alone')
  t.same(valuesAt([])({ id: 1 }), [])
  t.end()
})

t.test('the work is bounded for hostile payloads, and nothing throws', (t) => {
  let deep: unknown = 'x'
  for (let level = 0; level < 100_000; level += 1) deep = level % 2 === 0 ? [deep] : { id: deep }
  const many = Array.from({ length: 1_000_000 }, () => ({ a: 'x' }))
  const wide = (levels: number): unknown =>
    levels === 0 ? 'x' : Array.from({ length: 50 }, () => ({ a: wide(levels - 1) }))
  const find = valuesAt(['id', 'a', 'a.a', 'a.a.a.a', 'id.id.id'])
  for (const event of [deep, { id: deep, a: deep }, many, { a: many, id: many }, wide(3), null, undefined, 5, 'x'])
    t.ok(find(event).length <= 1_000)
  fc.assert(
    fc.property(fc.anything({ key: fc.constantFrom('id', 'a', 'b', '__proto__') }), (event) => {
      return toSearchKeys(find(event)).length <= 12
    })
  )
  t.end()
})

t.test('the resource is the first key as it was written, and never an e-mail address', async (t) => {
  t.equal(toResource([undefined, '', ' in_1MtH ', 'cus_9']), 'in_1MtH')
  t.equal(toResource([4711]), '4711')
  t.equal(toResource(['buyer@x.example', 'a\nb', 'ord-1']), 'ord-1')
  t.equal(toResource(['buyer@x.example', {}]), undefined)
})
