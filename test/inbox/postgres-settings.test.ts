import pg from 'pg'
import t, { type Test } from 'tap'

import { postgresInbox, type Inbox } from '../../src/index.ts'
import { arrival } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'
import { patient } from './limits.ts'
import { run, startPostgres } from './postgres-server.ts'
import { standInPooler } from './stand-in-pooler.ts'
import { keyOf, keysOf, realm } from '../event-keys.ts'

// Risk with a setting of the database, or a function that another user created in it: payloads exposed to others, an
// inbox that does not work, and handlers' queries that find other tables than before.

const server = await startPostgres()
t.teardown(() => server.stop())

/** Settings that a DBA may have made for a database or a role. */
const odd = {
  array_nulls: 'off',
  bytea_output: 'escape',
  client_min_messages: 'debug1',
  datestyle: 'German, DMY',
  default_transaction_deferrable: 'on',
  default_transaction_isolation: 'serializable',
  enable_bitmapscan: 'off',
  enable_indexscan: 'off',
  extra_float_digits: '-15',
  idle_in_transaction_session_timeout: '500ms',
  idle_session_timeout: '500ms',
  intervalstyle: 'sql_standard',
  lock_timeout: '10ms',
  row_security: 'off',
  standard_conforming_strings: 'off',
  statement_timeout: '1s',
  synchronous_commit: 'off',
  timezone: 'Asia/Kathmandu',
  transform_null_equals: 'on'
}

/**
 * Functions found before PostgreSQL's own: a statement of ours that uses one fails, as an attacker's function would
 * succeed.
 */
const traps = `DO $$
DECLARE trap record;
BEGIN
  CREATE SCHEMA trap;
  FOR trap IN
    SELECT oid, oprname, oprleft::regtype AS one, oprright::regtype AS other, oprresult::regtype AS result FROM pg_operator
    WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
      AND oprleft = ANY ('{text,int4,int8,float8,bool,timestamptz,interval,bytea,oid,name}'::regtype[]) AND oprright = ANY ('{text,int4,int8,float8,bool,timestamptz,interval,bytea,oid,name}'::regtype[])
    UNION ALL SELECT 0, '*', 'int4', 'interval', 'interval' UNION ALL SELECT 1, '=', 'text', 'name', 'bool'
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION trap.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', trap.oid, trap.one, trap.other, trap.result, 'BEGIN RAISE ''the trap sprang''; END');
    IF to_regoperator(format('trap.%s(%s,%s)', trap.oprname, trap.one, trap.other)) IS NULL THEN
      EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.operator_%s, LEFTARG = %s, RIGHTARG = %s)', trap.oprname, trap.oid, trap.one, trap.other);
    END IF;
  END LOOP;
  FOR trap IN
    SELECT DISTINCT proname, pg_get_function_identity_arguments(oid) AS arguments FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND NOT proretset AND provariadic = 0 AND pg_get_function_identity_arguments(oid) !~ 'any|internal|ORDER|VARIADIC|cstring|OUT'
      AND proname IN ('ceil', 'count', 'current_setting', 'floor', 'getdatabaseencoding', 'hashint8extended', 'hashtextextended', 'max', 'min', 'nextval', 'now', 'num_nulls', 'pg_advisory_unlock_all',
        'pg_advisory_xact_lock', 'pg_backend_pid', 'pg_current_xact_id', 'pg_has_role', 'pg_is_in_recovery', 'pg_notify', 'pg_try_advisory_xact_lock', 'row_number', 'set_config', 'starts_with', 'statement_timestamp',
        'substring', 'sum')
    UNION ALL SELECT 'hashtextextended', 'text, integer'
  LOOP
    EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', trap.proname, trap.arguments, 'BEGIN RAISE ''the trap sprang''; END');
  END LOOP;
  CREATE VIEW trap.pg_namespace AS SELECT 1 AS nspname;
  CREATE DOMAIN trap.text AS pg_catalog.text CHECK (false);
  CREATE DOMAIN trap.int8 AS pg_catalog.int8 CHECK (false);
END $$`

async function createOdd(t: Test): Promise<string> {
  const url = await server.createDatabase(t)
  const name = new URL(url).pathname.slice(1)
  await run(url, `CREATE TABLE public.shop AS SELECT 'shoes' AS name; CREATE TABLE public.booking (at timestamptz)`)
  await run(url, traps)
  await run(
    url,
    `${Object.entries(odd)
      .map(([setting, value]) => `ALTER DATABASE ${name} SET ${setting} = '${value}'`)
      .join('; ')}; ALTER DATABASE ${name} SET search_path = trap, public, pg_catalog`
  )
  return url
}

/** Uses every method of an inbox. */
async function walk(t: Test, inbox: Inbox): Promise<void> {
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.adopt([
    { name: 'ship', source: 'digital-river', pattern: '*' },
    { name: 'NULL', source: 'digital-river', pattern: '*', ordered: true }
  ])
  const keyed = (orderKey?: string) => ({ handler: 'NULL', ...(orderKey === undefined ? {} : { orderKey }) })
  t.same(
    await inbox.record([
      arrival('1', ['ship', keyed()]),
      arrival('2', ['ship', keyed('NULL')]),
      arrival('\\', [keyed('NULL')])
    ]),
    ['accepted', 'accepted', 'accepted']
  )
  t.same(await inbox.record([arrival('1')]), ['duplicate'])
  t.same([...(await inbox.known(realm, ['1', '3']))], ['1'])
  const claimed = await claim(inbox, ['ship', 'NULL'])
  t.same(
    claimed.map(({ handler, orderKey, event }) => [handler, orderKey, event.id, event.receivedAt.getTime()]),
    [
      ['ship', undefined, '1', 1e6],
      ['ship', undefined, '2', 1e6],
      ['NULL', undefined, '1', 1e6],
      ['NULL', 'NULL', '2', 1e6]
    ]
  )
  t.same(await inbox.extend(claimed, 30_000), [])
  const [first, second, ...others] = claimed
  t.same(
    await settleAll(inbox, [second!], {
      state: 'retry',
      dueAt: new Date(Date.now() + 3_600_000),
      error: 'a \\ b',
      releaseKey: false
    }),
    ['settled']
  )
  const seen = await inbox.transact!({ ...first!, startedAt: new Date() }, async (tx) => {
    await tx.query('CREATE TYPE pg_temp.text AS (x int); CREATE TYPE pg_temp.int8 AS (x int)')
    await tx.query('INSERT INTO booking VALUES (NULL)')
    // The handler finds its table by its search_path, and uses its time zone.
    return [
      await tx.query<object>('SELECT name FROM shop'),
      await tx.query<object>('SHOW timezone'),
      await tx.query<object>('SHOW array_nulls')
    ].map(({ rows }) => rows)
  })
  t.same(seen, [[{ name: 'shoes' }], [{ TimeZone: 'Asia/Kathmandu' }], [{ array_nulls: 'off' }]])
  t.same(
    await settleAll(inbox, others, { state: 'done' }),
    others.map(() => 'settled')
  )
  t.same(
    await inbox.replay([
      { event: keyOf('2'), handler: 'NULL' },
      { event: keyOf('1'), handler: 'more', orderKey: 'k' }
    ]),
    ['replayed', 'created']
  )
  await inbox.flag([
    {
      realm,
      type: 'a',
      path: 'b',
      rule: 'c',
      handler: 'd',
      count: 2,
      firstAt: new Date(1),
      lastAt: new Date(2),
      eventId: '1'
    }
  ])
  t.match(await inbox.drifts(), [{ count: 2, firstAt: new Date(1), lastAt: new Date(2) }])
  await inbox.advance(realm, 'mark', new Date(5))
  t.same(await inbox.watermarks(), [{ realm, name: 'mark', at: new Date(5) }])
  t.match(await inbox.stats(), { events: 3, duplicates: 1 })
  t.match(await inbox.probe(), { oldestDueAt: Date })
  t.same(
    (
      await inbox.events({
        limit: 9,
        type: 'order.*',
        handler: 'NULL',
        since: new Date(999_999),
        until: new Date(1_000_001)
      })
    ).events.map(({ id }) => id),
    ['\\', '2', '1']
  )
  const detail = (await inbox.event(keyOf('\\')))!
  t.equal(await inbox.remove(keysOf('\\')), 1)
  t.equal(await inbox.restore([detail]), 1)
  await inbox.prune({ before: new Date(), limit: 10 })
}

t.test('on its own connections', async (t) => {
  const url = await createOdd(t)
  await walk(t, postgresInbox({ connectionString: url, maxConnections: 2, ...patient }))
})

t.test("on the merchant's pool", async (t) => {
  const pool = new pg.Pool({ connectionString: await createOdd(t), max: 6 })
  t.teardown(() => pool.end())
  await walk(t, postgresInbox({ pool, ...patient }))
})

t.test('a pool on which nothing could be recorded is refused at the start, not at every event', async (t) => {
  for (const options of [{ max: 1 }, { binary: true }]) {
    const pool = new pg.Pool(options)
    t.teardown(() => pool.end())
    t.throws(() => postgresInbox({ pool }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /option "pool" has (?:1 connection|binary: true)/
    })
  }
})

t.test(
  'a pooler that shares sessions is refused before any session setting; one that does not is accepted',
  async (t) => {
    const url = await server.createDatabase(t)
    const shared = await standInPooler(t, url, 'transaction')
    const pool = new pg.Pool({ connectionString: shared, max: 4 })
    t.teardown(() => pool.end())
    for (const inbox of [postgresInbox({ connectionString: shared }), postgresInbox({ pool })]) {
      await t.rejects(inbox.open(), {
        code: 'RIVERHOOK_INBOX_ADDRESS',
        message: /PgBouncer in transaction mode.*direct address.*session mode/
      })
      await inbox.close()
    }
    t.same(await run(shared, 'SHOW search_path'), [{ search_path: '"$user", public' }])
    const inbox = postgresInbox({
      connectionString: await standInPooler(t, url, 'session'),
      maxConnections: 2,
      ...patient
    })
    await inbox.open()
    t.teardown(() => inbox.close())
    t.same(await inbox.record([arrival('e1', ['ship'])]), ['accepted'])
    t.match(await claim(inbox, ['ship']), [{ event: { id: 'e1' } }])
  }
)
