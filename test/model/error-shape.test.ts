import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../any-text.ts'
import { errorShape } from '../../src/model/error-shape.ts'
import { visible } from '../../src/model/visible.ts'

t.test('the parts that differ by event are taken out of an error', (t) => {
  const shapes: Readonly<Record<string, string>> = {
    'Error: no customer 4711 for evt_1NXWPnLk2J9': 'Error: no customer # for evt_#',
    'Error: order 019a3f5e-7c1b-7d2a-9b1f-0123456789ab is unknown': 'Error: order # is unknown',
    'Error: mail to jörg.m@shop.example. failed at 10:31:02.5': 'Error: mail to <email>. failed at #',
    'SyntaxError: Unexpected token \'<\', "<html>12" is not valid JSON':
      'SyntaxError: Unexpected token <text>, <text> is not valid JSON',
    "TypeError: can't read the order's name": "TypeError: can't read the order's name",
    'Error: erp answered 503': 'Error: erp answered 503',
    'Error: HTTP 404 for item 200': 'Error: HTTP 404 for item #',
    'Error [ECONNREFUSED]: connect ECONNREFUSED 127.0.0.1:5432': 'Error [ECONNREFUSED]: connect ECONNREFUSED #',
    'Error [ERR_HTTP2_ERROR]: hash deadbeefcafe': 'Error [ERR_HTTP#_ERROR]: hash #',
    'Error: not closed "by a cut': 'Error: not closed <text>'
  }
  for (const [error, shape] of Object.entries(shapes)) t.equal(errorShape(error), shape)
  t.end()
})

// Risk: ten thousand failures of one cause are shown as ten thousand groups, or two causes as one.
t.test('errors that differ only in ids, numbers, addresses and quoted texts have one shape', (t) => {
  const kinds = [
    fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
    fc.constant(0).map(() => randomUUID()),
    fc.stringMatching(/^[0-9a-f]{16,40}$/),
    fc.stringMatching(/^ord_[A-Za-z]{3}[0-9][A-Za-z0-9]{8,20}$/),
    fc.stringMatching(/^[a-z]{1,9}\.[a-z0-9]{1,9}@[a-z]{1,9}\.(com|example)$/),
    anyText().map((text) => JSON.stringify(text.slice(0, 20).replaceAll(/["\\]/g, '')))
  ] as const
  const words = fc.stringMatching(/^[a-z]{1,7}( [a-z]{1,7}){0,3}$/)
  const pair = fc
    .tuple(words, words, fc.constantFrom(...kinds))
    .chain(([before, after, kind]) =>
      fc.tuple(kind, kind).map((ids) => ids.map((id) => `Error: ${before} ${id} ${after}`))
    )
  fc.assert(fc.property(pair, ([one = '', other = '']) => errorShape(one) === errorShape(other)))
  fc.assert(fc.property(words, words, (one, other) => one === other || errorShape(one) !== errorShape(other)))
  t.pass()
  t.end()
})

t.test('any text has a short shape without control characters', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyText(),
        fc.string({ unit: fc.constantFrom('a', '1', '@', '.', '"', "'", '`', '-', ' ', '<'), maxLength: 3_000 })
      ),
      (text) => {
        const shape = errorShape(text)
        return shape.length <= 200 && shape.isWellFormed() && visible(shape) === shape
      }
    )
  )
  t.end()
})
