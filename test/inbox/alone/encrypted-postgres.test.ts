import { randomBytes } from 'node:crypto'
import pg from 'pg'
import t from 'tap'

import { countEncrypted, encryptInbox, reencryptInbox } from '../../../src/inbox/open-inbox.ts'
import { postgresInbox } from '../../../src/inbox/postgres/engine.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { keyOf } from '../../event-keys.ts'
import { arrival, quarantined } from '../arrivals.ts'
import { claim, inboxContract, settleAll } from '../contract.ts'
import { another, emptiedInboxes } from '../emptied-inboxes.ts'
import { emptiedSchemas, keptPresenceMs } from '../emptied-schemas.ts'
import { patient } from '../limits.ts'
import { startPostgres } from '../postgres-server.ts'

// Risk: with encryption, a promise of the inbox does not hold on PostgreSQL, or personal data is in a dump.

const server = await startPostgres()
t.teardown(() => server.stop())

const connectionString = await server.createDatabase(t)
const schemas = await emptiedSchemas(t, connectionString)
const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`
const [k1, k2] = [newKey('k1'), newKey('k2')]
const marker = 'Mrs-Personal-Data'

const inboxes = emptiedInboxes(t, async (clock, number) => {
  const schema = `emptied_${number}`
  const inbox = postgresInbox({
    connectionString,
    maxConnections: 4,
    schema,
    clock,
    presenceMs: keptPresenceMs,
    ...patient
  })
  await inbox.open()
  return { inbox, empty: () => schemas.clear(schema) }
})

void inboxContract(t, async (t) => {
  const { inbox: engine, now, advance } = await inboxes.take(t)
  // A new object, because an engine is encrypted with one set of keys for its life.
  const inbox = encryptInbox(another(engine), { keys: k1 })
  await inbox.open()
  return {
    inbox,
    findsBeginnings: false,
    advance,
    now
  }
})

t.test('no table has personal data, while the keys change beside a server', async (t) => {
  const schema = await schemas.take(t)
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  const open = async (keys?: readonly string[], role: 'server' | 'command' = 'server'): Promise<Inbox> => {
    const engine = postgresInbox({ connectionString, maxConnections: 4, schema, role, ...patient })
    const inbox = keys === undefined ? engine : encryptInbox(engine, { keys })
    await inbox.open()
    t.teardown(() => inbox.close())
    return inbox
  }
  /** As a dump: the rows of all tables as text, bytes too. */
  const dump = async (): Promise<string> => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1',
      [schema]
    )
    const texts: string[] = []
    for (const { name } of rows) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM "${schema}"."${name}"`)
      for (const value of rows.flatMap((row) => Object.values(row)))
        texts.push(Buffer.isBuffer(value) ? value.toString('latin1') : String(value))
    }
    return texts.join('\n')
  }
  const body = (id: string) => Buffer.from(JSON.stringify({ id, name: marker }))
  const marked = (id: string) => ({
    ...arrival(id),
    body: body(id),
    headers: { 'x-name': marker },
    about: [marker.toLowerCase()],
    resource: marker,
    deliveries: [{ handler: 'ship', orderKey: marker }]
  })
  const fill = async (inbox: Inbox): Promise<void> => {
    await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*', ordered: true }])
    await inbox.record([marked('1'), marked('2'), quarantined('q', { body: body('q'), reason: marker })])
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: marker })
  }
  const expectWhole = async (inbox: Inbox): Promise<void> => {
    const detail = (await inbox.event(keyOf('1')))!
    t.ok(Buffer.from(detail.body).equals(body('1')))
    t.match(detail, { headers: { 'x-name': marker }, about: [marker.toLowerCase()], resource: marker })
    t.match(detail.deliveries, [{ orderKey: marker, lastError: marker, attemptLog: [{ error: marker }] }])
    t.match(await inbox.record([marked('1')]), ['duplicate'])
    t.equal((await inbox.stats()).conflicts, 0)
  }

  const plain = await open()
  await fill(plain)
  t.match(await dump(), marker, 'the test can find it')
  await t.rejects(open([k1]), { code: 'RIVERHOOK_INBOX_IN_USE', message: /begins or ends/ })
  await plain.close()
  const first = await open([k1])
  await expectWhole(first)
  const [second] = await claim(first, ['ship'])
  t.match(second, { orderKey: marker, event: { id: '2' } })
  await settleAll(first, [second!], { state: 'done' })
  await reencryptInbox(first, { keys: [k1] })
  t.notMatch((await dump()).toLowerCase(), marker.toLowerCase())
  const replica = await open([k2, k1])
  await replica.record([marked('3')])
  await expectWhole(replica)
  await reencryptInbox(replica, { keys: [k2, k1] })
  t.same(Object.fromEntries(await countEncrypted(replica)), { k2: 4 })
  t.notMatch((await dump()).toLowerCase(), marker.toLowerCase())
  await first.close()
  await replica.close()
  await expectWhole(await open([k2]))
})
