import t from 'tap'

import { packTrace, parseTrace, readTrace } from '../../src/model/trace.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

// Risk: a header from outside that breaks the link between an event and its attempts.
t.test('a context survives its stored form, and an invalid header is none', (t) => {
  const plain = { traceId, spanId, flags: 1, state: undefined }
  const stateful = { ...plain, state: 'shop=1,other=a b' }
  t.equal(packTrace(plain), `00-${traceId}-${spanId}-01`)
  for (const context of [plain, stateful]) t.same(readTrace(packTrace(context)), context)
  t.same(readTrace(packTrace({ ...plain, state: 'a'.repeat(513) })), plain, 'a state that is too long is left out')
  t.equal(readTrace(undefined), undefined)
  t.same(parseTrace(`cc-${traceId}-${spanId}-01-more`), plain, 'a later version')
  for (const wrong of [
    '',
    'nonsense',
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\n`
  ])
    t.equal(parseTrace(wrong), undefined, wrong)
  t.end()
})
