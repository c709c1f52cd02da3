import pg from 'pg'
import t, { type Test } from 'tap'

import { adopt, promoteBatch } from '../../src/inbox/postgres/adopt.ts'
import { claim as claimDue, type Times } from '../../src/inbox/postgres/claim.ts'
import type { Database, Session } from '../../src/inbox/postgres/database.ts'
import { countRetries } from '../../src/inbox/postgres/failed.ts'
import { readLengths } from '../../src/inbox/postgres/lengths.ts'
import { listEvents } from '../../src/inbox/postgres/list.ts'
import { ownTypes } from '../../src/inbox/postgres/read-value.ts'
import { countAll, readDeliveries } from '../../src/inbox/postgres/read.ts'
import { readSettings } from '../../src/inbox/postgres/reader.ts'
import { findKnown, record } from '../../src/inbox/postgres/record.ts'
import { replay } from '../../src/inbox/postgres/replay.ts'
import { settingsSql } from '../../src/inbox/postgres/session.ts'
import { extend, settle } from '../../src/inbox/postgres/settle.ts'
import { TallyNames } from '../../src/inbox/tally.ts'
import type { Claim, EventFilter } from '../../src/inbox/inbox.ts'
import { realm, source } from '../event-keys.ts'
import { addDeliveries } from './add-deliveries.ts'
import { arrival } from './arrivals.ts'
import { ids } from './contract.ts'
import { fillPostgres } from './fill-postgres.ts'
import { filtersByTwos, manyEvents, type ManyEvent } from './filters.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'

// Risk: a list that takes seconds in an inbox of millions of events.

const server = await startPostgres()
t.teardown(() => server.stop())
const address = await server.createDatabase(t)
await fillPostgres(address, manyEvents(12_000))
const client = new pg.Client({ connectionString: address })
await client.connect()
t.teardown(() => client.end())
const setUp = `SELECT ${settingsSql({ statementTimeoutMs: 60_000, isLocal: false })}`
await client.query(setUp)
// Other tests may run between this line and the first use.
await client.query('SET idle_in_transaction_session_timeout = 0')
await client.query(`BEGIN; ${readSettings}`)

const session: Session = {
  query: async (text, values = []) => (await client.query<Record<string, unknown>>(text, [...values])).rows
}

/** A database whose transactions are calls of this session. */
function databaseOn(session: Session): Database {
  const transaction = (work: (tx: Session) => Promise<unknown>) => work(session)
  return { ...session, transaction } as unknown as Database
}

/** The plans of all statements of a read: the text of each step. */
async function plansOf(read: (session: Session) => Promise<unknown>): Promise<string> {
  const plans: string[] = []
  await read({
    async query(text, values = []) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${text}`, [...values])
      plans.push(...rows.map((row) => row['QUERY PLAN']))
      return (await client.query<Record<string, unknown>>(text, [...values])).rows
    }
  })
  return plans.join('\n')
}

// Risk: as long as the tables were never analysed, each settling reads all deliveries that are due.
t.test('on new tables, deliveries are claimed, extended and settled by their keys', async (t) => {
  const fresh = await server.createDatabase(t)
  const inbox = await openPostgres(t, fresh)
  await inbox.adopt([{ name: 'ship', source, pattern: '*' }])
  const own = new pg.Client({ connectionString: fresh })
  await own.connect()
  t.teardown(() => own.end())
  await own.query(setUp)
  const plans: string[] = []
  let statements = 0
  const planned: Session = {
    async query(text, values = []) {
      statements += 1
      const { rows } = await own.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${text}`, [...values])
      // Only the claim looks for what is due.
      if (!text.includes('AS asked')) plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
      return (await own.query<Record<string, unknown>>({ text, values: [...values], types: ownTypes })).rows
    }
  }
  const database = databaseOn(planned)
  const times: Times = { now: Date.now(), fixed: undefined }
  const key = (orderKey?: string) => [{ handler: 'ship', ...(orderKey !== undefined && { orderKey }) }]

  const terms = { now: undefined, names: new TallyNames() }
  await record(database, [arrival('1', key()), arrival('2', key('k')), arrival('3', key('k'))], terms)
  statements = 0
  await record(
    database,
    [arrival('4'), arrival('5', [], { about: ['o-1'], endpoint: '/other' }), arrival('7', ['other'])],
    terms
  )
  t.equal(statements, 1, 'recording takes one statement')
  t.same(await record(database, [arrival('4'), arrival('6')], terms), ['duplicate', 'accepted'])
  t.equal(statements, 3, 'and another one for events that exist')
  t.same([...(await findKnown(database, realm, ['1', 'x']))], ['1'])
  const wants = [{ handler: 'ship', source, limit: 10 }]
  const { deliveries } = await claimDue(database, { owner: 'me', leaseMs: 60_000, wants, limit: 10 }, times)
  t.same(ids(deliveries), ['1', '2'])
  t.same(await extend(planned, deliveries, 60_000, undefined, undefined), [])
  const [plain, keyed] = deliveries.map(({ id, token, handler, orderKey }) => ({
    id,
    token,
    orderKey: orderKey === undefined ? null : { handler, realm, orderKey },
    outcome: { state: 'done' as const },
    startedAt: new Date(),
    endedAt: new Date()
  }))
  statements = 0
  t.same((await settle(database, [plain!], times)).results, ['settled'])
  t.equal(statements, 1, 'settling takes one statement')
  t.same((await settle(database, [keyed!], times)).results, ['settled'])
  t.ok(plans.length > 6)
  for (const plan of plans) t.notMatch(plan, /Seq Scan on (?:event|delivery)\b|Bitmap|delivery_due|Join Filter/)
})

// Risk: a backlog of ordered deliveries that takes hours instead of minutes, because the tables were analysed before it
// grew: the planner then takes the index of all that is due for empty, and each key reads the whole backlog.
// The planner also knows how frequent a key was.
for (const [when, state, hadOneKey] of [
  ['never', undefined, false],
  ['while all were done', 'done', false],
  ['while all were parked', 'parked', false],
  ['while all were waiting', 'waiting', false],
  ['while all were pending', 'pending', false],
  ['while all were parked, with one key', 'parked', true],
  ['while all were waiting, with one key', 'waiting', true],
  ['while all were pending, with one key', 'pending', true]
] as const)
  t.test(`work on a few order keys does not read the backlog, with tables analysed ${when}`, async (t) => {
    const fresh = await server.createDatabase(t)
    const inbox = await openPostgres(t, fresh)
    await inbox.adopt([{ name: 'ship', source, pattern: '*' }])
    await run(fresh, 'ALTER TABLE riverhook.delivery SET (autovacuum_enabled = off)')
    // Long keys make the indexes that begin with a key expensive. Short ones take 7,000 deliveries for that.
    const ownKey = (number: string) => `repeat(md5(${number}::text), 12)`
    await addDeliveries(fresh, [1, 2_000], state ?? 'pending', hadOneKey ? "'same'" : ownKey('n'))
    if (state !== undefined) await run(fresh, 'VACUUM ANALYZE')
    if (state !== undefined && (state !== 'pending' || hadOneKey))
      await run(fresh, `UPDATE riverhook.delivery SET state = 'pending', order_key = ${ownKey('id')}`)
    await run(fresh, "UPDATE riverhook.delivery SET state = 'waiting' WHERE id > 1800")
    const own = await connectAlone(t, fresh)
    const database = databaseOn(sessionOf(own))
    const times: Times = { now: Date.now(), fixed: undefined }
    const readsFew = limitReads(t, own)
    const keyed = Array.from({ length: 20 }, (_, n) => arrival(`new-${n}`, [{ handler: 'ship', orderKey: `k-${n}` }]))
    await readsFew('recording', 20, () => record(database, keyed, { now: undefined, names: new TallyNames() }))
    const wants = [{ handler: 'ship', source, limit: 20 }]
    const { deliveries } = await readsFew('a claim', 20, () =>
      claimDue(database, { owner: 'me', leaseMs: 60_000, wants, limit: 20 }, times)
    )
    t.equal(deliveries.length, 20)
    const settlements = deliveries.map(({ id, token, handler, orderKey = '' }) => ({
      id,
      token,
      orderKey: { handler, realm, orderKey },
      outcome: { state: 'done' as const },
      startedAt: new Date(),
      endedAt: new Date()
    }))
    await readsFew('settling', 20, () => settle(database, settlements, times))
    const targets = deliveries.map(({ event: { id } }) => ({ event: { realm, id }, handler: 'ship' }))
    await readsFew('a replay', 20, () => replay(database, targets, undefined, times))
    await readsFew('checking the lines', 200, () => promoteBatch(database, undefined))
  })

/** Begins a transaction in a session with the settings of ours. */
async function connectAlone(t: Test, url: string): Promise<pg.Client> {
  const own = new pg.Client({ connectionString: url })
  await own.connect()
  t.teardown(() => own.end())
  await own.query(setUp)
  await own.query('BEGIN')
  return own
}

function sessionOf(own: pg.Client): Session {
  return {
    query: async (text, values = []) =>
      (await own.query<Record<string, unknown>>({ text, values: [...values], types: ownTypes })).rows
  }
}

/** @returns a function that does a piece of work, and fails if this reads more than some entries for each key */
const limitReads =
  (t: Test, own: pg.Client) =>
  async <Result>(what: string, keys: number, work: () => Promise<Result>): Promise<Result> => {
    const before = await countReads(own)
    const result = await work()
    const after = await countReads(own)
    for (const [index, count] of after) {
      const read = count - (before.get(index) ?? 0)
      t.ok(read <= keys * 20, `${what} reads ${read} entries of ${index} for ${keys} keys`)
    }
    return result
  }

/** How many entries of each index of deliveries the transaction of this client has read. */
async function countReads(own: pg.Client): Promise<ReadonlyMap<string, number>> {
  const { rows } = await own.query<{ name: string; count: string }>(
    "SELECT indexrelid::regclass::text AS name, pg_stat_get_xact_tuples_returned(indexrelid) AS count FROM pg_index WHERE indrelid = 'riverhook.delivery'::regclass"
  )
  return new Map(rows.map(({ name, count }) => [name, Number(count)]))
}

// Risk: each claim of a key reads all its deliveries that failed, although they are due much later.
t.test('a claim of an order key reads those that failed only as far as they are due', async (t) => {
  const fresh = await server.createDatabase(t)
  const inbox = await openPostgres(t, fresh)
  await inbox.adopt([{ name: 'ship', source, pattern: '*' }])
  await run(fresh, 'ALTER TABLE riverhook.delivery SET (autovacuum_enabled = off)')
  const key = 'k'.repeat(400)
  await addDeliveries(fresh, [1, 1_000], 'pending', `'${key}'`)
  await run(fresh, "UPDATE riverhook.delivery SET overtakable = true, due_at = now() + id * interval '1 h'")
  await run(fresh, 'VACUUM ANALYZE')
  await run(fresh, 'UPDATE riverhook.delivery SET due_at = now() WHERE id = 500')
  await inbox.record([arrival('new', [{ handler: 'ship', orderKey: key }])])
  const own = await connectAlone(t, fresh)
  const database = databaseOn(sessionOf(own))
  const claimOne = (): Promise<Claim> =>
    claimDue(
      database,
      { owner: 'me', leaseMs: 60_000, wants: [{ handler: 'ship', source, limit: 5 }], limit: 5 },
      { now: Date.now(), fixed: undefined }
    )
  t.same(ids((await claimOne()).deliveries), ['500'], 'it is before the new one')
  t.same((await claimOne()).deliveries, [])
  // The index has more than 50 blocks for the key.
  const { rows } = await own.query<{ blocks: string }>(
    "SELECT pg_stat_get_xact_blocks_fetched('riverhook.delivery_failed'::regclass) AS blocks"
  )
  t.ok(Number(rows[0]?.blocks) < 40, `two claims read ${rows[0]?.blocks ?? ''} blocks`)
})

// Risk: statistics and lists that read all deliveries, because the tables were analysed before these had their states.
t.test('the lengths of attempts, and the deliveries of events, are read by their indexes', async (t) => {
  const fresh = await server.createDatabase(t)
  await openPostgres(t, fresh)
  await run(fresh, 'ALTER TABLE riverhook.delivery SET (autovacuum_enabled = off)')
  await addDeliveries(fresh, [1, 10_000], 'pending')
  const own = await connectAlone(t, fresh)
  await own.query(readSettings)
  const readsFew = limitReads(t, own)
  const seqs = Array.from({ length: 1_000 }, (_, n) => ({ seq: n + 1 }))
  const deliveries = await readsFew('a page of 1,000 events', 100, () => readDeliveries(sessionOf(own), seqs))
  t.equal(deliveries.size, 1_000)
  await own.query('ROLLBACK')
  await run(fresh, 'VACUUM ANALYZE')
  await run(fresh, "UPDATE riverhook.delivery SET state = 'done', started_at = now(), settled_at = now() WHERE id <= 5")
  await own.query(`BEGIN; ${readSettings}`)
  const lengths = await readsFew('the lengths', 5, () => readLengths(sessionOf(own)))
  t.match(lengths, [{ handler: 'ship' }])
})

// Risk: one event that is purged at the wrong moment makes the senders of a whole batch wait and repeat theirs.
t.test(
  'the repeat of an event that is purged meanwhile is refused, and the others of its batch are stored',
  async (t) => {
    const fresh = await server.createDatabase(t)
    const inbox = await openPostgres(t, fresh)
    await inbox.record([arrival('1')])
    const own = new pg.Client({ connectionString: fresh })
    await own.connect()
    t.teardown(() => own.end())
    const database = {
      async query(text: string, values: readonly unknown[] = []) {
        if (text.includes('given.position, given.counted_as, event.seq'))
          await own.query("DELETE FROM riverhook.event WHERE id = '1'")
        return (await own.query<Record<string, unknown>>({ text, values: [...values], types: ownTypes })).rows
      }
    } as unknown as Database
    const results = await record(database, [arrival('1'), arrival('2')], { now: undefined, names: new TallyNames() })
    t.match(results, [{ code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: /was removed/ }, 'accepted'])
  }
)

const listPlans = (filter: object): Promise<string> =>
  plansOf((session) => listEvents(session, { limit: 51, ...filter }))

t.test('each filter of a list, alone and with another one, reads no table from its beginning to its end', async (t) => {
  const seen = new Map<string, number>()
  for (const { name, filter } of filtersByTwos()) {
    // Each pair of filters, with a part of their values.
    const count = seen.get(name) ?? 0
    seen.set(name, count + 1)
    if (count % 15 > 0) continue
    t.notMatch(
      await listPlans(filter),
      /Seq Scan on (?:event|delivery|event_key)\b|Bitmap|Hash Join|Merge Join/,
      `${name}: ${JSON.stringify(filter)}`
    )
  }
})

t.test('each filter has its index, and reads the events in their order until the page is full', async (t) => {
  const indexes = {
    event_kind: [
      { endpoint: '/stripe' },
      { live: false },
      { realm: 'stripe' },
      { source: 'stripe' },
      { type: 'order.accepted' },
      { type: 'order.*' }
    ],
    delivery_kind: [{ handler: 'erp' }, { state: 'dead' }, { state: 'done' }, { handler: 'erp', state: 'pending' }],
    event_key_value: [{ about: 'order-77' }, { about: 'order-1*' }],
    event_received: [{ since: new Date('2026-01-30') }, { until: new Date('2026-01-05') }],
    delivery_error: [{ error: 'x' }, { error: 'x', state: 'dead' }, { error: 'x', where: ['a=1'] }],
    event_quarantined: [{ state: 'quarantined' }],
    event_id: [{ id: 'event-77' }]
  }
  for (const [index, filters] of Object.entries(indexes))
    for (const filter of filters)
      t.match(await listPlans(filter), new RegExp(`using ${index} on`), JSON.stringify(filter))
})

// Risk: a list that reads half of an index. Before version 18, PostgreSQL ends a comparison of rows behind the last
// entry of its first column: it must not be one that very many entries share.
t.test('a look into an index ends behind the last entry that is wanted, in each version of PostgreSQL', async (t) => {
  const segment = /using event_key_value .*\n *Index Cond: \(+event_seq >> \d+\)+ = \S+ AND \(ROW\(value, event_seq\) >/
  const conditions: readonly (readonly [object, RegExp])[] = [
    [{ about: 'order-77' }, segment],
    [{ about: 'order-1*' }, segment],
    [
      { handler: 'erp', state: 'dead' },
      /using delivery_kind .*\n *Index Cond: \(\(handler = \S+\) AND \(realm = \S+\) AND \(ROW\(state, event_seq\) >/
    ],
    [
      { since: new Date('2026-01-30') },
      /using event_received .*\n *Index Cond: \(+seq >> \d+\)+ = \S+ AND \(received_at >= .*\) AND \(received_at </
    ]
  ]
  for (const [filter, condition] of conditions) t.match(await listPlans(filter), condition, JSON.stringify(filter))
})

t.test('a list by type and by a handler that has no such event reads neither events nor deliveries', async (t) => {
  for (const type of ['subscription.*', 'subscription.pending'])
    t.notMatch(await listPlans({ type, handler: 'erp' }), /event_kind|event_pkey|found/, type)
})

t.test('a list by two frequent things has the events that have both', async (t) => {
  const events = [...manyEvents(12_000)]
  const isAbout = ({ about }: ManyEvent) => about.some((key) => key.startsWith('customer-'))
  const both: readonly (readonly [EventFilter, (event: ManyEvent) => boolean])[] = [
    [
      { limit: 51, about: 'customer-*', endpoint: '/webhooks' },
      (event) => isAbout(event) && event.endpoint === '/webhooks'
    ],
    [
      { limit: 51, live: true, handler: 'archive' },
      ({ liveMode, deliveries }) => liveMode === true && deliveries.some(({ handler }) => handler === 'archive')
    ]
  ]
  for (const [filter, isWanted] of both)
    for (const oldestFirst of [true, false]) {
      const wanted = events.filter(isWanted).map(({ id }) => id)
      const page = await listEvents(session, { ...filter, oldestFirst })
      t.same(
        page.events.map(({ id }) => id),
        (oldestFirst ? wanted : wanted.toReversed()).slice(0, 51)
      )
    }
})

// Risk: a start that waits while millions of deliveries are read for the few whose handler is gone.
t.test('a start parks and resumes deliveries by the index of their state, and reads few events', async (t) => {
  const own = new pg.Client({ connectionString: address })
  await own.connect()
  t.teardown(() => own.end())
  await own.query(setUp)
  await own.query('BEGIN')
  /** @returns the plans of the statements that look at deliveries: parking, looking for other sources, resuming */
  const start = async (...names: readonly string[]): Promise<readonly string[]> => {
    const plans: string[] = []
    const planned: Session = {
      async query(text, values = []) {
        if (/FROM riverhook\.delivery/.test(text)) {
          // This runs it, and is undone: what was not needed was not run.
          await own.query('SAVEPOINT before')
          const { rows } = await own.query<{ 'QUERY PLAN': string }>(
            `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ${text}`,
            [...values]
          )
          await own.query('ROLLBACK TO before')
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
        }
        return (await own.query<Record<string, unknown>>(text, [...values])).rows
      }
    }
    const database = databaseOn(planned)
    const records = names.map((name) => ({ name, source, pattern: '*' }))
    await adopt(database, { instance: 'own', owner: 'own' }, records, { now: Date.now(), fixed: undefined })
    return plans
  }
  const findPlan = (plans: readonly string[], part: RegExp): string => plans.find((plan) => part.test(plan)) ?? ''
  const plans = await start('erp', 'mail')
  const parking = findPlan(plans, /CTE gone/)
  t.match(parking, /using delivery_due on delivery/)
  t.match(parking, /using delivery_waiting on delivery/)
  t.notMatch(parking, /Seq Scan on delivery|using delivery_(?:event|kind)/)
  t.match(findPlan(plans, /known|handled/), /using event_pkey on event \(never executed\)/)
  const resuming = findPlan(await start('archive'), /CTE resumed/)
  t.match(resuming, /using delivery_parked on delivery/)
  t.notMatch(resuming, /Seq Scan on delivery|using delivery_(?:event|kind)|Hash Join/)
  await own.query('ROLLBACK')
})

t.test('retries are counted among what has failed', async (t) => {
  t.match(await plansOf(countRetries), /using delivery_error on delivery/)
})

t.test('statistics read indexes, never the events and the deliveries themselves', async (t) => {
  const plans = await plansOf((session) => countAll(session, { now: Date.now(), fixed: undefined }))
  t.notMatch(plans, /Seq Scan on (?:event|delivery)\b/)
  t.match(plans, /Index Only Scan using event_kind on event/)
  t.match(plans, /Index Only Scan using delivery_kind on delivery/)
})
