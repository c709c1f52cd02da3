import t from 'tap'

import { ReadTurns } from '../../src/inbox/read-turns.ts'

// Risk: people who look at a dashboard take all connections or all memory, or wait without end.
t.test('reads take turns, and one that has no turn in time is refused', async (t) => {
  const turns = new ReadTurns(2, 1)
  const first = Promise.withResolvers<string>()
  const second = Promise.withResolvers<string>()
  const running = [turns.run(() => first.promise), turns.run(() => second.promise)]
  await t.rejects(
    turns.run(() => Promise.resolve('third')),
    { code: 'RIVERHOOK_INBOX_READS_BUSY', message: /no turn within 1 ms/ }
  )
  first.resolve('first')
  t.equal(await running[0], 'first')
  t.equal(await turns.run(() => Promise.resolve('fourth')), 'fourth', 'a turn that ended is free')
  let ended = false
  const end = turns.end().then(() => {
    ended = true
  })
  await turns.run(() => Promise.resolve('fifth'))
  t.equal(ended, false, 'the end waits for the reads that run')
  second.reject(new Error('broken'))
  await t.rejects(Promise.all(running), { message: 'broken' })
  await end
})
