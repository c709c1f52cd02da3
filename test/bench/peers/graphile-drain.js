// Drains jobs with graphile-worker: [database, jobs, milliseconds of work, 'local' for its local queue].
import { setTimeout as delay } from 'node:timers/promises'

import { makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'

const [connectionString, count, workMs, mode] = process.argv.slice(2)
const jobs = Number(count)
const utils = await makeWorkerUtils({ connectionString })
await utils.migrate()
await utils.release()
const pool = new pg.Pool({ connectionString, max: 12 })
await pool.query(
  "SELECT graphile_worker.add_jobs(array(SELECT json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'work', 'payload', json_build_object('id', n))) FROM generate_series(1, $1::int) AS n))",
  [jobs]
)
let done = 0
let startedAt
const ended = Promise.withResolvers()
const quiet = () => undefined
const { Logger } = await import('graphile-worker')
const runner = await run({
  pgPool: pool,
  noHandleSignals: true,
  logger: new Logger(() => quiet),
  preset: { worker: { concurrentJobs: 64, ...(mode === 'local' ? { localQueue: { size: 500 } } : {}) } },
  taskList: {
    work: async () => {
      startedAt ??= performance.now()
      if (Number(workMs) > 0) await delay(Number(workMs))
      done += 1
      if (done === jobs) ended.resolve()
    }
  }
})
await ended.promise
// Handled is not done: the last ones have to be off the table.
for (;;) {
  const { rows } = await pool.query('SELECT count(*)::int AS left FROM graphile_worker._private_jobs')
  if (rows[0].left === 0) break
  await delay(1)
}
process.send({ perSecond: jobs / ((performance.now() - startedAt) / 1000) })
await runner.stop()
await pool.end()
process.disconnect()
