import t from 'tap'

import { Deadlines } from '../../../src/model/deadlines.ts'
import { monotonicNow } from '../../../src/model/timers.ts'

// Risk: a sender that waits for an answer that never comes, or is refused before its time.

interface Entry {
  readonly name: string
  readonly dueAt: number
}

/** The timers that keep this process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
}

t.test('each entry ends at its deadline and not before, whenever it was added, and only once', async (t) => {
  const start = monotonicNow()
  const ended: string[] = []
  const early: string[] = []
  const all = Promise.withResolvers<undefined>()
  const deadlines = new Deadlines<Entry>(({ name, dueAt }) => {
    ended.push(name)
    if (monotonicNow() < dueAt) early.push(name)
    if (ended.length === 4) all.resolve(undefined)
  })
  deadlines.add({ name: 'last', dueAt: start + 40.5 })
  deadlines.add({ name: 'second', dueAt: start + 20 })
  deadlines.add({ name: 'first', dueAt: start + 1 })
  deadlines.add({ name: 'past', dueAt: start - 1 })
  t.equal(deadlines.size, 4)
  await all.promise
  t.equal(deadlines.size, 0)
  t.same(early, [])
  t.same(ended.toSorted(), ['first', 'last', 'past', 'second'])
})

t.test('an entry that no longer waits is not ended, and the next one is', async (t) => {
  const ended: string[] = []
  const done = Promise.withResolvers<undefined>()
  const deadlines = new Deadlines<Entry>(({ name }) => {
    ended.push(name)
    done.resolve(undefined)
  })
  const first = { name: 'first', dueAt: monotonicNow() + 5 }
  deadlines.add(first)
  deadlines.add({ name: 'second', dueAt: monotonicNow() + 15 })
  deadlines.delete(first)
  deadlines.delete(first)
  await done.promise
  t.same(ended, ['second'])
})

t.test('an entry added by the end of another one is ended, too', async (t) => {
  const done = Promise.withResolvers<undefined>()
  const deadlines = new Deadlines<Entry>(({ name }) => {
    if (name === 'second') done.resolve(undefined)
    else deadlines.add({ name: 'second', dueAt: monotonicNow() + 1 })
  })
  deadlines.add({ name: 'first', dueAt: monotonicNow() + 1 })
  await done.promise
  t.equal(deadlines.size, 0)
})

t.test('a thousand entries have one timer, and no entry has none', async (t) => {
  const before = timers()
  const deadlines = new Deadlines<Entry>(() => {
    t.fail('nothing is due')
  })
  const entries = Array.from({ length: 1_000 }, (_, index) => ({
    name: String(index),
    dueAt: monotonicNow() + 60_000 - index
  }))
  for (const entry of entries) deadlines.add(entry)
  t.equal(timers(), before + 1)
  for (const entry of entries) deadlines.delete(entry)
  t.equal(timers(), before, 'so that the process can end')
  const again = { name: 'again', dueAt: monotonicNow() + 60_000 }
  deadlines.add(again)
  t.equal(timers(), before + 1, 'the timer that is left serves the next entry')
  deadlines.delete(again)
  t.equal(timers(), before)
})
