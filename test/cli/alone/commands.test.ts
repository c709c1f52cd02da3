import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import t from 'tap'

import { openInbox } from '../../../src/index.ts'
import { makeFolder } from '../../folder.ts'
import { arrival } from '../../inbox/arrivals.ts'
import { claim, settleAll } from '../../inbox/contract.ts'
import { event } from '../../receive/receiver.ts'
import { runCli, startServer } from '../../processes.ts'
import { cliHere, untilStored } from '../rig.ts'
import { keyOf } from '../../event-keys.ts'

// Risk: no way to inspect or repair an event while the server runs.

const handlers = `
import { defineHandler, PermanentError } from 'riverhook'
export default [
  defineHandler('order.*', { name: 'ship' }, () => undefined),
  defineHandler('order.accepted', { name: 'bill' }, () => { throw new PermanentError('no such customer') })
]
`

t.test('handlers are listed, paused and resumed', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const env = { RIVERHOOK_INBOX: inbox }
  const server = openInbox(inbox)
  await server.open()
  t.teardown(() => server.close())
  t.equal(
    (await cliHere(['handlers', 'list'], env)).stdout,
    'No handlers: no server with handlers has used this inbox.\n'
  )
  await server.adopt([
    { name: 'erp', source: 'digital-river', pattern: 'order.*' },
    { name: 'mail', source: 'digital-river', pattern: '*' }
  ])
  await server.record([arrival('e1', ['erp', 'mail']), arrival('e2', ['erp', 'gone'])])

  const paused = await cliHere(['handlers', 'pause', 'erp'], env)
  t.same(
    [paused.code, paused.stdout],
    [0, 'erp is paused. Its deliveries wait; to resume it, run: riverhook handlers resume erp\n']
  )
  const misspelt = await cliHere(['handlers', 'pause', 'erpp'], env)
  t.match(misspelt, { code: 1, stderr: 'riverhook: There is no handler "erpp"; did you mean "erp"?\n' })
  const { stdout } = await cliHere(['handlers', 'list'], env)
  t.match(stdout, /erp +digital-river +order\.\* +2 +0 +0 +0 +0 +paused for \d s/, 'it is not overdue')
  t.match(stdout, /mail +digital-river +\* +1 +0 +0 +0 +0/)
  t.match(stdout, /gone +1 +0 +0 +0 +0 +\d+ \w+ +no server has it/)
  const [first = ''] = (await cliHere(['handlers', 'list', '--json'], env)).stdout.split('\n')
  t.match(JSON.parse(first), {
    name: 'erp',
    pausedSince: /^20/,
    deliveries: { pending: 2, dead: 0 },
    oldestDueAt: undefined
  })
  t.match((await cliHere(['stats'], env)).stdout, /erp has been paused for \d s; to resume it, run/)

  t.equal((await cliHere(['handlers', 'resume', 'erp'], env)).stdout, 'erp is resumed: 2 deliveries to run.\n')
  t.equal((await cliHere(['handlers', 'resume', 'erp'], env)).stdout, 'erp was not paused.\n')
})

t.test('events are sent, listed, shown, replayed and removed beside a running server', async (t) => {
  const folder = makeFolder(t, { handlers: { 'handlers.js': handlers } })
  const inbox = `sqlite:${join(folder, 'inbox.db')}`
  const env = {
    RIVERHOOK_INBOX: inbox,
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_LOG_LEVEL: 'debug'
  }
  const server = await startServer(env)
  t.teardown(() => server.end('SIGKILL'))
  const url = `${server.url}/webhooks/digital-river`
  const cli = (args: string[], input?: string | Uint8Array) =>
    input === undefined ? cliHere(args, env) : runCli(args, { env, input })

  const first = event({ id: 'e1', data: { object: { id: 'o1', note: 'für dich', email: 'kim@x.example' } } })
  const sent = await untilStored(() => cli(['send', '-', '--url', url], first))
  t.same([sent.code, sent.stdout], [0, '202 Accepted\n{"id":"e1","status":"accepted"}\n'], sent.stderr)
  const file = join(folder, 'event.json')
  writeFileSync(file, event({ id: 'e2', type: 'order.cancelled' }))
  t.equal((await untilStored(() => cli(['send', file, '--url', url]))).code, 0)
  const forged = await cli(['send', file, '--url', url, '--secret', 'whk_b'])
  t.equal(forged.code, 1)
  t.match(forged.stdout, /^401 Unauthorized/)
  await cli(['send', '-', '--url', url], '{"id":"broken"}')
  await server.line(/"event_id":"e1".*"handler":"bill".*"attempt":1/)
  await server.line(/"event_id":"e2".*"handler":"ship".*handled/)

  const list = await cli(['events', 'list'])
  t.match(list.stdout, /e1 +order\.accepted +done 1, dead 1 +PermanentError: no such customer/)
  t.match(list.stdout, /e2 +order\.cancelled +done 1/)
  t.match(list.stdout, /quarantine_[0-9a-f]{32} +quarantined +The Event lacks the field "type"/)
  const dead = await cli(['events', 'list', '--state', 'dead', '--since', '1h', '--json'])
  t.match(
    dead.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [{ id: 'e1', type: 'order.accepted', deliveries: [{ state: 'done' }, { state: 'dead' }] }]
  )
  t.equal((await cli(['events', 'list', '--until', '1h'])).stdout, 'No events.\n')
  t.equal((await cli(['events', 'list', '--live', '--json'])).stdout, '')
  t.equal(
    (await cli(['events', 'list', '--test', '--endpoint', '/webhooks/digital-river', '--json'])).stdout,
    (await cli(['events', 'list', '--state', 'accepted', '--json'])).stdout
  )
  const idsBy = async (...args: string[]) =>
    [...(await cli(['events', 'list', ...args])).stdout.matchAll(/ (e\d) /g)].map(([, id]) => id)
  t.same(await idsBy('--error', 'NO SUCH'), ['e1'])
  t.same(await idsBy('--where', 'data.object.note~DICH', '--where', 'type=order.accepted'), ['e1'])
  t.same(await idsBy('--where', 'type!=order.accepted'), ['e2'])
  t.match((await cli(['events', 'list', '--limit', '1'])).stdout, /There are more. Show more with --limit 5/)

  const show = await cli(['events', 'show', 'e1', '--payload'])
  t.match(show.stdout, /checks +signature; secret number 1/)
  t.match(show.stdout, /bill: dead\n.*attempt 1 {2}dead .*PermanentError: no such customer/)
  t.match(show.stdout, /bill: dead[^]*"note": "für dich",\n *"email": "•••• \(string, 13\)"/, 'the payload is the last')
  t.match((await cli(['events', 'show', 'e1', '--reveal'])).stdout, /about +kim@x\.example, o1\n/)
  t.match(JSON.parse((await cli(['events', 'show', 'e1', '--json'])).stdout), {
    id: 'e1',
    body: { id: 'e1' },
    deliveries: [{ handler: 'ship' }, { handler: 'bill' }]
  })
  const missing = await cli(['events', 'show', 'nope'])
  t.same([missing.code, missing.stderr], [1, 'riverhook: The inbox has no event with the id nope\n'])

  const stats = await cli(['stats'])
  t.match(stats.stdout, /\n1 dead letter; to run it again: riverhook events replay --state dead\n/)
  t.match(stats.stdout, /2 events, 1 quarantined/)
  t.match(stats.stdout, /bill +0 +0 +0 +0 +1 dead +0/)
  t.match(JSON.parse((await cli(['stats', '--json'])).stdout), {
    events: 2,
    quarantined: 1,
    deliveries: { done: 2, dead: 1 }
  })

  const dry = await cli(['events', 'replay', '--state', 'dead', '--dry-run'])
  t.match(dry, { code: 0, stdout: /^Would replay \d deliver.* \(bill: \d dead\)\. Nothing was changed\.\n$/ })
  const limited = await cli(['events', 'replay', '--type', '*', '--include-done', '--limit', '1', '--dry-run'])
  t.equal(limited.stdout, 'Would replay 1 delivery of 1 event (ship: 1 done). Nothing was changed.\n')
  t.match(await cli(['events', 'replay', '--state', 'dead', '--limit', '0']), {
    code: 2,
    stderr: /It must be a whole number from 1 to 1,000,000/
  })
  const asks = await cli(['events', 'replay', '--state', 'dead'])
  t.equal(asks.code, 2)
  t.match(asks.stderr, /Replay 1 delivery of 1 event \(bill: 1 dead\)\? There is no terminal to ask on: pass --yes/)
  const replayed = await cli(['events', 'replay', '--state', 'dead', '--handler', 'bill', '--yes'])
  t.match(replayed.stdout, /^1 delivery will run now\.\n/)
  await server.line(/"event_id":"e1".*"handler":"bill"/)
  t.match((await cli(['events', 'replay', '--type', 'refund.*', '--yes'])).stdout, /Nothing to replay/)
  t.match(
    (await cli(['events', 'replay', '--state', 'quarantined', '--yes'])).stdout,
    /still cannot be read as an event: The Event lacks the field "type"/
  )
  t.match((await cli(['events', 'replay'])).stderr, /Give an ID or a filter, for example --state dead/)

  t.match(
    (await cli(['events', 'remove', '--state', 'done', '--yes'])).stdout,
    /^1 event is kept: erased, or with another delivery that is not done\. .*\n1 event removed\.\n$/
  )
  t.equal((await cli(['events', 'show', 'e1'])).code, 0)
  t.match((await cli(['events', 'remove', '--state', 'quarantined', '--yes'])).stdout, /^1 event removed\.\n$/)
  t.match(await cli(['events', 'remove', 'nope', '--yes']), { code: 1, stderr: /no event with the id nope/ })
  t.equal(await server.end('SIGTERM'), 0)
})

t.test('a wrong command line exits with code 2 and prints the expected usage', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const opened = openInbox(inbox)
  await opened.open()
  await opened.close()
  t.match(await cliHere(['evnts']), { code: 2, stderr: /unknown command 'evnts'.*Did you mean events/s })
  t.match(await cliHere(['events', 'list', '--state', 'ded']), {
    code: 2,
    stderr: /Allowed choices are pending, waiting, running, done, dead, parked/
  })
  t.match(await cliHere(['events', 'list', '--limit', '0']), { code: 2, stderr: /from 1 to 1,000/ })
  t.match(await cliHere(['events', 'list', '--since', 'yesterday', '--inbox', 'sqlite:/nowhere/x.db']), {
    code: 1,
    stderr: /no inbox at \/nowhere\/x\.db/
  })
  t.match(await cliHere(['events', 'list', '--since', '12', '--inbox', inbox]), {
    code: 2,
    stderr: /--since "12" is neither a span of time such as 24h nor an instant/
  })
  t.match(await cliHere(['events', 'replay', '--state', 'quarantined', '--type', 'order.*', '--inbox', inbox]), {
    code: 2,
    stderr: /neither a type nor a handler/
  })
  t.match(await cliHere(['events', 'list', '--where', 'total', '--inbox', inbox]), {
    code: 2,
    stderr: /--where "total" must be a path, an operator \(= != > < >= <= ~\) and a value/
  })
  t.match(await cliHere(['events', 'list', '--live', '--test']), { code: 2, stderr: /'--live' cannot be used with/ })
  t.match(await cliHere(['events', 'remove', 'e1', '--test', '--inbox', inbox]), {
    code: 2,
    stderr: /leave out --test/
  })
  t.match(await cliHere(['events', 'replay', 'e1', '--type', 'order.*', '--inbox', inbox]), {
    code: 2,
    stderr: /An ID names one event: leave out --type/
  })
  t.match(await cliHere(['events', 'remove', 'e1', '--state', 'dead', '--inbox', inbox]), {
    code: 2,
    stderr: /leave out --state/
  })
  t.match(await cliHere(['stats', '--inbox', 'memory:']), { code: 1, stderr: /only by the process that has it/ })
  t.match(await cliHere(['send', 'nowhere.json', '--secret', 'x']), { code: 2, stderr: /nowhere\.json cannot be read/ })
  t.match(await runCli(['send', '-', '--secret', 'x', '--url', 'http://127.0.0.1:1/']), {
    code: 2,
    stderr: /cannot be reached/
  })
  t.match(await runCli(['send', '-'], { env: { RIVERHOOK_SECRETS_FILE: '/nowhere' } }), {
    code: 1,
    stderr: /RIVERHOOK_SECRETS_FILE names \/nowhere/
  })
  t.match(await runCli(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
  t.match(await cliHere(['dev'], { RIVERHOOK_PORT: 'abc' }), {
    code: 2,
    stderr: /'abc' from env 'RIVERHOOK_PORT' is invalid/
  })
  t.match(await cliHere(['--help'], { RIVERHOOK_PORT: 'abc' }), { code: 0, stdout: /serve.*dev.*events.*stats.*send/s })
})

t.test('a replay for a handler that is not in the code reports that the delivery waits for it', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const opened = openInbox(inbox)
  await opened.open()
  await opened.record([arrival('e1', ['gone'])])
  await settleAll(opened, await claim(opened, ['gone']), { state: 'dead', error: 'no' })
  await opened.close()
  const { stdout } = await cliHere(['events', 'replay', '--state', 'dead', '--yes', '--inbox', inbox])
  t.equal(stdout, '0 deliveries will run now.\n1 delivery stays parked until the handler is registered again.\n')
  t.match((await cliHere(['stats', '--json', '--inbox', inbox])).stdout, /"parked":1/)
})

t.test(
  'stats shows which handlers fail, when they are retried and what was lost; a list shows no error of a done delivery',
  async (t) => {
    const address = `sqlite:${join(makeFolder(t), 'inbox.db')}`
    const stats = async (): Promise<string> => (await cliHere(['stats', '--inbox', address])).stdout
    const opened = openInbox(address)
    await opened.open()
    t.teardown(() => opened.close())
    t.match(await stats(), /^0 events, 0 quarantined, 0 backfilled\n\n/)
    await opened.adopt([{ name: 'erp', source: 'digital-river', pattern: '*', ordered: false }])
    const dueAt = new Date(Date.now() + 3_600_000)
    await opened.record(['e1', 'e2', 'e3', 'e4'].map((id) => arrival(id, ['erp'])))
    const [one, two, three, four] = await claim(opened, ['erp'])
    await settleAll(opened, [one!, two!], {
      state: 'retry',
      dueAt,
      releaseKey: false,
      error: 'Error: warehouse answered 503'
    })
    await settleAll(opened, [three!], {
      state: 'retry',
      dueAt: new Date(dueAt.getTime() + 60_000),
      releaseKey: false,
      error: 'Error: no'
    })
    await settleAll(opened, [four!], { state: 'lost', dueAt, releaseKey: false, counts: false, error: 'Error: died' })
    const text = await stats()
    t.match(text, /^4 events, 0 quarantined, 0 backfilled\n/)
    t.match(
      text,
      /\n3 deliveries failed and wait for a retry \(next in 60 min\):\n {2}erp: Error: warehouse answered 503 ×2\n {2}erp: Error: no ×1\n/
    )
    t.match(text, /\n1 pending delivery lost 1 run: the process died while it ran\n/)
    t.match(
      text,
      /\nattempts in the last 24 hours +done +failed +lost +average +longest *\nerp +0 +3 +1 +100 ms +100 ms/
    )
    const at = (minutes: number) => new Date(Date.now() - minutes * 60_000)
    await opened.countRequests([
      { endpoint: '/hooks', outcome: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', at: at(180), count: 4 },
      { endpoint: '/hooks', outcome: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', at: at(2), count: 3 },
      { endpoint: '/hooks', outcome: 'RIVERHOOK_INBOX_OVERLOADED', at: at(30), count: 1 },
      { endpoint: '/hooks', outcome: 'RIVERHOOK_INBOX_DEADLINE', at: at(25 * 60), count: 9 }
    ])
    t.match(
      await stats(),
      /\n8 requests were refused in the last 24 hours:\n {2}RIVERHOOK_RECEIVE_UNAUTHENTICATED ×7\n {4}at \/hooks, since 3 h, the last \d+ \w+ ago\n {2}RIVERHOOK_INBOX_OVERLOADED ×1\n {4}at \/hooks, 3\d min ago\n/
    )
    t.match(JSON.parse((await cliHere(['stats', '--json', '--inbox', address])).stdout), {
      retrying: 3,
      failing: [
        { handler: 'erp', error: 'Error: warehouse answered 503', count: 2 },
        { handler: 'erp', count: 1 }
      ],
      nextAt: dueAt.toISOString(),
      pauses: [],
      lastDay: {
        refused: [{ code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', count: 7 }, { count: 1 }],
        attempts: [{ handler: 'erp', done: 0, failed: 3, lost: 1 }]
      }
    })
    await opened.replay([{ event: keyOf('e1'), handler: 'erp' }])
    await settleAll(opened, await claim(opened, ['erp']), { state: 'done' })
    const { stdout } = await cliHere(['events', 'list', '--inbox', address])
    t.match(stdout, /e1 +order\.accepted +done 1 *\n/, 'errors before the success are history')
    t.match(stdout, /e2 +order\.accepted +pending 1 +Error: warehouse answered 503/)
  }
)

t.test('npm start runs the demo as expected', async (t) => {
  const { code, stdout, stderr } = await runCli(['dev', '--once', '--port', '0'], { cwd: makeFolder(t) })
  t.equal(code, 0, stdout + stderr)
  t.equal(stdout.match(/✓ as expected/g)?.length, 8)
  t.match(stdout, /\n8 of 8 steps as expected\n/)
  for (const part of [/202 accepted/, /202 duplicate/, /401/, /done, 2 attempts/, /dead, 1 attempt/])
    t.match(stdout, part)
  t.equal(stderr, '')
})
