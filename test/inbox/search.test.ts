import t from 'tap'

import type { EventFilter } from '../../src/inbox/inbox.ts'
import { memoryInbox } from '../../src/index.ts'
import { Search, type Candidate } from '../../src/inbox/search.ts'
import { arrival } from './arrivals.ts'

// Risk: a search of a million events blocks the inbox, or ends early and looks as if it had found all.

const count = 2_345
const inbox = memoryInbox()
await inbox.open()
await inbox.record([arrival('x')])
const [summary] = (await inbox.events({ limit: 1 })).events
const candidates = Array.from({ length: count }, (_, index): Candidate => {
  const seq = count - index
  return { seq, size: 10, event: { ...summary!, id: String(seq), receivedAt: new Date(seq) } }
})

/** Searches as an engine does, on a clock that goes by `stepMs` with each part. */
function search(filter: EventFilter, stepMs: number) {
  let time = 0
  let parts = 0
  const search = new Search(filter, () => time)
  for (let given = search.next(); given !== undefined; given = search.next()) {
    const { after = Infinity, limit } = given
    const rest = candidates.filter(({ seq }) => seq < after)
    const page = rest.slice(0, limit)
    for (const part of search.parts({ candidates: page, next: rest.length > limit ? page.at(-1)?.seq : undefined })) {
      parts += 1
      time += stepMs
      search.check(part, new Map(part.map(({ seq }) => [seq, Buffer.from(`{"n":${seq % 1_000}}`)])))
    }
  }
  return { page: search.result(), parts }
}

t.test('a search ends after its time, says how far it looked, and the next page continues there', async (t) => {
  const found: string[] = []
  let last = Infinity
  let after: number | undefined
  do {
    const { page, parts } = search({ where: ['n=7'], limit: 10, after }, 400)
    found.push(...page.events.map(({ id }) => id))
    t.ok(parts <= 3)
    t.equal(page.searchedTo === undefined, page.next === undefined)
    if (page.searchedTo !== undefined) {
      t.equal(page.searchedTo.getTime(), page.next)
      t.ok(page.searchedTo.getTime() < last)
      last = page.searchedTo.getTime()
    }
    after = page.next
  } while (after !== undefined)
  t.same(found, ['2007', '1007', '7'])
})

t.test('each page looks at one part at least, however slow that is', async (t) => {
  const { page, parts } = search({ where: ['n=7'], limit: 10 }, 60_000)
  t.equal(parts, 1)
  t.match(page, { events: [], next: count - 49, searchedTo: new Date(count - 49) })
})

t.test('a full page does not say how far it looked, and is the last one if nothing else is found', async (t) => {
  t.match(search({ where: ['n=7'], limit: 2 }, 1).page, { next: 1007, searchedTo: undefined })
  t.match(search({ where: ['n=7'], limit: 3 }, 1).page, { next: undefined, searchedTo: undefined })
  t.equal(search({ where: ['n>=0'], limit: 50 }, 1).parts, 2, 'it stops when the page is full')
})

// Risk: a search through large bodies blocks the thread that answers the provider, which then sends the event again.

const large = (seq: number): Candidate => ({ seq, size: 400_000, event: { ...summary!, id: String(seq) } })
const largeBody = Buffer.from(JSON.stringify({ texts: Array.from({ length: 40_000 }, () => 'abcdefg') }))

t.test('the bodies of a part have at most a megabyte, unless it is a single one', async (t) => {
  const search = new Search({ where: ['n=7'], limit: 10 })
  const list = [large(6), large(5), large(4), { ...large(3), size: 3_000_000 }, large(2), large(1)]
  const parts = [...search.parts({ candidates: list, next: undefined })]
  t.same(
    parts.map((part) => part.map(({ seq }) => seq)),
    [[6, 5], [4], [3], [2, 1]]
  )
  const byError = new Search({ error: 'x', limit: 10 })
  t.equal([...byError.parts({ candidates: list, next: undefined })].length, 1, 'no body is read')
})

t.test('other work has its turn after each large body', async (t) => {
  const part = [6, 5, 4, 3, 2, 1].map(large)
  let turns = 0
  let isOver = false
  const count = (): void => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const search = new Search({ where: ['n=7'], limit: 10 })
  await search.checkInTurns(part, new Map(part.map(({ seq }) => [seq, largeBody])))
  isOver = true
  t.ok(turns >= part.length)
})

t.test('an event is recorded in memory while a search runs', async (t) => {
  const other = memoryInbox()
  await other.open()
  await other.record(Array.from({ length: 20 }, (_, index) => arrival(`e${index}`, [], { body: largeBody })))
  let isOver = false
  const search = other.events({ where: ['n=7'], limit: 10 }).then(() => {
    isOver = true
  })
  await new Promise(setImmediate)
  t.same(await other.record([arrival('new')]), ['accepted'])
  t.notOk(isOver)
  await search
})
