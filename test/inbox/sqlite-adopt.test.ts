import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import t from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { migrate } from '../../src/inbox/sqlite/schema.ts'
import { prepareStatements } from '../../src/inbox/sqlite/statements.ts'
import { makeFolder } from '../folder.ts'
import { source } from '../event-keys.ts'
import { adoptAll } from './adopt-all.ts'
import { arrival } from './arrivals.ts'
import { claim, ids, settleAll } from './contract.ts'

// Risk: after a start, a backlog delays the recording of new events, or a part of it is never delivered.

const folder = makeFolder(t)
const many = 1_200
const handlers = (...names: string[]) => names.map((name) => ({ name, source, pattern: '*' }))

/** Opens the file for each part of a test, as after a restart. */
function restarting(name: string): {
  readonly path: string
  readonly clock: { now: number }
  run(work: (inbox: Inbox) => Promise<void>): Promise<void>
} {
  const path = join(folder, `${name}.db`)
  const clock = { now: 1_000_000_000_000 }
  return {
    path,
    clock,
    async run(work) {
      const inbox = sqliteInbox({ path, clock: () => clock.now })
      await inbox.open()
      try {
        await work(inbox)
      } finally {
        await inbox.close()
      }
    }
  }
}

/** Claims and settles until nothing is due. @returns the ids of the events, in the order of the claims */
async function deliverAll(inbox: Inbox, handler: string): Promise<string[]> {
  const delivered: string[] = []
  for (;;) {
    const { deliveries, nextDueAt } = await inbox.claim({
      owner: 'me',
      leaseMs: 10_000,
      wants: [{ handler, source, limit: 1_000 }],
      limit: 1_000
    })
    delivered.push(...ids(deliveries))
    await settleAll(inbox, deliveries, { state: 'done' })
    if (deliveries.length === 0 && !(nextDueAt !== undefined && nextDueAt <= (await inbox.now()))) return delivered
  }
}

t.test('the backlog of a handler that is removed, and returns, is parked and resumed in batches', async (t) => {
  const { run } = restarting('batches')
  const ordered = Array.from({ length: many }, (_, index) =>
    arrival(`o${index}`, [{ handler: 'ship', orderKey: `k${index % 2}` }])
  )
  await run(async (inbox) => {
    await inbox.adopt(handlers('ship', 'mail'))
    await inbox.record([...ordered, ...Array.from({ length: many }, (_, index) => arrival(`m${index}`, ['mail']))])
    const held = await claim(inbox, ['mail'])
    await settleAll(inbox, held, { state: 'done' })
    t.ok(held.length > 0)
    const [parked, resumed, batches] = await adoptAll(inbox, handlers())
    t.same([parked, resumed], [2 * many - held.length, 0])
    t.ok(batches > 2, 'so that new events are recorded between them')
    t.match(await inbox.stats(), { deliveries: { pending: 0, waiting: 0, parked } })
  })
  await run(async (inbox) => {
    const [parked, resumed] = await adoptAll(inbox, handlers('ship'))
    t.same([parked, resumed], [0, many])
    t.same(await adoptAll(inbox, handlers('ship')), [0, 0, 1])
    const delivered = await deliverAll(inbox, 'ship')
    for (const key of [0, 1])
      t.same(
        delivered.filter((id) => Number(id.slice(1)) % 2 === key),
        ordered.flatMap(({ id }) => (Number(id.slice(1)) % 2 === key ? [id] : [])),
        'each line in the order of arrival'
      )
  })
})

t.test('while a line is resumed in batches, its later events wait for those that are still parked', async (t) => {
  const { run } = restarting('order')
  await run(async (inbox) => {
    await inbox.record(
      Array.from({ length: many }, (_, index) => arrival(String(index), [{ handler: 'ship', orderKey: 'k' }]))
    )
    await adoptAll(inbox, handlers())
    t.match(await inbox.adopt(handlers('ship')), { hasMore: true })
    await inbox.record([arrival('new', [{ handler: 'ship', orderKey: 'k' }])])
    t.same(ids(await claim(inbox, ['ship'])), ['0'])
    t.same(await claim(inbox, ['ship']), [], 'the first one is running')
  })
})

t.test('deliveries of a handler for another source are parked, whether their events are indexed or not', async (t) => {
  const { run } = restarting('sources')
  await run(async (inbox) => {
    // The indexes of lists have those of the first call only.
    await inbox.record(Array.from({ length: 600 }, (_, index) => arrival(String(index), ['ship', 'mail'])))
    await inbox.record([arrival('newest', ['ship', 'late'])])
    const others = ['ship', 'late'].map((name) => ({ name, source: 'stripe', pattern: '*' }))
    t.match(await inbox.adopt([...others, ...handlers('mail')]), { parked: 602 })
    t.match(await inbox.stats(), { deliveries: { pending: 600, parked: 602 } })
    await inbox.record([arrival('after', [{ handler: 'ship', orderKey: 'k' }])])
    t.match(await inbox.adopt([...others, ...handlers('mail')]), { parked: 1 })
    t.same((await adoptAll(inbox, handlers('ship', 'mail', 'late'))).slice(0, 2), [0, 603])
    t.match(await inbox.stats(), { deliveries: { pending: 1_203, parked: 0 } })
  })
})

t.test('a delivery whose event was deleted by hand is resumed with its handler, or parked without it', async (t) => {
  const { path, run } = restarting('orphans')
  await run(async (inbox) => {
    await inbox.record([arrival('1', ['ship']), arrival('2', ['ship'])])
    const db = new DatabaseSync(path)
    db.exec("DELETE FROM event WHERE id = '1'")
    db.close()
    t.match(await inbox.adopt([]), { parked: 2 })
    t.match(await inbox.adopt(handlers('ship')), { resumed: 2 })
    t.same(await deliverAll(inbox, 'ship'), ['2'])
  })
})

/** Records deliveries while the clock is an hour ahead: failed, never tried, and in one long line. */
async function recordAhead(inbox: Inbox, now: number): Promise<void> {
  const name = (kind: string): string[] => Array.from({ length: many }, (_, index) => `${kind}${index}`)
  await inbox.record(name('failed').map((id) => arrival(id, ['ship'])))
  for (;;) {
    const held = await claim(inbox, ['ship'])
    if (held.length === 0) break
    const at = new Date(now)
    await inbox.settle(
      held.map(({ id, token }) => ({
        id,
        token,
        startedAt: at,
        endedAt: at,
        outcome: { state: 'retry', dueAt: new Date(now + 5_000), error: 'x', releaseKey: false }
      }))
    )
  }
  await inbox.record(name('new').map((id) => arrival(id, ['ship'])))
  await inbox.record(name('line').map((id) => arrival(id, [{ handler: 'ship', orderKey: 'k' }])))
}

t.test('after a clock that was ahead, every delivery of a long backlog is due in time', async (t) => {
  const { clock, run } = restarting('clock')
  clock.now += 3_600_000
  await run((inbox) => recordAhead(inbox, clock.now))
  clock.now -= 3_600_000
  await run(async (inbox) => {
    await inbox.adopt(handlers('ship'))
    const first = await deliverAll(inbox, 'ship')
    t.equal(first.length, 2 * many, 'all but the failed ones')
    clock.now += 5_000
    t.equal((await deliverAll(inbox, 'ship')).length, many, 'the failed ones after their pause')
  })
})

t.test('deliveries that a later batch resumes are due in time, too', async (t) => {
  const { clock, run } = restarting('clock-parked')
  const dayMs = 86_400_000
  clock.now += dayMs
  await run(async (inbox) => {
    await inbox.record(Array.from({ length: many }, (_, index) => arrival(String(index), ['ship'])))
    await adoptAll(inbox, handlers())
  })
  clock.now -= dayMs
  await run(async (inbox) => {
    let count = 0
    let hasMore: boolean | undefined = true
    while (hasMore === true) {
      hasMore = (await inbox.adopt(handlers('ship'))).hasMore
      count += (await deliverAll(inbox, 'ship')).length
    }
    t.equal(count, many)
  })
})

t.test('after a start, lines that were changed by hand are put in order, however many there are', async (t) => {
  const { path, run } = restarting('lines')
  await run(async (inbox) => {
    for (const part of ['first', 'second'])
      await inbox.record(
        Array.from({ length: many }, (_, index) =>
          arrival(`${part} ${index}`, [{ handler: 'ship', orderKey: `k${index}` }])
        )
      )
  })
  const db = new DatabaseSync(path)
  db.exec("DELETE FROM delivery WHERE state = 'pending'")
  db.close()
  await run(async (inbox) => {
    await inbox.adopt(handlers('ship'))
    t.equal((await deliverAll(inbox, 'ship')).length, many)
  })
})

t.test('each sign that the clock was ahead in a former run is found', (t) => {
  const [now, later] = [999_960_000_000, 1_000_020_000_000]
  const signs = {
    'a count': `INSERT INTO tally VALUES ('event', ${later / 60_000}, 'x', 'accepted', 1, 0, 0)`,
    'an audit entry': `INSERT INTO audit (at, actor, via, action, target, count, outcome) VALUES (${later}, '', '', '', '', 1, '')`,
    'a job': `INSERT INTO job (state, given, planned, created_at) VALUES ('done', '{}', 0, ${later})`,
    'a failure': `INSERT INTO attempt (delivery_id, attempt, state, started_at, ended_at) VALUES (1, 1, 'failed', ${later}, ${later})`
  }
  for (const [name, insert] of Object.entries(signs)) {
    const db = new DatabaseSync(':memory:')
    migrate(db)
    const isFound = (at: number): unknown => prepareStatements(db).wasAhead.get(Math.floor(at / 60_000), at)?.['answer']
    t.equal(isFound(now), 0, `without ${name}`)
    db.exec(insert)
    t.equal(isFound(now), 1, name)
    t.equal(isFound(later), 0, `${name} is not of the future`)
    db.close()
  }
  t.end()
})
