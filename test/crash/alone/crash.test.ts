import t from 'tap'

import { makeFolder } from '../../folder.ts'
import { crash } from '../crash.ts'
import { seeded } from '../seeded.ts'

// Risk: the loss of an event that was acknowledged. For a longer run: npm run test:crash -- --kills 200
t.test('twenty kills at random moments lose nothing and repeat nothing that was done', async (t) => {
  const seed = Date.now() % 1_000_000
  const report = await crash({ folder: makeFolder(t), kills: 20, random: seeded(seed) })
  t.comment(`seed ${seed}`, report)
  t.ok(report.acknowledged > 50, 'there was load')
  t.same(report.lost, [])
  t.same(report.ranAgain, [])
  t.same(report.outOfOrder, [])
  t.same(report.miscounts, [])
  t.equal(report.integrity, 'ok')
  t.equal(report.exitCode, 0)
})
