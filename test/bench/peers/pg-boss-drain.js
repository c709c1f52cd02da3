// Drains jobs with pg-boss: [database, jobs, milliseconds of work]. Batches, and no pause while a batch is full.
import { setTimeout as delay } from 'node:timers/promises'

import { PgBoss } from 'pg-boss'

const [connectionString, count, workMs] = process.argv.slice(2)
const jobs = Number(count)
const boss = new PgBoss({ connectionString, supervise: false, schedule: false })
await boss.start()
await boss.createQueue('work')
for (let start = 0; start < jobs; start += 1000) {
  await boss.insert(
    'work',
    Array.from({ length: Math.min(1000, jobs - start) }, (_, index) => ({ data: { id: start + index } }))
  )
}
let done = 0
let startedAt
const ended = Promise.withResolvers()
await boss.work(
  'work',
  { batchSize: 64, burstWhenBatchFull: true, localConcurrency: 4, pollingIntervalSeconds: 0.5 },
  async (batch) => {
    startedAt ??= performance.now()
    if (Number(workMs) > 0) await Promise.all(batch.map(() => delay(Number(workMs))))
    done += batch.length
    if (done >= jobs) ended.resolve()
  }
)
await ended.promise
const endedAt = performance.now()
process.send({ perSecond: jobs / ((endedAt - startedAt) / 1000) })
await boss.stop({ graceful: false })
process.disconnect()
