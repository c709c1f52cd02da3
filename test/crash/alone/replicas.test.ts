import t from 'tap'

import { makeFolder } from '../../folder.ts'
import { startPostgres } from '../../inbox/postgres-server.ts'
import { crashReplicas } from '../replicas.ts'
import { seeded } from '../seeded.ts'

const postgres = await startPostgres()
t.teardown(() => postgres.stop())

// Risk: a booking that is made twice or never, because a machine died. For a longer run: npm run test:crash --
// --replicas
t.test('two replicas, either killed at random moments: every effect exactly once, in order', async (t) => {
  const seed = Date.now() % 1_000_000
  const report = await crashReplicas({
    folder: makeFolder(t),
    database: await postgres.createDatabase(t),
    kills: 20,
    random: seeded(seed)
  })
  t.comment(`seed ${seed}`, report)
  t.ok(report.acknowledged > 50, 'there was load')
  t.same(report.lost, [])
  t.same(report.twice, [])
  t.same(report.wrongSums, [])
  t.equal(report.doneWithout, 0)
  t.same(report.outOfOrder, [])
  t.same(report.miscounts, [])
  t.same(report.exitCodes, [0, 0])
})
