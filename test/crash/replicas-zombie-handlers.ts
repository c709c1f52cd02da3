// Loaded by both replicas in the test of a process that is suspended during its work and resumes later.
import { once } from 'node:events'

import { defineHandler } from 'riverhook'

const book = 'INSERT INTO effect (handler, event_id) VALUES ($1, $2)'

// Stops after the first attempt has begun, until the test resumes the process.
async function untilContinued(): Promise<void> {
  const keepAlive = setInterval(() => undefined, 60_000)
  await once(process, 'SIGCONT')
  clearInterval(keepAlive)
}

export default [
  // Suspended before its transaction.
  defineHandler('*', { name: 'before', timeout: 120_000 }, async ({ id }, { transaction, attempt, log }) => {
    log.info(`before: attempt ${attempt} has begun`)
    if (attempt === 1) await untilContinued()
    await transaction((tx) => tx.query(book, ['before', id]))
    log.info('before: booked')
  }),
  // Suspended in its transaction, after its writes.
  defineHandler('*', { name: 'within', timeout: 120_000 }, async ({ id }, { transaction, attempt, log }) => {
    await transaction(async (tx) => {
      await tx.query(book, ['within', id])
      log.info(`within: attempt ${attempt} has begun`)
      if (attempt === 1) await untilContinued()
    })
    log.info('within: booked')
  }),
  // Has no transaction: its late result is refused.
  defineHandler('*', { name: 'result', timeout: 120_000 }, async (_event, { attempt, log }) => {
    log.info(`result: attempt ${attempt} has begun`)
    if (attempt === 1) await untilContinued()
    log.info('result: booked')
  })
]
