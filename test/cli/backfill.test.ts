import { once } from 'node:events'
import t from 'tap'

import { openInbox, type Inbox } from '../../src/index.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { arrival } from '../inbox/arrivals.ts'
import { event } from '../receive/receiver.ts'
import { runCli, startCli, startServer } from '../processes.ts'
import { cliHere, start } from './rig.ts'
import { keyOf } from '../event-keys.ts'

async function using(address: string, use: (inbox: Inbox) => Promise<void>): Promise<void> {
  const inbox = openInbox(address)
  await inbox.open()
  await use(inbox).finally(() => inbox.close())
}

// Risk: no command to fetch missed events, or to rehearse a backfill.

t.test('backfill recovers what is missing, beside a server that handles it', async (t) => {
  const { river, env, cli } = await start(t)
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_LOG_LEVEL: 'debug' })
  t.teardown(() => server.end('SIGKILL'))
  const ago = (minutes: number) => ({ createdTime: new Date(Date.now() - minutes * 60_000).toISOString() })
  const missed = Array.from({ length: 12 }, (_, index) => river.list('order.accepted', ago(index + 1)))
  river.list('sku.created', ago(5))
  const dry = await cli('backfill', '--since', '1h', '--dry-run')
  t.equal(dry.code, 0, dry.stderr)
  t.match(dry.stdout, /listed +12 by Digital River, created .*\nhad arrived +0\nwould be recovered +12\n/)
  const done = await cli('backfill', '--since', '1h')
  t.match(done.stdout, /had arrived +0\nrecovered +12\n/)
  for (const { id } of missed)
    await server.line(new RegExp(`"event_id":"${id}".*handled|handled.*"event_id":"${id}"`, 'i'))
  const again = await cli('backfill', '--since', '1h', '--json')
  t.match(JSON.parse(again.stdout), { listed: 12, arrived: 12, recovered: 0, forgotten: 0 })
  t.match(JSON.parse((await cli('backfill', '--since', '1h', '--type', 'sku.*', '--dry-run', '--json')).stdout), {
    listed: 1,
    recovered: 1
  })
  t.match((await cli('events', 'list', '--limit', '1')).stdout, /order\.accepted \(backfilled\)/)
  t.match((await cli('events', 'show', missed[0]?.id ?? '')).stdout, /by backfill, for \/webhooks\/digital-river/)
  t.match((await cli('stats')).stdout, /12 events, 0 quarantined, 12 backfilled/)
  const far = await cli('backfill', '--since', '40d', '--dry-run')
  t.match(far.stdout, /gap .*Digital River does not list events this old/)
  t.match(await cliHere(['backfill', '--since', '1h', '--until', '2h'], env), {
    code: 2,
    stderr: /--since must be before --until/
  })
})

t.test('without the code of a handler with orderBy, nothing is recorded, and the reason is reported', async (t) => {
  const { river, env, inbox } = await start(t)
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a' })
  await server.end('SIGTERM')
  river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const { RIVERHOOK_HANDLERS: folder, ...without } = env
  const told = { code: 2, stderr: /The handler ship has an orderBy.*--handlers/ }
  t.match(await cliHere(['backfill', '--since', '1h'], without), told)
  const opened = openInbox(inbox, { role: 'command' })
  await opened.open()
  t.teardown(() => opened.close())
  t.equal((await opened.stats()).events, 0)
  await opened.record([arrival('e1', [], { body: event({ id: 'e1' }) })])
  t.match(await cliHere(['events', 'replay', 'e1', '--yes'], without), told)
  t.equal((await cliHere(['events', 'replay', 'e1', '--yes', '--handlers', folder], without)).code, 0)
  t.match(await opened.event(keyOf('e1')), { deliveries: [{ handler: 'ship', orderKey: 'o1' }] })
})

t.test('a fetched event is checked by the same rules as a received one', async (t) => {
  const { river, env, inbox } = await start(t)
  river.list('order.accepted', {
    createdTime: new Date(Date.now() - 60_000).toISOString(),
    data: { object: { id: 5 } }
  })
  await using(inbox, async () => undefined)
  const { code, stdout } = await cliHere(['backfill', '--since', '1h', '--json'], {
    ...env,
    RIVERHOOK_VALIDATE: 'reject'
  })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { listed: 1, recovered: 0, quarantined: 1 })
  await using(inbox, async (opened) => {
    t.match((await opened.events({ state: 'quarantined', limit: 1 })).events, [
      { reason: /does not match its schema: data\.object\.id \(type\)/ }
    ])
  })
})

t.test('a backfill that is killed and started again neither loses nor doubles', async (t) => {
  const hung = Promise.withResolvers<undefined>()
  const { river, inbox, env, cli } = await start(t, {
    onCall: ({ status }) => {
      if (status === undefined) hung.resolve(undefined)
    }
  })
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a' })
  await server.end('SIGTERM')
  // A window of two days has several parts. One API call is never answered.
  const events = Array.from({ length: 40 }, (_, index) =>
    river.list('order.accepted', { createdTime: new Date(Date.now() - (index + 1) * 3_600_000).toISOString() })
  )
  river.faults.next('hang', 1, { path: '/events', skip: 6 })
  const child = startCli(['backfill', '--since', '2d'], env)
  await hung.promise
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { code, stdout, stderr } = await cli('backfill', '--since', '2d', '--json')
  t.equal(code, 0, stderr)
  const report = JSON.parse(stdout) as { listed: number; arrived: number; recovered: number }
  t.match(report, { listed: 40 })
  t.ok(report.arrived > 0 && report.recovered > 0, `it was killed in the middle: ${stdout}`)
  t.equal(report.arrived + report.recovered, 40)
  const opened = sqliteInbox({ path: inbox.slice('sqlite:'.length), role: 'command' })
  await opened.open()
  t.teardown(() => opened.close())
  const stored = (await opened.events({ limit: 100 })).events
  t.same(
    stored.map(({ id }) => id),
    events.map(({ id }) => id),
    'each once, oldest first'
  )
  t.ok(stored.every(({ deliveries, duplicates }) => deliveries.length === 1 && duplicates === 0))
})

t.test('simulate: a rehearsal with every fault', async (t) => {
  const { env, cli } = await start(t)
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a' })
  t.teardown(() => server.end('SIGKILL'))
  const url = `${server.url}/webhooks/digital-river`
  const simulate = (secret: string, ...args: string[]) =>
    runCli(
      [
        'simulate',
        '--port',
        '0',
        '--address',
        url,
        '--secret',
        secret,
        '--type',
        'order.accepted',
        '--rate',
        '100',
        '--retry-after',
        '10ms',
        ...args
      ],
      { env }
    )
  const good = await simulate('whk_a', '--scenario', 'all', '--count', '14')
  t.equal(good.code, 0, good.stdout)
  t.match(good.stdout, /401 {2}order\.accepted.*wrong-secret/)
  t.match(good.stdout, /(\d+) events: \1 sent in \d+ requests, \1 acknowledged\./)
  t.match(JSON.parse((await cli('stats', '--json')).stdout), { events: 14, quarantined: 0 })
  const bad = await simulate('whk_b', '--count', '3')
  t.equal(bad.code, 1)
  t.match(bad.stdout, /3 sent in 12 requests, 0 acknowledged\.\nwebhook .* was disabled/)
  t.match(await cliHere(['simulate', '--type', 'no.such']), { code: 2, stderr: /no event type of that name/ })
})
