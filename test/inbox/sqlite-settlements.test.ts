import t from 'tap'

import type { Settlement } from '../../src/inbox/inbox.ts'
import { packSettlements, unpackSettlements } from '../../src/inbox/sqlite/protocol.ts'

// Risk: an outcome that is stored for another delivery, because outcomes are sent to the thread in two lists.

const startedAt = new Date(1_767_225_600_123)
const endedAt = new Date(1_767_225_600_456)

function settlement(id: number, outcome: Settlement['outcome']): Settlement {
  return { id, token: id % 7, outcome, startedAt, endedAt }
}

t.test('outcomes keep their order, whatever they are', (t) => {
  const dueAt = new Date(1_767_225_700_000)
  const given = [
    settlement(1, { state: 'done' }),
    settlement(2, { state: 'retry', dueAt, releaseKey: false, error: 'x' }),
    settlement(2 ** 53 - 1, { state: 'done' }),
    settlement(0, { state: 'done' }),
    settlement(4, { state: 'released' }),
    settlement(1, { state: 'dead', error: 'y' }),
    settlement(1, { state: 'done' })
  ]
  const packed = structuredClone(packSettlements(given))
  t.same(unpackSettlements(packed), given)
  t.equal(packed.others.length, 4)
  t.same(unpackSettlements(packSettlements([])), [])
  t.end()
})
