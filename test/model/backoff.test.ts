import t from 'tap'

import { backoffMs } from '../../src/model/backoff.ts'

// Risk: attempts without a pause, because after days of failures the pause is not a number.
t.test('the pause doubles up to the longest, after any number of failures', async (t) => {
  t.same(
    [1, 2, 3, 4, 5].map((failures) => backoffMs(failures, 100, 1_000)),
    [100, 200, 400, 800, 1_000]
  )
  t.equal(backoffMs(1_000_000, 100, 5_000), 5_000)
  t.equal(backoffMs(3, 10, 1_000, 3), 90)
})
