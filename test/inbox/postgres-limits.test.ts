import { randomBytes } from 'node:crypto'

import pg from 'pg'
import t, { type Test } from 'tap'

import { copyInbox, memoryInbox } from '../../src/index.ts'
import { replayInOrder, retryAllQuarantined, selectReplay } from '../../src/inbox/replay.ts'
import { lockKeys } from '../../src/inbox/postgres/order.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'
import { openPostgres } from './open-postgres.ts'
import { run, startPostgres } from './postgres-server.ts'
import { keyOf, keysOf, realm, source } from '../event-keys.ts'

// Risk: one unusual event blocks those that arrived with it, a move to another machine, or a replay.

const server = await startPostgres()
t.teardown(() => server.stop())

async function connect(t: Test, connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** Makes a database with an encoding, removed after the test. @returns its address */
async function databaseIn(t: Test, encoding: string): Promise<string> {
  const url = new URL(await server.createDatabase(t))
  if (encoding === 'UTF8') return url.href
  const name = `${url.pathname.slice(1)}_encoded`
  await run(url.href, `CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`)
  const address = url.href
  t.teardown(() => run(address, `DROP DATABASE ${name} WITH (FORCE)`))
  url.pathname = `/${name}`
  return url.href
}

const unavailable = { code: 'RIVERHOOK_INBOX_UNAVAILABLE' }

/** In every encoding, PostgreSQL cannot store some part of this unchanged. */
const odd = '\u2265 5 \u20ac, gr\u00fc\u00df, \u6ce8\u6587, \u{1f4a9} \0 \ud800 \u001a0041 \\ "NULL"'

for (const encoding of ['LATIN1', 'SQL_ASCII', 'UTF8']) {
  t.test(
    `any text is stored and read back in a database of the encoding ${encoding}: a € in an error stops no delivery`,
    async (t) => {
      const inbox = await openPostgres(t, await databaseIn(t, encoding))
      const names = [odd, `${odd}\ud801`, odd.replace('\u20ac', '?')]
      await inbox.adopt(names.map((name) => ({ name, source, pattern: '*' })))
      t.same(
        (await inbox.handlers()).map(({ name }) => name),
        names
      )
      t.same(
        await inbox.record(
          names.map((id) =>
            arrival(
              id,
              names.map((handler) => ({ handler, orderKey: id })),
              { type: odd, createdTime: odd }
            )
          )
        ),
        ['accepted', 'accepted', 'accepted']
      )
      t.same(await inbox.record([{ ...quarantined('q'), reason: odd }, arrival(odd)]), ['accepted', 'duplicate'])
      const claimed = await claim(inbox, names)
      t.strictSame(
        claimed.map(({ handler, orderKey }) => [handler, orderKey]),
        names.flatMap((handler) => names.map((id) => [handler, id]))
      )
      t.same(
        await settleAll(inbox, claimed, { state: 'dead', error: odd }),
        claimed.map(() => 'settled')
      )
      const detail = (await inbox.event(keyOf(odd)))!
      t.match(detail, {
        id: odd,
        type: odd,
        createdTime: odd,
        deliveries: [{ handler: odd, orderKey: odd, lastError: odd, attemptLog: [{ error: odd }] }]
      })
      t.same(
        (await inbox.events({ limit: 9, type: odd, handler: odd })).events.map(({ id }) => id),
        names.toReversed()
      )
      t.equal((await inbox.events({ limit: 9, state: 'quarantined' })).events[0]!.reason, odd)
      t.same(await inbox.replay(names.map((eventId) => ({ event: keyOf(eventId), handler: names[1]! }))), [
        'replayed',
        'replayed',
        'replayed'
      ])
      const at = new Date(1_000_000)
      await inbox.flag([
        { realm, type: odd, path: odd, rule: odd, handler: odd, count: 1, firstAt: at, lastAt: at, eventId: odd }
      ])
      t.match(await inbox.drifts(), [{ type: odd, path: odd, rule: odd, handler: odd, eventId: odd }])
      t.equal(await inbox.remove(keysOf(...names)), 3)
      t.equal(await inbox.restore([detail]), 1)
      t.strictSame(
        (await inbox.event(keyOf(odd)))!.deliveries.map(({ lastError }) => lastError),
        detail.deliveries.map(({ lastError }) => lastError)
      )
    }
  )
}

t.test('texts that differ only beyond the prefix that an index stores are distinct', async (t) => {
  const inbox = await openPostgres(t, await server.createDatabase(t))
  const long = '\u001a\u00fc'.repeat(400)
  t.same(await inbox.record(['', '\ud800', '\ud801'].map((end) => arrival(`${long}${end}`))), [
    'accepted',
    'accepted',
    'accepted'
  ])
  t.equal((await inbox.event(keyOf(`${long}\ud801`)))!.id, `${long}\ud801`)
})

t.test('one row that can never be stored: events and outcomes in the same batch are stored', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await run(
    url,
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
    CREATE TRIGGER refuse BEFORE INSERT ON riverhook.event FOR EACH ROW WHEN (NEW.id = 'never') EXECUTE FUNCTION refuse();
    CREATE TRIGGER refuse BEFORE UPDATE ON riverhook.delivery FOR EACH ROW WHEN (NEW.last_error = 'never') EXECUTE FUNCTION refuse()`
  )
  const deliveries = ['ship', { handler: 'pack', orderKey: 'k' }]
  t.match(await inbox.record(['1', '2', 'never', '4', '5'].map((id) => arrival(id, deliveries))), [
    'accepted',
    'accepted',
    unavailable,
    'accepted',
    'accepted'
  ])
  t.same(
    (await inbox.events({ limit: 10, oldestFirst: true })).events.map(({ id }) => id),
    ['1', '2', '4', '5']
  )
  await t.rejects(inbox.record([arrival('never')]), unavailable)
  const at = new Date()
  const settlements = (await claim(inbox, ['ship'])).map(({ id, token, event }) => ({
    id,
    token,
    startedAt: at,
    endedAt: at,
    outcome: { state: 'dead' as const, error: event.id === '2' ? 'never' : 'failed' }
  }))
  t.match(await inbox.settle(settlements), ['settled', unavailable, 'settled', 'settled'])
})

t.test(
  'a repeat that can never be counted: new events in the same batch are stored, and their senders know',
  async (t) => {
    const url = await server.createDatabase(t)
    const inbox = await openPostgres(t, url)
    await inbox.record(['never', 'known'].map((id) => arrival(id)))
    await run(
      url,
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
    CREATE TRIGGER refuse BEFORE INSERT ON riverhook.repeat FOR EACH ROW WHEN (NEW.event_seq = 1) EXECUTE FUNCTION refuse()`
    )
    t.match(await inbox.record(['new 1', 'never', 'known', 'new 2'].map((id) => arrival(id))), [
      'accepted',
      unavailable,
      'duplicate',
      'accepted'
    ])
  }
)

t.test('one row that can never be changed: replay, drift counts and quarantine skip it, and it is named', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  await inbox.record([
    ...['1', 'never', '3'].map((id) => arrival(id, [{ handler: 'ship', orderKey: 'k' }])),
    ...['a', 'b', 'c'].map((id) => quarantined(id))
  ])
  await run(
    url,
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
    UPDATE riverhook.delivery SET state = 'dead', last_error = (SELECT id FROM riverhook.event WHERE seq = event_seq);
    CREATE TRIGGER refuse BEFORE UPDATE ON riverhook.delivery FOR EACH ROW WHEN (OLD.last_error = 'never') EXECUTE FUNCTION refuse();
    CREATE TRIGGER refuse BEFORE INSERT ON riverhook.drift FOR EACH ROW WHEN (NEW.type = 'never') EXECUTE FUNCTION refuse();
    CREATE TRIGGER refuse BEFORE UPDATE ON riverhook.event FOR EACH ROW WHEN (OLD.id = 'b') EXECUTE FUNCTION refuse()`
  )
  const found = await Array.fromAsync(selectReplay(inbox, { state: 'dead' }, { for: () => [] }))
  t.match(await replayInOrder(inbox, found), {
    replayed: 2,
    refused: [{ event: keyOf('never'), handler: 'ship', error: unavailable }]
  })
  t.same(
    (await claim(inbox, ['ship'])).map(({ event }) => event.id),
    ['1']
  )
  const note = {
    realm,
    path: 'a',
    rule: 'b',
    handler: '',
    count: 1,
    firstAt: new Date(),
    lastAt: new Date(),
    eventId: '1'
  }
  t.match(await inbox.flag(['a', 'never', 'c'].map((type) => ({ type, ...note }))), ['flagged', unavailable, 'flagged'])
  t.same((await inbox.drifts()).map(({ type }) => type).sort(), ['a', 'c'])
  let number = 0
  const read = () => ({
    ok: true as const,
    event: { id: `e${(number += 1)}`, type: 'x', liveMode: false, createdTime: '', data: { object: {} } }
  })
  const retried = await Array.fromAsync(
    retryAllQuarantined(inbox, keysOf('a', 'b', 'c'), { read, deliveriesOf: () => [] })
  )
  t.match(
    retried.map(({ result }) => result),
    ['accepted', { notStored: /not this one/ }, 'accepted']
  )
})

t.test('an order key that another session keeps locked: events of the same batch are stored', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  const client = await connect(t, url)
  const key = { handler: 'ship', orderKey: 'slow' }
  await client.query(`BEGIN; ${lockKeys([{ realm, ...key }])}`)
  t.match(await inbox.record([arrival('1', ['mail']), arrival('2', [key]), arrival('3', ['mail'])]), [
    'accepted',
    unavailable,
    'accepted'
  ])
  await client.query('ROLLBACK')
  t.same(await inbox.record([arrival('1', ['mail']), arrival('2', [key])]), ['duplicate', 'accepted'])
})

t.test('large events are moved in batches', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  const from = memoryInbox()
  await from.open()
  const body = randomBytes(200 * 1024)
  for (let number = 0; number < 60; number += 1) await from.record([arrival(`e${number}`, ['ship'], { body })])
  const reports: object[] = []
  t.match(await copyInbox({ from, to: inbox, onProgress: (report) => reports.push(report) }), { seen: 60, copied: 60 })
  t.match(reports.slice(0, 2), [
    { seen: 21, copied: 21 },
    { seen: 42, copied: 42 }
  ])
  t.ok(body.equals((await inbox.event(keyOf('e59')))!.body))
})

t.test('an event that is replayed during its purge stays', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  await inbox.record([arrival('old', ['ship'])])
  await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
  const client = await connect(t, url)
  await client.query('BEGIN; SELECT * FROM riverhook.delivery FOR UPDATE')
  const pruning = inbox.prune({ before: new Date(), limit: 10 })
  // The purge has read the event, and waits for the delivery.
  while (
    (await run(url, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))
      .length === 0
  );
  await client.query("UPDATE riverhook.delivery SET state = 'pending', attempts = 0; COMMIT")
  t.match(await pruning, { purged: 0 })
  t.match((await inbox.event(keyOf('old')))!.deliveries, [{ state: 'pending' }])
})

t.test('an event that arrives again during its purge leaves no rows behind', async (t) => {
  const url = await server.createDatabase(t)
  const inbox = await openPostgres(t, url)
  await inbox.record([arrival('old')])
  const client = await connect(t, url)
  await client.query('BEGIN; SELECT * FROM riverhook.event FOR UPDATE; DELETE FROM riverhook.event')
  const recording = inbox.record([arrival('old')])
  while (
    (await run(url, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))
      .length === 0
  );
  await client.query('COMMIT')
  await Promise.allSettled([recording])
  t.same(await run(url, 'SELECT * FROM riverhook.repeat WHERE event_seq NOT IN (SELECT seq FROM riverhook.event)'), [])
  t.match(await inbox.record([arrival('old')]), [/accepted|duplicate/])
})
