import { join } from 'node:path'

import { pino } from 'pino'
import t from 'tap'

import { keepRetention } from '../../src/inbox/retention.ts'
import { sqliteInbox } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'

const dayMs = 86_400_000

// Risk: a disk that fills up, or a dead letter that is purged before an operator has read it.
t.test('old, done events are purged in batches; dead letters, quarantined and recent events stay', async (t) => {
  const now = 100 * dayMs
  const inbox = sqliteInbox({ path: join(makeFolder(t), 'inbox.db'), clock: () => now })
  await inbox.open()
  t.teardown(() => inbox.close())
  const at = (days: number) => ({ receivedAt: new Date(now - days * dayMs) })
  // More than one batch.
  await inbox.record(Array.from({ length: 450 }, (_, index) => arrival(`old${index}`, ['ship'], at(31))))
  for (let held = await claim(inbox, ['ship']); held.length > 0; held = await claim(inbox, ['ship']))
    await settleAll(inbox, held, { state: 'done' })
  await inbox.record([arrival('dead', ['ship'], at(31)), quarantined('broken')])
  await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'no' })
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
  const end = keepRetention(inbox, { retentionMs: 30 * dayMs, log })
  await swept.promise
  await end()
  t.match(told, [{ purged: 450 }])
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
    await keepRetention(inbox, { retentionMs: 30 * dayMs, log: pino({ level: 'silent' }) })()
    t.equal((await inbox.stats()).events, 2, `${ahead} ms ahead`)
    await inbox.close()
  }
})
