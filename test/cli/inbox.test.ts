import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { openInbox, type Act, type Inbox, type TallyRow } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { run, startPostgres } from '../inbox/postgres-server.ts'
import { event } from '../receive/receiver.ts'
import { runCli, startServer } from '../processes.ts'
import { cliHere } from './rig.ts'
import { realm } from '../event-keys.ts'

// Risk: a move from one machine to several that loses deliveries that are due, or repeats those that are done.

const server = await startPostgres()
t.teardown(() => server.stop())

async function using<Result>(address: string, use: (inbox: Inbox) => Promise<Result>): Promise<Result> {
  const inbox = openInbox(address)
  await inbox.open()
  return use(inbox).finally(() => inbox.close())
}

t.test('commands read the address of the inbox from RIVERHOOK_INBOX_FILE; the help does not print it', async (t) => {
  const folder = makeFolder(t, { stored: {}, empty: {} })
  const address = (name: string): string => `sqlite:${join(folder, name, 'inbox.db')}`
  await using(address('stored'), (inbox) => inbox.record([arrival('from-a-file', [])]))
  await using(address('empty'), async () => undefined)
  writeFileSync(join(folder, 'address'), `${address('stored')}\n`)
  const env = { RIVERHOOK_INBOX_FILE: join(folder, 'address') }
  t.match(await cliHere(['events', 'list'], env), { code: 0, stdout: /from-a-file/ })
  t.notMatch((await cliHere(['events', 'list', '--inbox', address('empty')], env)).stdout, /from-a-file/)
  t.notMatch((await cliHere(['stats', '--help'], env)).stdout, address('stored'))
  t.match(await cliHere(['stats'], { ...env, RIVERHOOK_INBOX_FILE: '/nowhere' }), {
    code: 1,
    stderr: /RIVERHOOK_INBOX_FILE names \/nowhere/
  })
})

t.test('copy: from SQLite to PostgreSQL and back; a second run copies nothing', async (t) => {
  const sqlite = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const postgres = await server.createDatabase(t)
  const act: Act = { actor: { name: 'ada', via: 'code' }, action: 'handler.pause', target: '' }
  const lastDay = () => ({
    since: new Date(Date.now() - 86_400_000),
    until: new Date(Date.now() + 60_000),
    step: 'minute' as const
  })
  let tally: readonly TallyRow[] = []
  await using(sqlite, async (inbox) => {
    for (let start = 0; start < 450; start += 90)
      await inbox.record(Array.from({ length: 90 }, (_, index) => arrival(`e${start + index}`, ['ship'])))
    await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
    await inbox.advance(realm, 'purged', new Date(5000))
    for (const count of [1, 2, 2]) await inbox.audit({ ...act, target: 'ship' }, { count, outcome: 'done' })
    await inbox.countRequests([
      { endpoint: '/hook', outcome: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', at: new Date(), count: 7 }
    ])
    tally = await inbox.tally(lastDay())
    await inbox.flag([
      {
        realm,
        type: 'order.accepted',
        path: 'data.object.x',
        rule: 'type',
        handler: '',
        count: 3,
        firstAt: new Date(1),
        lastAt: new Date(2),
        eventId: 'e1'
      }
    ])
  })
  const copy = () => cliHere(['inbox', 'copy', '--from', sqlite, '--to', postgres, '--yes'])
  t.match(await copy(), {
    code: 0,
    stdout: /^450 of 450 events copied; 0 were there already\.\nDo not start a server on sqlite:.* again/
  })
  // Risk: the history of the old inbox is lost, or counted twice when an interrupted copy is repeated.
  const back = `sqlite:${join(t.testdirName, 'back.db')}`
  t.match(await copy(), { code: 0, stdout: /^0 of 450 events copied; 450 were there already\.\n/ })
  await using(postgres, async (inbox) => {
    t.match((await inbox.stats()).deliveries, { done: 100, pending: 350 })
    t.same(
      (await inbox.events({ limit: 2, oldestFirst: true })).events.map(({ id }) => id),
      ['e0', 'e1']
    )
    t.same(await inbox.watermark(realm, 'purged'), new Date(5000))
    t.match(await inbox.drifts(), [{ count: 3 }])
    t.same(await inbox.tally(lastDay()), tally)
  })
  t.match(await cliHere(['inbox', 'copy', '--from', postgres, '--to', back, '--yes']), { code: 0 })
  t.match(await cliHere(['inbox', 'copy', '--from', postgres, '--to', back, '--yes']), { code: 0 })
  await using(back, async (inbox) => {
    t.same(await inbox.tally(lastDay()), tally)
    t.same(
      (await inbox.audits({ limit: 99 })).entries.map(({ action, count }) => [action, count]),
      [
        ['inbox.copy', 0],
        ['inbox.copy', 450],
        ['inbox.copy', 0],
        ['inbox.copy', 450],
        ['handler.pause', 2],
        ['handler.pause', 2],
        ['handler.pause', 1]
      ]
    )
  })
})

t.test('copy: refused while a server uses the file, and onto the same inbox', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const running = await startServer({ RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_INBOX: inbox })
  t.teardown(() => running.end('SIGKILL'))
  const other = `sqlite:${join(t.testdirName, 'other.db')}`
  t.match(await cliHere(['inbox', 'copy', '--from', inbox, '--to', other, '--yes']), {
    code: 1,
    stderr: /in use by another server/
  })
  t.match(await cliHere(['inbox', 'copy', '--from', inbox, '--to', inbox, '--yes']), {
    code: 2,
    stderr: /the same inbox/
  })
})

t.test(
  'copy: a mistyped source is an error and is not created, a live one is refused, and no password is shown',
  async (t) => {
    const folder = makeFolder(t)
    const to = await server.createDatabase(t)
    const none = `sqlite:${join(folder, 'rivrhook.db')}`
    t.match(await cliHere(['inbox', 'copy', '--from', none, '--to', to, '--yes']), {
      code: 1,
      stderr: /There is no inbox at .*rivrhook\.db/
    })
    t.same(readdirSync(folder), [], 'not even a lock file')
    const empty = await server.createDatabase(t)
    t.match(await cliHere(['inbox', 'copy', '--from', empty, '--to', to, '--yes']), {
      code: 1,
      stderr: /no inbox in the schema/
    })
    await using(empty, async (live) => {
      await live.adopt([])
      t.match(await cliHere(['inbox', 'copy', '--from', empty, '--to', to, '--yes']), {
        code: 1,
        stderr: /in use by process \d+ on .*Stop its servers/
      })
    })
    t.match(await cliHere(['inbox', 'copy', '--from', empty, '--to', to]), {
      code: 2,
      stderr: /^riverhook: Copy 0 events from postgres:\/\/[^@]+ to postgres:\/\/[^@]+\?/
    })
    t.match(
      await cliHere(['inbox', 'copy', '--from', empty, '--to', empty.replace('postgres:', 'postgresql:'), '--yes']),
      { code: 2, stderr: /the same inbox/ }
    )
  }
)

t.test('backup and restore work as README and the messages describe', async (t) => {
  const folder = makeFolder(t)
  const inbox = `sqlite:${join(folder, 'inbox.db')}`
  const file = join(folder, 'monday.db')
  await using(inbox, async (open) => {
    await open.record([arrival('a'), arrival('b')])
    t.match(await cliHere(['inbox', 'backup', file, '--inbox', inbox]), {
      code: 0,
      stdout: /^2 events backed up to .*monday\.db \(\d+ bytes\)/
    })
    await open.record([arrival('c')])
    t.match(await cliHere(['inbox', 'restore', file, '--inbox', inbox]), {
      code: 1,
      stderr: /in use by another server/
    })
  })
  t.match(await cliHere(['inbox', 'restore', file, '--inbox', inbox]), {
    code: 0,
    stdout: /^2 events restored; the newest arrived at .*\nThe replaced inbox is kept: .*inbox\.db\.replaced-/
  })
  t.match(JSON.parse((await cliHere(['stats', '--json', '--inbox', inbox])).stdout), { events: 2 })
  t.match(await cliHere(['inbox', 'backup', file, '--inbox', inbox]), { code: 1, stderr: /exists already/ })
  t.match(await cliHere(['inbox', 'backup', join(folder, 'x'), '--inbox', 'postgres://u:secret@h/d']), {
    code: 1,
    stderr: /pg_dump/
  })
})

t.test('migrate: creates the tables, or prints their SQL', async (t) => {
  const address = await server.createDatabase(t)
  t.match(await cliHere(['events', 'list', '--inbox', address]), {
    code: 1,
    stderr: /no inbox in the schema "riverhook".*riverhook inbox migrate/
  })
  const printed = await cliHere(['inbox', 'migrate', '--print', '--inbox', `${address}?schema=shop`])
  t.match(
    printed.stdout,
    /^BEGIN;\n[^]*CREATE SCHEMA IF NOT EXISTS "shop";[^]*CREATE TABLE "shop"\.event[^]*COMMIT;\n$/
  )
  await run(address, printed.stdout)
  t.match(await cliHere(['events', 'list', '--inbox', `${address}?schema=shop`]), { code: 0, stdout: 'No events.\n' })
  t.match(await cliHere(['inbox', 'migrate', '--inbox', address]), { code: 0, stdout: 'The inbox is up to date.\n' })
  t.match(await cliHere(['inbox', 'migrate', '--print', '--inbox', 'sqlite:x.db']), {
    code: 1,
    stderr: /Only a PostgreSQL inbox/
  })
})

t.test('two servers on one database: either accepts an event, both know it, and the commands see it', async (t) => {
  const env = {
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: await server.createDatabase(t),
    RIVERHOOK_HANDLERS: makeFolder(t, {
      'a.js': "export default (riverhook) => { riverhook.on('*', { name: 'ship' }, () => undefined) }\n"
    }),
    RIVERHOOK_LOG_LEVEL: 'debug'
  }
  const servers = await Promise.all([startServer(env), startServer(env)])
  t.teardown(() => Promise.all(servers.map((each) => each.end('SIGKILL'))))
  const [one, two] = servers
  const send = (url: string) =>
    runCli(['send', '-', '--url', `${url}/webhooks/digital-river`], { env, input: event({ id: 'e1' }) })
  t.match((await send(one.url)).stdout, /"accepted"/)
  t.match((await send(two.url)).stdout, /"duplicate"/)
  await Promise.race(servers.map((each) => each.line(/"event_id":"e1".*handled/)))
  t.match((await cliHere(['events', 'show', 'e1'], env)).stdout, /ship: done/)
  t.match((await cliHere(['events', 'replay', 'e1', '--include-done', '--yes'], env)).stdout, /1 deliver/)
  t.same(await Promise.all(servers.map((each) => each.end('SIGTERM'))), [0, 0])
})
