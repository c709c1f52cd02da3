import { AsyncLocalStorage } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import fc from 'fast-check'
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

t.test('the entries that wait are those that were added and not deleted, in any order of calls', async () => {
  const calls = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9 })), { maxLength: 60 })
  fc.assert(
    fc.property(calls, (list) => {
      const deadlines = new Deadlines<Entry>(() => undefined)
      const entries = Array.from({ length: 10 }, (_, index) => ({ name: String(index), dueAt: monotonicNow() + 1e6 }))
      const waiting = new Set<Entry>()
      for (const [adds, index] of list) {
        const entry = entries[index] as Entry
        if (adds && !waiting.has(entry)) {
          waiting.add(entry)
          deadlines.add(entry)
        } else if (!adds) {
          waiting.delete(entry)
          deadlines.delete(entry)
        }
        if (deadlines.size !== waiting.size) return false
      }
      for (const entry of waiting) deadlines.delete(entry)
      return deadlines.size === 0
    })
  )
})

t.test('the end of an entry is not in the context of the request that set the timer', async (t) => {
  const context = new AsyncLocalStorage<string>()
  const seen = Promise.withResolvers<string | undefined>()
  const deadlines = new Deadlines<Entry>(() => {
    seen.resolve(context.getStore())
  })
  context.run('a request', () => {
    deadlines.add({ name: 'only', dueAt: monotonicNow() + 1 })
  })
  t.equal(await seen.promise, undefined)
})

// Risk: at thousands of requests a second, every body stays in memory until the next full collection, and collecting
// takes a third of the time.
t.test('an entry that was deleted is not kept until the next full collection', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (how?: { readonly type: 'minor' }) => void
  const deadlines = new Deadlines<Entry & { readonly body: ArrayBuffer }>(() => undefined)
  const churn = (count: number): void => {
    const waiting: (Entry & { readonly body: ArrayBuffer })[] = []
    for (let index = 0; index < count; index += 1) {
      const entry = { name: 'body', dueAt: monotonicNow() + 1e6, body: new ArrayBuffer(1_000) }
      waiting.push(entry)
      deadlines.add(entry)
      if (waiting.length > 64) deadlines.delete(waiting.shift() as (typeof waiting)[0])
      if (index % 500 === 499) collect({ type: 'minor' })
    }
    for (const entry of waiting) deadlines.delete(entry)
  }
  churn(1_000)
  collect()
  const before = process.memoryUsage().arrayBuffers
  churn(10_000)
  collect({ type: 'minor' })
  t.ok(process.memoryUsage().arrayBuffers - before < 2_000_000, 'a fifth of the bodies at most')
})
