import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../any-text.ts'
import { errorText, stackOf } from '../../src/error-text.ts'
import { visible } from '../../src/visible.ts'

t.test('name, code and message, and the causes behind them', async (t) => {
  t.equal(errorText(new TypeError('no')), 'TypeError: no')
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  t.equal(
    errorText(new TypeError('fetch failed', { cause: refused })),
    'TypeError: fetch failed; caused by Error [ECONNREFUSED]: connect ECONNREFUSED'
  )
  const ring = new Error('ring')
  ring.cause = ring
  t.equal(errorText(ring), 'Error: ring; caused by Error: ring; caused by Error: ring; caused by Error: ring')
})

t.test('whatever is thrown, the text can be stored, and objects keep their content to themselves', async (t) => {
  t.equal(errorText({ card: '4111' }), 'A value that is no Error was thrown: an object')
  t.equal(errorText('text'), 'A value that is no Error was thrown: "text"')
  fc.assert(
    fc.property(fc.oneof(fc.anything(), anyText({ maxLength: 5_000 }).map((text) => new Error(text))), (thrown) => {
      const text = errorText(thrown)
      return text.length <= 2_000 && text.isWellFormed() && text === visible(text)
    })
  )
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.equal(errorText(proxy), 'Something was thrown that cannot be described')
  t.equal(stackOf(proxy), undefined)
  t.equal(errorText(new Error('x'.repeat(5_000))).length, 2_000)
})

t.test('the stack for the log says where, and nothing of the message', async (t) => {
  const stack = stackOf(new Error('4111 1111\n    but not a place'))
  t.match(stack, /error-text\.test/)
  t.notMatch(stack, /4111|not a place/)
})
