import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Stripe from 'stripe'
import t from 'tap'
import { parse } from 'yaml'

import { onTerminal, skip } from './cli/on-terminal.ts'
import { projects } from './created-projects.ts'
import { makeFolder } from './folder.ts'
import { run, startPostgres } from './inbox/postgres-server.ts'
import { runCli, runProcess, startListening, startServer } from './processes.ts'
import { event, postUntilStored, signatureHeaders } from './receive/receiver.ts'
import { createDigitalRiver, sampleEvent } from '../src/testing/index.ts'

// Runs each example as its first lines describe, and sends it a real signed event.

const examples = fileURLToPath(new URL('../examples/', import.meta.url))

/** Sends an event as Digital River does, with the secret `whk_a`. */
const postOrder = ({ url }: { readonly url: string }, body: Buffer) =>
  postUntilStored(`${url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))

t.test('mounted in an existing service', async (t) => {
  const server = await startListening([join(examples, 'mounted.ts')], {
    PORT: '0',
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}`
  })
  t.teardown(() => server.end('SIGKILL'))
  const order = async () => (await fetch(`${server.url}/orders/o1`)).status
  t.equal(await order(), 404)
  const body = event()
  t.equal((await postOrder(server, body)).status, 202)
  await server.line(/order is on its way/)
  await server.line(/"msg":"seen"/)
  t.equal(await order(), 200)
})

t.test('in a server that is not Fastify', async (t) => {
  const server = await startListening([join(examples, 'hono.ts')], {
    PORT: '0',
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}`
  })
  t.teardown(() => server.end('SIGKILL'))
  const body = event()
  t.equal((await postOrder(server, body)).status, 202)
  await server.line(/order is on its way/)
  t.equal((await fetch(`${server.url}/health/ready`)).status, 200)
  t.equal(await server.end('SIGTERM'), 0)
})

t.test('two endpoints: test and live', async (t) => {
  const env = {
    PORT: '0',
    LIVE_SECRETS: 'whk_live',
    TEST_SECRETS: 'whk_test',
    RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}`
  }
  const server = await startListening([join(examples, 'two-endpoints.ts')], env)
  t.teardown(() => server.end('SIGKILL'))
  const send = async (path: string, secret: string, liveMode: boolean) => {
    const body = event({ liveMode })
    return (await postUntilStored(server.url + path, body, signatureHeaders(body, secret))).status
  }
  t.equal(await send('/webhooks/live', 'whk_live', true), 202)
  await server.line(/"msg":"ship it"/)
  t.equal(await send('/webhooks/test', 'whk_test', false), 202)
  await server.line(/"msg":"only a test"/)
  t.equal(await send('/webhooks/live', 'whk_test', true), 401)
  t.match(await server.line(/request refused/), /a secret of the endpoint \/webhooks\/test/)
})

t.test('two sources, Digital River and Stripe', async (t) => {
  const env = {
    PORT: '0',
    DIGITAL_RIVER_SECRETS: 'whk_a',
    STRIPE_SECRETS: 'whsec_a,whsec_b',
    RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}`
  }
  const server = await startListening([join(examples, 'two-sources.ts')], env)
  t.teardown(() => server.end('SIGKILL'))
  // Equal ids of two sources are two events.
  const order = event({ id: 'e1' })
  t.equal((await postOrder(server, order)).status, 202)
  await server.line(/"msg":"ship it"/)
  const invoice = { id: 'e1', object: 'event', type: 'invoice.paid', created: 1, livemode: false }
  const payload = JSON.stringify({ ...invoice, data: { object: { id: 'in_1' } } })
  const header = new Stripe('sk_test_1').webhooks.generateTestHeaderString({ payload, secret: 'whsec_b' })
  const pay = async (body: string) =>
    (await postUntilStored(`${server.url}/webhooks/stripe`, Buffer.from(body), { 'stripe-signature': header })).status
  t.equal(await pay(payload), 202)
  t.match(await server.line(/"msg":"book it"/), /in_1/)
  t.equal(await pay(payload.replace('in_1', 'in_2')), 401)
})

t.test('a handlers folder for the container', async (t) => {
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: join(examples, 'handlers'),
    RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}`
  })
  t.teardown(() => server.end('SIGKILL'))
  const send = async (type: string) => {
    const body = event({ type })
    return (await postOrder(server, body)).status
  }
  t.equal(await send('order.accepted'), 202)
  await server.line(/"handler":"ship-order".*"msg":"ship it"/)
  t.equal(await send('order.charge.capture.failed'), 202)
  await server.line(/"handler":"notify-customer".*"attempt":2.*"msg":"customer notified"/)
  t.equal(await send('subscription.payment_failed'), 202)
  await server.line(/"level":50.*"handler":"renew-licence"/)
})

t.test('a deployment that registers itself and fetches missed events', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const address = 'https://shop.example/hook'
  const missed = river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const env = {
    PORT: '0',
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}`,
    ADDRESS: address,
    DIGITAL_RIVER_API_URL: river.url,
    DIGITAL_RIVER_API_KEY: river.apiKey
  }
  const server = await startListening([join(examples, 'registered.ts')], env)
  t.teardown(() => server.end('SIGKILL'))
  await server.line(/the webhook is registered/)
  t.match(river.webhooks, [{ address, enabled: true, types: ['order.accepted'] }])
  t.match(await server.line(/"msg":"ship it"/), new RegExp(missed.id))
  t.match(await (await fetch(`${server.url}/registrations`)).json(), [
    { address, state: 'in_sync', webhookId: river.webhooks[0]?.id }
  ])
})

const postgres = await startPostgres()
t.teardown(() => postgres.stop())

t.test("exactly-once bookings with a query builder on the merchant's own pool", async (t) => {
  const database = await postgres.createDatabase(t)
  const server = await startListening([join(examples, 'exactly-once.ts')], {
    PORT: '0',
    RIVERHOOK_SECRETS: 'whk_a',
    DATABASE_URL: database
  })
  t.teardown(() => server.end('SIGTERM'))
  const body = Buffer.from(
    JSON.stringify(
      sampleEvent('order.accepted', { data: { object: { id: 'o1', totalAmount: 12.5, currency: 'EUR' } } })
    )
  )
  const send = async () => (await postOrder(server, body)).status
  t.same(await Promise.all([send(), send(), send()]), [202, 202, 202])
  await server.line(/"msg":"booked"/)
  t.same(await run(database, 'SELECT order_id, amount::float8, currency FROM booking'), [
    { order_id: 'o1', amount: 12.5, currency: 'EUR' }
  ])
})

t.test(
  'two replicas as in compose.yaml: both start at the same time on an empty database, and each event is stored once',
  async (t) => {
    const { services } = parse(readFileSync(join(examples, 'compose.yaml'), 'utf8'), { merge: true }) as {
      services: { riverhook: { deploy: { replicas: number }; environment: Record<string, string> } }
    }
    const { deploy, environment } = services.riverhook
    t.equal(deploy.replicas, 2)
    // The secrets as files, with the address of this test's database.
    const folder = makeFolder(t, {
      secrets: { signing: 'whk_a\n', inbox: `${await postgres.createDatabase(t)}\n` }
    })
    const inFolder = (value: string): string => value.replace('/run/secrets', join(folder, 'secrets'))
    const env = {
      ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, inFolder(value)])),
      RIVERHOOK_HANDLERS: join(examples, 'handlers'),
      RIVERHOOK_LOG_LEVEL: 'debug'
    }
    const servers = await Promise.all(Array.from({ length: deploy.replicas }, () => startServer(env)))
    t.teardown(() => Promise.all(servers.map((server) => server.end('SIGTERM'))))
    const body = event({ id: 'e1' })
    const answers = await Promise.all(servers.map((server) => postOrder(server, body)))
    t.same(answers.map((answer) => answer.body['status']).sort(), ['accepted', 'duplicate'])
    await Promise.race(servers.map((server) => server.line(/"event_id":"e1".*"msg":"ship it"/)))
  }
)

t.test('a test of a handler', async (t) => {
  const { code, stdout } = await runProcess(process.execPath, [
    '--conditions=riverhook-source',
    '--test',
    join(examples, 'handler-test.js')
  ])
  t.equal(code, 0, stdout)
  t.match(stdout, /pass 3/)
})

// Risk: the first project of a newcomer fails, or its maker shows a stack trace. test/types.test.ts compiles it.
t.test('npm create riverhook: each project passes its test, is valid, and receives', async (t) => {
  const all = projects(makeFolder(t))
  t.equal(all.length, 20)
  const standalone = all.filter(({ kind, inbox }) => kind === 'standalone' && inbox === 'sqlite')
  const tests = standalone.map(({ folder }) => join(folder, 'handlers/first.test.ts'))
  t.match(await runProcess(process.execPath, ['--conditions=riverhook-source', '--test', ...tests]), {
    code: 0,
    stdout: new RegExp(`pass ${tests.length}\\n`)
  })
  const env = { RIVERHOOK_SECRETS: `whsec_${Buffer.alloc(32, 'a').toString('base64')}` }
  for (const { folder, source } of all.filter(({ kind, inbox }) => kind === 'standalone' && inbox === 'postgres'))
    t.match(await runCli(['serve', '--check'], { cwd: folder, env }), { code: 0, stdout: /are valid/ }, source)
  for (const { folder, source } of all.filter(({ kind, inbox }) => kind === 'mounted' && inbox === 'sqlite')) {
    const server = await startListening([join(folder, 'server.ts')], { ...env, PORT: '0' }, folder)
    t.teardown(() => server.end('SIGKILL'))
    const unsigned = await fetch(`${server.url}/webhooks/${source}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}'
    })
    t.equal(unsigned.status, 401, source)
    t.equal((await fetch(`${server.url}/health/ready`)).status, 200, source)
    await server.end('SIGTERM')
  }
})

t.test('npm create riverhook: the questions, Ctrl-C, and a folder that is a file', { skip }, async (t) => {
  const maker = join(examples, 'create/index.js')
  const cwd = makeFolder(t, { taken: '' })
  const asked = onTerminal(t, 80, '', cwd, maker)
  for (const [question, answer] of [
    [/Folder\? \[my-webhooks\] /, 'my shop'],
    [/ {2}standalone, mounted \[standalone\] /, 'nonsense'],
    [/There is no nonsense\. Please answer one of:\n[^]*\[standalone\] /, 'mounted'],
    [/Which provider\?\n[^]*\[digital-river\] /, 'shopify'],
    [/Where are events stored\?\n[^]*\[sqlite\] /, '']
  ] as const) {
    await asked.until(question)
    asked.type(`${answer}\r`)
  }
  await asked.until(/: 11 files\. Next:\n\n {2}cd "my shop"\n/)
  t.same(await asked.ended, [0, null])
  const left = onTerminal(t, 80, '', cwd, maker)
  await left.until(/Folder\?/)
  left.type('\x03')
  t.same(await left.ended, [130, null])
  t.notMatch(left.lines.join('\n'), /Error|at /)
  t.match(await runProcess(process.execPath, [maker, 'taken', '--yes'], { cwd }), {
    code: 2,
    stderr: /^create-riverhook: \S+taken is a file: name a new folder\n/
  })
})
