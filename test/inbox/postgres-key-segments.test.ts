import { randomUUID } from 'node:crypto'

import pg from 'pg'
import t from 'tap'

import type { EventFilter } from '../../src/inbox/inbox.ts'
import { segmentBits } from '../../src/inbox/wanted.ts'
import { arrival } from './arrivals.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startShared } from './postgres-server.ts'

// Risk: an event that a search does not find, because it is in another part of the index of search keys.

const server = await startShared()
t.teardown(() => server.stop())
const segment = 2 ** segmentBits

/** The number of an event, and its search keys. The segment with the numbers around 2 * `segment` has no event. */
const events: readonly (readonly [seq: number, about: readonly string[]])[] = [
  [5, ['order-1', 'all']],
  [6, ['order-2', 'all']],
  [segment - 1, ['order-1', 'order-11']],
  [segment, ['order-1', 'all']],
  [segment + 1, ['all']],
  [7 * segment, ['order-2', 'customer-1']],
  [7 * segment + 1, ['order-1', 'order-12', 'all']]
]

t.test('a search finds the events of all segments in their order, page by page', async (t) => {
  const address = await server.createDatabase(t)
  const inbox = await openPostgres(t, address)
  for (const [seq, about] of events) {
    await run(address, `SELECT setval('riverhook.event_seq', ${seq}, false)`)
    await inbox.record([arrival(String(seq), [], { about })])
  }
  const searches: readonly (readonly [string, (key: string) => boolean])[] = [
    ...['order-1', 'order-2', 'all', 'customer-1', 'nothing'].map(
      (about) => [about, (key: string) => key === about] as const
    ),
    ...['order-1', 'order-', 'order-13', 'customer'].map(
      (from) => [`${from}*`, (key: string) => key.startsWith(from)] as const
    )
  ]
  for (const [about, isWanted] of searches)
    for (const oldestFirst of [false, true])
      for (const limit of [1, 2, 50]) {
        const wanted = events.filter(([, keys]) => keys.some(isWanted)).map(([seq]) => String(seq))
        const found: string[] = []
        let filter: EventFilter | undefined = { about, oldestFirst, limit }
        while (filter !== undefined) {
          const page = await inbox.events(filter)
          found.push(...page.events.map(({ id }) => id))
          filter = page.next === undefined ? undefined : { ...filter, after: page.next }
        }
        t.same(found, oldestFirst ? wanted : wanted.toReversed(), JSON.stringify({ about, oldestFirst, limit }))
      }
})

t.test('a search in an inbox without events finds none', async (t) => {
  const inbox = await openPostgres(t, await server.createDatabase(t))
  for (const about of ['order-1', 'order-*']) t.same((await inbox.events({ about, limit: 10 })).events, [])
})

// Risk: in a large inbox, each search key of a new event changes another page, which PostgreSQL logs as a whole.
t.test('the keys of a batch change few pages of the index', async (t) => {
  const address = await server.createDatabase(t)
  await openPostgres(t, address)
  const own = new pg.Client({ connectionString: address })
  await own.connect()
  t.teardown(() => own.end())
  await own.query(
    "INSERT INTO riverhook.event_key (event_seq, value) SELECT seq, 'order-' || gen_random_uuid() FROM generate_series(1, 30000) AS seq"
  )
  // Clean pages: only those that change from here on are counted.
  await own.query('ALTER TABLE riverhook.event_key SET (autovacuum_enabled = off)')
  await own.query('CHECKPOINT')
  const { rows } = await own.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) INSERT INTO riverhook.event_key (event_seq, value)
     SELECT ${segment} + position, value FROM unnest($1::text[]) WITH ORDINALITY AS given (value, position)`,
    [Array.from({ length: 64 }, () => `order-${randomUUID()}`)]
  )
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  const dirtied = Number(/dirtied=(\d+)/.exec(plan)?.[1])
  t.ok(dirtied > 0 && dirtied < 20, `${dirtied} pages`)
})
