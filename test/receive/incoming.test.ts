import t from 'tap'

import { BodyBudget } from '../../src/receive/budget.ts'
import { Incoming } from '../../src/receive/incoming.ts'

// Risk: all endpoints answer 503 once bodies that are read after their answer fill the budget.
t.test('a request that has been answered uses no budget, even while its body is still read', (t) => {
  const budget = new BodyBudget(100)
  const incoming = new Incoming(budget, 0)
  incoming.hold()
  t.ok(incoming.take(60))
  incoming.unhold()
  t.equal(budget.used, 0)
  t.notOk(incoming.take(60))
  t.equal(budget.used, 0)
  t.end()
})
