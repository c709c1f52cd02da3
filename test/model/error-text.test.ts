import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../any-text.ts'
import { errorText, stackOf } from '../../src/model/error-text.ts'
import { visible } from '../../src/model/visible.ts'

t.test('an error is shown as name, code and message, followed by its causes', async (t) => {
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

t.test('the errors of an AggregateError are included, and so is a cause that is not an Error', async (t) => {
  const refused = (at: string) => Object.assign(new Error(`connect ECONNREFUSED ${at}`), { code: 'ECONNREFUSED' })
  const both = Object.assign(new AggregateError([refused('127.0.0.1:1'), refused('::1:1')]), { code: 'ECONNREFUSED' })
  const expected =
    'AggregateError [ECONNREFUSED] (1: Error [ECONNREFUSED]: connect ECONNREFUSED 127.0.0.1:1; 2: Error [ECONNREFUSED]: connect ECONNREFUSED ::1:1)'
  t.equal(errorText(both), expected)
  t.equal(errorText(new TypeError('fetch failed', { cause: both })), `TypeError: fetch failed; caused by ${expected}`)
  t.equal(
    errorText(new Error('not booked', { cause: 'the period is closed' })),
    'Error: not booked; caused by "the period is closed"'
  )
  t.equal(errorText(new Error('not booked', { cause: { card: '4111' } })), 'Error: not booked; caused by an object')
  t.equal(errorText(new Error('not booked', { cause: 0 })), 'Error: not booked; caused by 0')
  class Failures extends AggregateError {
    override readonly name = 'Failures'
  }
  t.equal(
    errorText(new Failures([new Error('a'), 'b', { card: '4111' }], 'some')),
    'Failures: some (1: Error: a; 2: "b"; 3: an object)'
  )
  t.equal(
    errorText(
      Object.assign(new Error(''), {
        name: 'SuppressedError',
        error: new Error('close'),
        suppressed: new Error('work')
      })
    ),
    'SuppressedError (1: Error: close; 2: Error: work)'
  )
  t.equal(
    errorText(Object.assign(new Error('invalid'), { errors: [{ message: 'card 4111' }] })),
    'Error: invalid',
    'the list of any other error may hold a payload'
  )
})

t.test('wide, deep and circular lists are cut, so that the work is bounded', async (t) => {
  let read = 0
  const counted = (): Error =>
    Object.defineProperty(new Error(), 'message', {
      get: () => {
        read += 1
        return 'x'
      }
    })
  t.match(
    errorText(new AggregateError(Array.from({ length: 100_000 }, counted), 'many')),
    /5: Error: x; and 99995 more\)$/
  )
  t.ok(read < 50, `${read} messages were read`)
  const nested = (depth: number): Error =>
    new AggregateError(depth === 0 ? [counted()] : Array.from({ length: 5 }, () => nested(depth - 1)), 'nested')
  read = 0
  errorText(nested(5))
  t.ok(read < 50, `${read} messages were read`)
  const ring = new AggregateError([], 'ring')
  ring.errors.push(ring, ring)
  ring.cause = ring
  t.ok(errorText(ring).length <= 2_000)
})

t.test('any thrown value gives a text that can be stored, without the content of objects', async (t) => {
  t.equal(errorText({ card: '4111' }), 'A value that is no Error was thrown: an object')
  t.equal(errorText('text'), 'A value that is no Error was thrown: "text"')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        anyText({ maxLength: 5_000 }).map((text) => new Error(text))
      ),
      (thrown) => {
        const text = errorText(thrown)
        return text.length <= 2_000 && text.isWellFormed() && text === visible(text)
      }
    )
  )
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.equal(errorText(proxy), 'Something was thrown that cannot be described')
  t.equal(stackOf(proxy), undefined)
  t.equal(errorText(new Error('x'.repeat(5_000))).length, 2_000)
})

t.test('the stack for the log has the place and no part of the message', async (t) => {
  const stack = stackOf(new Error('4111 1111\n    but not a place'))
  t.match(stack, /error-text\.test/)
  t.notMatch(stack, /4111|not a place/)
})
