import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import type { Inbox } from '../../../src/inbox/inbox.ts'
import { sqliteInbox } from '../../../src/inbox/sqlite/engine.ts'
import { makeFolder } from '../../folder.ts'
import { arrival } from '../arrivals.ts'
import { marked, marker } from '../contract-erase.ts'
import { readerContract } from '../contract-reader.ts'
import { claim, ids, inboxContract, settleAll } from '../contract.ts'
import { sameAsMemory } from '../same-as-memory.ts'
import { keyOf, keysOf } from '../../event-keys.ts'
import { emptiedSqlite } from '../emptied-sqlite.ts'

const folder = makeFolder(t)
let files = 0

const inboxes = emptiedSqlite(t, folder)

inboxContract(t, async (t) => {
  const { inbox, path, now, advance } = await inboxes.take(t)
  return {
    inbox,
    advance,
    now,
    refuseWrites: async (tables) => {
      const triggers = tables.flatMap((table) =>
        ['INSERT', 'UPDATE', 'DELETE'].map((write) => ({ name: `refuse_${table}_${write}`, table, write }))
      )
      const run = (sql: string): void => {
        const db = new DatabaseSync(path)
        db.exec(sql)
        db.close()
      }
      run(
        triggers
          .map(
            ({ name, table, write }) =>
              `CREATE TRIGGER ${name} BEFORE ${write} ON ${table} BEGIN SELECT RAISE(ABORT, 'refused'); END;`
          )
          .join('')
      )
      return async () => {
        run(triggers.map(({ name }) => `DROP TRIGGER ${name};`).join(''))
      }
    }
  }
})

readerContract(t, async (t, options) => {
  const inbox = sqliteInbox({ path: join(folder, `${files++}.db`), ...options })
  await inbox.open()
  t.teardown(() => inbox.close())
  return inbox
})

// Risk: an erased e-mail address is still in the file, its log or a free page, where a backup or a thief finds it.
t.test('no byte of the files has what was erased, removed or purged', async (t) => {
  const path = join(folder, `${files++}.db`)
  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  const numbers = Array.from({ length: 300 }, (_, number) => number)
  const idsOf = (kind: string): string[] => numbers.map((number) => `${kind}-${number}`)
  for (const number of numbers)
    await inbox.record(
      ['erased', 'removed', 'done']
        .map((kind) => marked(`${kind}-${number}`, ['ship'], `${marker}-${number % 7}`))
        .concat(arrival(`other-${number}`, ['mail'], { about: [`order-${number}`] }))
    )
  for (let held = await claim(inbox, ['ship']); held.length > 0; held = await claim(inbox, ['ship'])) {
    const { true: done = [], false: others = [] } = Object.groupBy(held, ({ event }) =>
      event.id.startsWith('done') ? 'true' : 'false'
    )
    await settleAll(inbox, done, { state: 'done' })
    await settleAll(inbox, others, { state: 'dead', error: `no ${marker}` })
  }
  await inbox.events({ about: marker, limit: 1 })
  const count = () =>
    ['', '-wal', '-shm'].reduce(
      (sum, suffix) =>
        sum +
        readFileSync(path + suffix)
          .toString('latin1')
          .split(marker.slice(0, 12)).length -
        1,
      0
    )
  t.ok(count() > 1_000, 'the marker is there')
  t.equal(await inbox.erase(keysOf(...idsOf('erased'))), numbers.length)
  t.equal(await inbox.remove(keysOf(...idsOf('removed'))), numbers.length)
  let after: number | undefined
  do after = (await inbox.prune({ before: new Date(), limit: 500, after })).next
  while (after !== undefined)
  t.equal(await inbox.scrub(), undefined)
  t.equal(count(), 0)
  t.equal((await inbox.events({ id: 'other-1', limit: 1 })).events.length, 1)
  for (const suffix of ['', '-wal', '-shm']) t.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix)
})

// Risk: a list or a count of millions of events that takes a processor for minutes.
t.test('a read that takes longer than its limit is ended, and the next one is answered', async (t) => {
  const inbox = sqliteInbox({ path: join(folder, `${files++}.db`), readLimitMs: 1 })
  await inbox.open()
  t.teardown(() => inbox.close())
  const many = Array.from({ length: 20_000 }, (_, index) =>
    arrival(String(index), ['ship'], { body: Buffer.from('{}') })
  )
  await inbox.record(many)
  await t.rejects(inbox.stats(), { code: 'RIVERHOOK_INBOX_READ_LIMIT', message: /longer than 1 ms.*one event type/ })
  t.equal((await inbox.events({ limit: 1 })).events[0]?.id, '19999')
})

t.test('any history gives the same answers as the memory engine', async (t) => {
  await sameAsMemory(t, async (clock) => (await inboxes.lend(clock)).inbox)
})

t.test(
  'when a clock that was ahead is corrected, overdue deliveries are due at once, retries after their pause',
  async (t) => {
    const path = join(makeFolder(t), 'inbox.db')
    let now = 1_000_000_000_000 + 3_600_000
    const run = async (work: (inbox: Inbox) => Promise<void>) => {
      const inbox = sqliteInbox({ path, clock: () => now })
      await inbox.open()
      await work(inbox)
      await inbox.close()
    }
    await run(async (inbox) => {
      await inbox.record([arrival('failed', ['ship'])])
      const held = await claim(inbox, ['ship'])
      await inbox.settle(
        held.map(({ id, token }) => ({
          id,
          token,
          startedAt: new Date(now),
          endedAt: new Date(now),
          outcome: { state: 'retry', dueAt: new Date(now + 5_000), error: 'x', releaseKey: false }
        }))
      )
      await inbox.record([
        arrival('never tried', ['ship']),
        arrival('first', [{ handler: 'ship', orderKey: 'k' }]),
        arrival('second', [{ handler: 'ship', orderKey: 'k' }])
      ])
    })
    now -= 3_600_000
    await run(async (inbox) => {
      await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
      const held = await claim(inbox, ['ship'])
      t.same(ids(held).sort(), ['first', 'never tried'])
      await settleAll(inbox, held, { state: 'done' })
      now += 5_000
      await settleAll(
        inbox,
        (await claim(inbox, ['ship'])).filter(({ event }) => event.id === 'failed'),
        { state: 'done' }
      )
      t.equal((await inbox.event(keyOf('failed')))!.deliveries[0]!.state, 'done')
      // Set back while the server runs.
      now += 3_600_000
      await claim(inbox, ['ship'])
      await inbox.record([arrival('later', ['ship'])])
      now -= 3_600_000
      t.same(ids(await claim(inbox, ['ship'])), ['later'])
    })
  }
)

// Risk: a delivery that stays due for ever and blocks all others of its order key.
t.test('a delivery whose event was deleted by hand is removed and logged, and the next of its key runs', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record([
    arrival('deleted', [{ handler: 'ship', orderKey: 'k' }]),
    arrival('next', [{ handler: 'ship', orderKey: 'k' }])
  ])
  const db = new DatabaseSync(path)
  db.exec("DELETE FROM event WHERE id = 'deleted'")
  db.close()
  const first = await inbox.claim({
    owner: 'me',
    leaseMs: 10_000,
    wants: [{ handler: 'ship', source: 'digital-river', limit: 5 }],
    limit: 5
  })
  t.match(first, { deliveries: [], orphans: [{ handler: 'ship' }] })
  t.same(ids(await claim(inbox, ['ship'])), ['next'])
  t.match(await inbox.stats(), { deliveries: { pending: 0, waiting: 0, running: 1 } })
})

t.test('a suspect whose event was deleted by hand is removed, and a deleted delivery blocks no other', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  let now = 1_000_000_000_000
  const inbox = sqliteInbox({ path, clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  const keyed = (orderKey: string) => [{ handler: 'ship', orderKey }]
  await inbox.record([
    arrival('suspect', keyed('k')),
    arrival('next', keyed('k')),
    arrival('deleted', keyed('l')),
    arrival('behind', keyed('l'))
  ])
  const held = await claim(inbox, ['ship'])
  t.same(ids(held), ['suspect', 'deleted'])
  await settleAll(inbox, held, {
    state: 'lost',
    dueAt: new Date(now),
    error: 'died',
    counts: false,
    releaseKey: false
  })
  const db = new DatabaseSync(path)
  db.exec(
    "DELETE FROM delivery WHERE event_seq = (SELECT seq FROM event WHERE id = 'deleted'); DELETE FROM event WHERE id = 'suspect'"
  )
  db.close()
  t.match(
    await inbox.claim({
      owner: 'me',
      leaseMs: 10_000,
      wants: [{ handler: 'ship', source: 'digital-river', limit: 5 }],
      limit: 5
    }),
    {
      orphans: [{ handler: 'ship' }]
    }
  )
  t.same(ids(await claim(inbox, ['ship'])), ['next'])
  now += 10_000
  t.same(ids(await claim(inbox, ['ship'])).sort(), ['behind', 'next'])
})
