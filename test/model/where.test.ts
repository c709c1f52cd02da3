import fc from 'fast-check'
import t from 'tap'

import { compareDecimals } from '../../src/model/decimal.ts'
import { holdAll, readCondition } from '../../src/model/where.ts'

// Risk: an amount is compared by fewer digits than it has, or a condition is read as another one, and the list is wrong
// silently.

const holds = (body: string, ...conditions: string[]): boolean =>
  holdAll(
    conditions.map((text) => readCondition(text)!),
    Buffer.from(body)
  )

t.test('a condition holds for the values at its path', async (t) => {
  const body = `{ "id": "e1", "n": 100, "big": 90071992547409931, "text": "10.50", "when": "2026-11-02T10:00:00Z", "no": null,
    "yes": true, "empty": "", "list": [{ "sku": "A-1" }, { "sku": "B-2", "n": 7 }], "mail": "Buyer@X.example", "of": { "a": { "b": 1e2 } },
    "a=b": 1, "sum": 0.12345678901234567890123 }`
  const expected: Readonly<Record<string, boolean>> = {
    'id=e1': true,
    'id = e1': true,
    'id!=e1': false,
    'id=E1': false,
    'id~E': true,
    'n=100': true,
    'n=100.0': true,
    'n=1e2': true,
    'of.a.b=100': true,
    'n>99.99': true,
    'n>100': false,
    'n>=100': true,
    'n<=100': true,
    'n<100': false,
    'n>9': true,
    'n>abc': false,
    'big=90071992547409931': true,
    'big~9931': true,
    'big.rawJSON exists': false,
    'big=90071992547409930': false,
    'big>90071992547409930': true,
    'sum>0.12345678901234567890122': true,
    'sum>0.12345678901234567890123': false,
    'text>9': true,
    'text=10.5': false,
    'text=10.50': true,
    'when>2026-11-01': true,
    'when<2026-11-01': false,
    'no=null': true,
    'no exists': true,
    'yes=true': true,
    'empty=': true,
    'empty!=': false,
    'nothing exists': false,
    'nothing=': false,
    'nothing!=x': false,
    'list.sku=B-2': true,
    'list.sku!=B-2': false,
    'list.sku!=C': true,
    'list.n exists': true,
    'list exists': true,
    'of exists': true,
    'of=x': false,
    'mail~buyer@x': true,
    'toString exists': false,
    'of.constructor exists': false,
    'id.length>0': false
  }
  for (const [condition, result] of Object.entries(expected)) t.equal(holds(body, condition), result, condition)
  t.equal(holds(body, 'n=100', 'id=e1'), true)
  t.equal(holds(body, 'n=100', 'id=e2'), false)
  for (const other of ['', 'not JSON', '[1', '"text"', '7', 'null']) t.equal(holds(other, 'n exists'), false, other)
  t.equal(holds('\ufeff{"n":1}', 'n=1'), true, 'with a byte order mark')
  t.equal(holds(`{"n":1234567890123456789,"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'n>1'), true)
})

t.test('a text that is no condition is refused', async (t) => {
  for (const text of [
    '',
    'data',
    'data.object.total',
    '=5',
    '>5',
    'a..b=1',
    '.a=1',
    'a.=1',
    'a b=1',
    'a>',
    'a~',
    'a exists b',
    '__proto__.x=1',
    'a.__proto__ exists',
    `${'a.'.repeat(20)}a=1`,
    `a=${'x'.repeat(500)}`,
    'a=\0'
  ])
    t.equal(readCondition(text), undefined, text)
  t.same(readCondition('a.b>=x=y'), { path: ['a', 'b'], operator: '>=', value: 'x=y' })
})

t.test('numbers are compared by all their digits', async (t) => {
  const whole = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })
  const shift = fc.integer({ min: -40, max: 40 })
  fc.assert(
    fc.property(whole, whole, shift, (one, other, by) => {
      const sign = one === other ? 0 : one > other ? 1 : -1
      t.equal(Math.sign(compareDecimals(`${one}e${by}`, `${other}e${by}`)!), sign)
      t.equal(Math.sign(compareDecimals(`${one}.0`, String(other))!), sign)
      t.equal(compareDecimals(`${one}e5`, `${one}00000.00`), 0)
    }),
    { numRuns: 200 }
  )
  t.ok(compareDecimals('1e999999999999', '9e999999999998')! > 0)
  t.ok(compareDecimals('-1e999999999999', '0')! < 0)
  t.equal(compareDecimals('-0', '0.000e7'), 0)
  for (const text of ['', 'x', '1.', '.5', '+1', '0x1', '1e', ' 1', 'Infinity', '9'.repeat(500)])
    t.equal(compareDecimals(text, '1'), undefined, text)
})
