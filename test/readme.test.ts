import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Stripe from 'stripe'
import t, { type Test } from 'tap'

import { makeFolder } from './folder.ts'
import { run, startPostgres } from './inbox/postgres-server.ts'
import { runProcess, startListening, startServer } from './processes.ts'
import { readme, snippets } from './readme-snippets.ts'
import { tablePattern, tables, typesPage, typesPageText } from './readme-tables.ts'
import { event, post, postUntilStored, signatureHeaders } from './receive/receiver.ts'
import { createDigitalRiver, sampleEvent, type EventChoice } from '../src/testing/index.ts'

// Risk: snippets of the README and its documents that do not work when they are copied.

/** Writes a snippet into a folder inside the project, so that it finds the packages like a user's file. */
function place(t: Test, name: string): string {
  const file = join(makeFolder(t), name)
  writeFileSync(file, snippets.get(name) ?? '')
  return file
}

async function send(url: string, secret: string, id: string): Promise<number> {
  const body = event({ id })
  return (await postUntilStored(`${url}/webhooks/digital-river`, body, signatureHeaders(body, secret))).status
}

t.test('every block of code is run by a test', async (t) => {
  // Those of the first hour and of other frameworks are run by test/package/recipes.ts and test/cli/first-hour.test.ts.
  t.same([...snippets.keys()].sort(), [
    'admin.ts',
    'alias.ts',
    'by hand',
    'channels.ts',
    'check it',
    'command.ts',
    'exactly-once.ts',
    'express.ts',
    'failing',
    'fault.ts',
    'first.test.ts',
    'handler.test.ts',
    'handlers.ts',
    'hooks.ts',
    'jest',
    'metrics.ts',
    'mount.ts',
    'nest-fastify.ts',
    'nest.ts',
    'oauth.ts',
    'package.json',
    'payloads.ts',
    'project',
    'proxy',
    'receive.ts',
    'register.ts',
    'reminder.test.ts',
    'repaired',
    'replay',
    'replay done',
    'sentry.ts',
    'serve',
    'shared.ts',
    'ship.cjs',
    'ship.test.cjs',
    'ship.ts',
    'sources.ts',
    'telemetry.ts',
    'tsconfig.json',
    'tunnel',
    'web.ts'
  ])
})

t.test('the snippet "mount it" works', async (t) => {
  const file = place(t, 'mount.ts')
  const server = await startListening([file], { PORT: '0', RIVERHOOK_SECRETS: 'whk_old,whk_new' }, t.testdirName)
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_new', 'e1'), 202)
  t.match(await server.line(/"msg":"ship it"/), /"idempotencyKey":"digital-river:e1:order\.accepted"/)
})

t.test('the snippet "without Fastify" works', async (t) => {
  const folder = makeFolder(t)
  const file = join(folder, 'web.ts')
  writeFileSync(
    file,
    `${snippets.get('web.ts') ?? ''}
const { post } = await import(${JSON.stringify(new URL('./web-request.ts', import.meta.url).href)})
const { subscribe } = await import('node:diagnostics_channel')
const settled = new Promise((resolve) => subscribe('riverhook:settled', resolve))
let status = await post(POST)
// Like a provider, send again: on a busy machine the first request can take longer than its deadline.
for (let tries = 0; status === 503 && tries < 5; tries += 1) status = await post(POST)
process.stdout.write(String(status))
if (status === 202) await settled
await riverhook.stop()`
  )
  const { stdout } = await runProcess(process.execPath, ['--conditions=riverhook-source', file], {
    cwd: folder,
    env: { RIVERHOOK_SECRETS: 'whk_web' }
  })
  t.match(stdout, /"msg":"ship it"/)
  t.match(stdout, /202/)
  const script = join(folder, 'command.ts')
  writeFileSync(script, snippets.get('command.ts') ?? '')
  const repaired = await runProcess(process.execPath, ['--conditions=riverhook-source', script], { cwd: folder })
  t.match(repaired, { code: 0, stdout: '0 deliveries will run now\n' })
})

t.test('the snippet for another provider works', async (t) => {
  const file = place(t, 'sources.ts')
  const env = { PORT: '0', DIGITAL_RIVER_SECRETS: 'whk_a', STRIPE_SECRETS: 'whsec_a' }
  const server = await startListening([file], env, t.testdirName)
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  await server.line(/"msg":"ship it"/)
  const payload = '{"id":"e1","object":"event","type":"invoice.paid","created":1,"data":{"object":{"id":"in_1"}}}'
  const signature = new Stripe('sk_test_1').webhooks.generateTestHeaderString({ payload, secret: 'whsec_a' })
  const pay = async (body: string): Promise<number> =>
    (await post(`${server.url}/webhooks/stripe`, Buffer.from(body), { 'stripe-signature': signature })).status
  t.equal(await pay(payload), 202)
  t.match(await server.line(/"msg":"book it"/), /in_1/)
  t.equal(await pay(payload.replace('in_1', 'in_2')), 401)
})

t.test('the snippet for uncaught errors works', async (t) => {
  const file = place(t, 'fault.ts')
  appendFileSync(
    file,
    "await app.ready()\nsetTimeout(() => { throw new Error('nobody caught it') })\nsetInterval(() => undefined, 1_000)\n"
  )
  t.match(await runProcess(process.execPath, ['--conditions=riverhook-source', file]), { code: 1, stderr: '' })
})

t.test('the snippet "register it" works', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const file = place(t, 'register.ts')
  const env = {
    PORT: '0',
    RIVERHOOK_SECRETS: 'whk_a',
    DIGITAL_RIVER_API_URL: river.url,
    DIGITAL_RIVER_API_KEY: river.apiKey
  }
  const server = await startListening([file], env, t.testdirName)
  t.teardown(() => server.end('SIGKILL'))
  await server.line(/the webhook is registered/)
  await server.line(/no event is missing/)
  t.match(river.webhooks, [{ address: 'https://shop.example/webhooks/digital-river', types: ['order.accepted'] }])
})

t.test('the snippet "test a handler" works', async (t) => {
  const { code, stdout } = await runProcess(process.execPath, [
    '--conditions=riverhook-source',
    '--test',
    place(t, 'handler.test.ts')
  ])
  t.equal(code, 0, stdout)
  t.match(stdout, /pass 2/)
})

t.test('the snippets of handler files work', async (t) => {
  const answers = [429, 200]
  let keys: unknown[] = []
  const erp = createServer((request, response) => {
    keys = [...keys, request.headers['idempotency-key']]
    response.writeHead(answers.shift() ?? 500).end()
  }).listen(0, '127.0.0.1')
  t.teardown(() => erp.close())
  await once(erp, 'listening')
  const folder = makeFolder(t)
  for (const name of ['ship.ts', 'handlers.ts']) writeFileSync(join(folder, name), snippets.get(name) ?? '')
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: folder,
    RIVERHOOK_INBOX: 'memory:',
    ERP_URL: `http://127.0.0.1:${(erp.address() as AddressInfo).port}/`
  })
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  await server.line(/"msg":"ship it"/)
  await server.line(/"handler":"erp".*"attempt":1.*the handler failed/)
  // Another order: one with the same key would wait for the retry.
  const body = event({ id: 'e2', data: { object: { id: 'o2' } } })
  t.equal(
    (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
    202
  )
  await server.line(/"event_id":"e2".*"msg":"booked"/)
  t.same(keys, ['digital-river:e1:erp', 'digital-river:e2:erp'])
})

t.test("the snippets of typed payloads and of a handler's own schema work", async (t) => {
  const folder = join(place(t, 'payloads.ts'), '..')
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: folder,
    RIVERHOOK_INBOX: 'memory:'
  })
  t.teardown(() => server.end('SIGKILL'))
  const sample = async (type: string, choice: EventChoice = {}): Promise<void> => {
    const body = Buffer.from(JSON.stringify(sampleEvent(type, choice)))
    t.equal(
      (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
      202
    )
  }
  await sample('order.accepted', {
    data: { object: { id: 'o1', items: [{ id: '1', skuId: 'teapot', quantity: 2, amount: 1 }] } }
  })
  t.match(await server.line(/"msg":"pick"/), /"lines":\["2 x teapot"\]/)
  t.match(await server.line(/"msg":"order.accepted"/), /"about":"o1"/)
  await sample('order.cancelled', { data: { object: { metadata: { member: undefined } } } })
  t.match(await server.line(/"rule":"required"/), /"path":"data.object.metadata.member"/)
})

t.test('the snippet of exactly-once effects works', async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  const inbox = await postgres.createDatabase(t)
  await run(inbox, 'CREATE TABLE booking (order_id text PRIMARY KEY, amount numeric NOT NULL)')
  const folder = join(place(t, 'exactly-once.ts'), '..')
  const server = await startServer({ RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_HANDLERS: folder, RIVERHOOK_INBOX: inbox })
  t.teardown(() => server.end('SIGTERM'))
  const body = Buffer.from(
    JSON.stringify(sampleEvent('order.accepted', { data: { object: { id: 'o1', totalAmount: 12.5 } } }))
  )
  t.equal(
    (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
    202
  )
  await server.line(/"msg":"booked"/)
  t.same(await run(inbox, 'SELECT order_id, amount::float8 FROM booking'), [{ order_id: 'o1', amount: 12.5 }])
})

t.test('the snippet of a channel subscriber works', async (t) => {
  const handlers = join(place(t, 'channels.ts'), '..')
  writeFileSync(join(handlers, 'handler.js'), "export default (riverhook) => { riverhook.on('*', () => undefined) }\n")
  writeFileSync(join(handlers, 'channels.ts'), `${snippets.get('channels.ts') ?? ''}\nexport default () => undefined\n`)
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: handlers,
    RIVERHOOK_INBOX: 'memory:'
  })
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  t.match(await server.line(/^\* done \d/), /^\* done/)
})

t.test('the commands of "run it" work', async (t) => {
  const command = /riverhook -- (.*)/.exec(snippets.get('serve') ?? '')?.[1] ?? ''
  const env = Object.fromEntries(
    [...(snippets.get('serve') ?? '').matchAll(/(RIVERHOOK_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value
    ])
  )
  t.equal(command, 'serve')
  const server = await startServer({ ...env, RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}` })
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_example', 'e1'), 202)
  await server.line(/"msg":"ship it"/)
})

t.test('the recipe with a hook for all routes and OpenAPI works', async (t) => {
  const env = { PORT: '0', RIVERHOOK_SECRETS: 'whk_a', API_TOKEN: 'open' }
  const server = await startListening([place(t, 'hooks.ts')], env, t.testdirName)
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  t.equal((await fetch(`${server.url}/openapi.json`)).status, 401)
  const document = await fetch(`${server.url}/openapi.json`, { headers: { authorization: 'Bearer open' } })
  t.match(await document.json(), { paths: { '/webhooks/digital-river': { post: { responses: { 202: {} } } } } })
})

t.test("the snippet of the operator's API in your own service works", async (t) => {
  const file = place(t, 'admin.ts')
  const env = { PORT: '0', RIVERHOOK_SECRETS: 'whk_a', KIM_TOKEN: 'kim' }
  const server = await startListening([file], env, join(file, '..'))
  t.teardown(() => server.end('SIGKILL'))
  const api = `${server.url}/ops/riverhook/api/v1`
  const headers = { 'x-login': 'kim' }
  t.equal((await fetch(`${api}/stats`)).status, 401)
  t.equal((await fetch(`${api}/stats`, { headers })).status, 200)
  t.match(await (await fetch(`${api}/session`, { headers })).json(), {
    operator: { name: 'kim@shop.example', scopes: ['read'] }
  })
})

t.test('the snippet of the OAuth transport works', async (t) => {
  const file = place(t, 'oauth.ts')
  const env = { PORT: '0', RIVERHOOK_SECRETS: 'whk_a', CLIENT_SECRET: 's'.repeat(32), TOKEN_KEY: 'k'.repeat(32) }
  const server = await startListening([file], env, join(file, '..'))
  t.teardown(() => server.end('SIGKILL'))
  const answer = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`digital-river:${env.CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' })
  })
  const { access_token: token } = (await answer.json()) as { readonly access_token: string }
  const body = event()
  const headers = signatureHeaders(body, 'whk_a')
  const path = `${server.url}/webhooks/digital-river`
  t.equal((await post(path, body, headers)).status, 401, 'the signature alone')
  t.equal((await postUntilStored(path, body, { ...headers, authorization: `Bearer ${token}` })).status, 202)
})

t.test('the snippet of metrics in your own service works', async (t) => {
  const file = place(t, 'metrics.ts')
  const server = await startListening([file], { PORT: '0', RIVERHOOK_SECRETS: 'whk_a' }, join(file, '..'))
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  const text = await (await fetch(`${server.url}/metrics`)).text()
  t.match(text, /^riverhook_requests_total\{endpoint="\/webhooks\/digital-river",result="accepted"\} 1$/m)
})

t.test('the configuration for Sentry reports a dead letter and an alarm', async (t) => {
  const folder = makeFolder(t, {
    'riverhook.config.ts': snippets.get('sentry.ts') ?? '',
    node_modules: {
      // Stands for the SDK, which sends to a service: only the calls of it are checked.
      '@sentry': {
        node: {
          'package.json': '{ "name": "@sentry/node", "type": "module", "exports": "./index.js" }',
          'index.js': `const print = (name) => (...given) => console.log(name, JSON.stringify(given))
export const init = print('init')
export const captureException = (error, more) => print('exception')(error.message, more)
export const captureMessage = print('message')
`
        }
      }
    },
    handlers: {
      'ship.js':
        "export default (riverhook) => riverhook.on('*', { name: 'ship', retry: { attempts: 1 } }, () => { throw new Error('no stock') })\n"
    }
  })
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_CONFIG: join(folder, 'riverhook.config.ts'),
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_INBOX: 'memory:',
    RIVERHOOK_ALARM_EVERY: '1s',
    SENTRY_DSN: 'https://key@sentry.example/1'
  })
  t.teardown(() => server.end('SIGKILL'))
  await server.line(/^init \[\{"dsn":"https:\/\/key@sentry\.example\/1"\}\]$/)
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  t.match(
    await server.line(/^exception /),
    /\["no stock",\{"tags":\{"handler":"ship","event":"e1","type":"order\.accepted"\}\}\]/
  )
  t.match(
    await server.line(/^message /),
    /\["raised: 1 dead letter.*"level":"warning".*"condition":"dead","subject":"ship"/
  )
})

for (const name of ['receive.ts', 'express.ts'])
  t.test(`the recipe ${name} works`, async (t) => {
    const file = place(t, name)
    const env = { PORT: '0', RIVERHOOK_SECRETS: 'whk_a' }
    const server = await startListening([file], env, join(file, '..'), /^listening .*port: (\d+)/)
    t.teardown(() => server.end('SIGKILL'))
    t.equal(await send(server.url, 'whk_a', 'e1'), 202)
    await server.line(/"msg":"ship it"/)
    t.equal(await send(server.url, 'whk_b', 'e2'), 401)
    const large = Buffer.alloc(1_100_000, ' ')
    const refused = await post(`${server.url}/webhooks/digital-river`, large, signatureHeaders(large, 'whk_a'))
    t.equal(refused.status, 413, 'the limit of the endpoint')
    t.equal(await server.end('SIGTERM'), 0)
  })

t.test('the recipe for a proxy works: the address of the sender is judged, not that of the proxy', async (t) => {
  const command = snippets.get('proxy') ?? ''
  const env = Object.fromEntries(
    [...command.matchAll(/(RIVERHOOK_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  )
  t.match(command, / npx riverhook serve\n$/)
  const server = await startServer({ ...env, RIVERHOOK_INBOX: 'memory:' })
  t.teardown(() => server.end('SIGKILL'))
  const from = async (sender: string): Promise<number> => {
    const body = event({ id: sender })
    const headers = { ...signatureHeaders(body, 'whk_example'), 'x-forwarded-for': sender }
    return (await postUntilStored(`${server.url}/webhooks/digital-river`, body, headers)).status
  }
  t.equal(await from('203.0.113.7'), 202)
  t.equal(await from('198.51.100.7'), 403)
})

t.test('the recipe for import aliases works', async (t) => {
  const folder = makeFolder(t, {
    'package.json': snippets.get('package.json') ?? '',
    shop: { 'warehouse.ts': 'export const warehouseOf = (currency: string): string => `the one for ${currency}`\n' },
    handlers: { 'alias.ts': snippets.get('alias.ts') ?? '' }
  })
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_INBOX: 'memory:'
  })
  t.teardown(() => server.end('SIGKILL'))
  const body = event({ data: { object: { id: 'o1', currency: 'EUR' } } })
  t.equal(
    (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
    202
  )
  await server.line(/"warehouse":"the one for EUR"/)
})

t.test('the recipe for code that handlers share works', async (t) => {
  const folder = makeFolder(t, {
    'package.json': '{ "type": "module" }',
    'shop.ts': "export const shopName: string = 'Shop'\n",
    handlers: {
      'mail.ts': snippets.get('shared.ts') ?? '',
      'mail.test.ts': "throw new Error('a test is not a handler')\n",
      lib: { 'template.ts': 'export const subjectOf = (shop: string, id: string): string => `${shop}: ${id}`\n' }
    }
  })
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_INBOX: 'memory:'
  })
  t.teardown(() => server.end('SIGKILL'))
  const body = event({ data: { object: { id: 'o1' } } })
  t.equal(
    (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
    202
  )
  await server.line(/"subject":"Shop: o1"/)
})

t.test('the recipe for CommonJS works', async (t) => {
  const folder = join(place(t, 'ship.cjs'), '..')
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: folder,
    RIVERHOOK_INBOX: 'memory:'
  })
  t.teardown(() => server.end('SIGKILL'))
  t.equal(await send(server.url, 'whk_a', 'e1'), 202)
  await server.line(/"msg":"ship it"/)
})

t.test('the recipe for fake timers works', async (t) => {
  const file = place(t, 'reminder.test.ts')
  const { code, stdout } = await runProcess(process.execPath, ['--conditions=riverhook-source', '--test', file])
  t.equal(code, 0, stdout)
  t.match(stdout, /pass 1/)
})

t.test('the generated tables are up to date', async (t) => {
  for (const [name, table] of Object.entries(tables))
    t.equal(tablePattern(name).exec(readme)?.[2]?.trim(), table(), `run test/readme-tables.ts to write "${name}"`)
})

t.test('the page of event types is up to date', async (t) => {
  t.equal(readFileSync(typesPage, 'utf8'), typesPageText(), 'run test/readme-tables.ts to write it')
})
