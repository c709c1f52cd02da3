import t from 'tap'

import type { InboxLevels } from '../../src/inbox/inbox.ts'
import { Levels } from '../../src/observe/metrics/levels.ts'

const levels = (quarantined: number): InboxLevels => ({
  byHandler: [],
  oldestDueAt: undefined,
  quarantined,
  oldestEventAt: undefined,
  sizeBytes: 1
})

// Risk: scrapes that load a slow database, or hang with it, just when they are needed.
t.test('scrapes share one read in five seconds', async (t) => {
  let now = 0
  let reads = 0
  const read = async () => levels((reads += 1))
  const subject = new Levels({
    read,
    canRecord: async () => true,
    log: { debug: () => undefined } as never,
    clock: () => now
  })
  t.equal(subject.isUp, false)
  await Promise.all(Array.from({ length: 50 }, () => subject.refresh()))
  now = 4_999
  await subject.refresh()
  t.match(subject, { last: { quarantined: 1 }, isUp: true })
  now = 5_000
  await subject.refresh()
  t.match(subject, { last: { quarantined: 2 }, isUp: true })
})

t.test('a slow, failing or unwritable inbox keeps the last values, and is not up', async (t) => {
  let now = 0
  const hung = Promise.withResolvers<InboxLevels>()
  let read: () => Promise<InboxLevels> = async () => levels(1)
  let canRecord = true
  let reads = 0
  const subject = new Levels({
    read: () => {
      reads += 1
      return read()
    },
    canRecord: async () => canRecord,
    log: { debug: () => undefined } as never,
    clock: () => now,
    limitMs: 5
  })
  await subject.refresh()
  t.match(subject, { last: { quarantined: 1 }, isUp: true })
  read = () => hung.promise
  for (now of [10_000, 20_000, 30_000]) {
    await subject.refresh()
    t.match(subject, { last: { quarantined: 1 }, isUp: false })
  }
  t.equal(reads, 2, 'none is started while one hangs')
  hung.resolve(levels(2))
  await hung.promise
  await subject.refresh()
  t.match(subject, { last: { quarantined: 2 }, isUp: false }, 'it was too slow')
  read = () => {
    throw new Error('thrown, not rejected')
  }
  now = 40_000
  await subject.refresh()
  t.match(subject, { last: { quarantined: 2 }, isUp: false })
  read = async () => levels(3)
  canRecord = false
  now = 50_000
  await subject.refresh()
  t.match(subject, { last: { quarantined: 3 }, isUp: false })
})
