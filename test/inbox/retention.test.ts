import { join } from 'node:path'

import { pino } from 'pino'
import t from 'tap'

import { keepRetention } from '../../src/inbox/retention.ts'
import { sqliteInbox } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'

const dayMs = 86_400_000
const spans = { doneMs: 30 * dayMs, deadMs: 180 * dayMs, quarantinedMs: 365 * dayMs }

// Risk: a disk that fills up, personal data that is kept for ever, or a dead letter that is purged before an operator
// has read it.
t.test('old events are purged in batches, dead letters and quarantined requests later; recent ones stay', async (t) => {
  const now = 1_000 * dayMs
  const inbox = sqliteInbox({ path: join(makeFolder(t), 'inbox.db'), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  const at = (days: number) => ({ receivedAt: new Date(now - days * dayMs) })
  // More than one batch.
  await inbox.record(Array.from({ length: 450 }, (_, index) => arrival(`old${index}`, ['ship'], at(31))))
  for (let held = await claim(inbox, ['ship']); held.length > 0; held = await claim(inbox, ['ship']))
    await settleAll(inbox, held, { state: 'done' })
  await inbox.record([
    { ...quarantined('very old'), ...at(366) },
    { ...quarantined('broken'), ...at(364) },
    arrival('long dead', ['ship'], at(200)),
    arrival('dead', ['ship'], at(200))
  ])
  const diedAt = (days: number) => new Date(now - days * dayMs)
  for (const [index, held] of (await claim(inbox, ['ship'])).entries()) {
    await settleAll(inbox, [held], { state: 'dead', error: 'no' }, diedAt([181, 179][index]!))
  }
  await inbox.record([
    arrival('recent', ['ship'], at(29)),
    arrival('due', ['ship'], at(31)),
    arrival('newest', [], at(0))
  ])
  const [recent] = await claim(inbox, ['ship'])
  await settleAll(inbox, [recent!], { state: 'done' })
  const told: unknown[] = []
  const swept = Promise.withResolvers<undefined>()
  const log = pino(
    {},
    {
      write: (line: string) => {
        told.push(JSON.parse(line))
        swept.resolve(undefined)
      }
    }
  )
  const end = keepRetention(inbox, { spans, log })
  await swept.promise
  await end()
  t.match(told, [
    { purged: 452, dead: 1, quarantined: 1, before: diedAt(30).toJSON(), dead_before: diedAt(180).toJSON() }
  ])
  t.same((await inbox.events({ limit: 10 })).events.map(({ id }) => id).sort(), [
    'broken',
    'dead',
    'due',
    'newest',
    'recent'
  ])
})

// Risk: handled events are purged, so that every retry on its way is handled a second time.
t.test('a clock that is ahead for one start purges nothing', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  for (const ahead of [0, 90 * dayMs, 31 * dayMs, 40]) {
    const inbox = sqliteInbox({ path, clock: () => Date.now() + ahead })
    await inbox.open()
    if (ahead === 0)
      await inbox.record([
        arrival('handled', [], { receivedAt: new Date(Date.now() - 2 * dayMs) }),
        arrival('newest', [], { receivedAt: new Date() })
      ])
    await keepRetention(inbox, { spans, log: pino({ level: 'silent' }) })()
    t.equal((await inbox.stats()).events, 2, `${ahead} ms ahead`)
    await inbox.close()
  }
})

// Risk: a log of acts that grows for ever, or that a wrong clock empties.
t.test('the audit log is kept for 400 days', async (t) => {
  let now = Date.now() - 401 * dayMs
  const inbox = sqliteInbox({ path: join(makeFolder(t), 'inbox.db'), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  const actor = { name: 'ada', via: 'code' } as const
  const enter = (target: string): Promise<void> =>
    inbox.audit({ actor, action: 'x', target }, { count: 0, outcome: '' })
  const sweep = async () => keepRetention(inbox, { spans, log: pino({ level: 'silent' }) })()
  await enter('401 days ago')
  now += 2 * dayMs
  await enter('399 days ago')
  await inbox.record([arrival('newest', [], { receivedAt: new Date(now) })])
  now += 399 * dayMs
  await sweep()
  t.equal((await inbox.audits({ limit: 9 })).entries.length, 2, 'no event has arrived at this time: it may be wrong')
  await inbox.record([arrival('newer', [], { receivedAt: new Date(now), createdTime: new Date(now).toISOString() })])
  await sweep()
  t.match((await inbox.audits({ limit: 9 })).entries, [{ target: '399 days ago' }])
})

// Risk: a table that grows by thousands of rows a day for ever, or charts that lose what is kept.
t.test('the tally keeps minutes for two days and hours for 90 days', async (t) => {
  const now = 1_000 * dayMs
  const inbox = sqliteInbox({ path: join(makeFolder(t), 'inbox.db'), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.record([arrival('newest', [], { receivedAt: new Date(now) })])
  const minutes = [91 * 1_440, 89 * 1_440, 89 * 1_440 + 1, 2_880, 2_881, 2_882, 1, 2]
  await inbox.countRequests(
    minutes.map((ago) => ({ endpoint: '/a', outcome: 'CODE', at: new Date(now - ago * 60_000), count: 1 }))
  )
  await keepRetention(inbox, { spans, log: pino({ level: 'silent' }) })()
  const rows = await inbox.tally({ since: new Date(0), until: new Date(now), step: 'minute', kind: 'request' })
  t.same(
    rows.map(({ at, count }) => [(now - at.getTime()) / 60_000, count]),
    [
      [89 * 1_440 + 60, 1],
      [89 * 1_440, 1],
      [2_880 + 60, 2],
      [2_880, 1],
      [2, 1],
      [1, 1]
    ]
  )
})
