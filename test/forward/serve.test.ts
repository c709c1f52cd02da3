import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { readConfig } from '../../src/options/environment.ts'
import { readForwardList } from '../../src/model/forwarding.ts'
import { createDigitalRiver } from '../../src/testing/index.ts'
import { cliHere } from '../cli/rig.ts'
import { makeFolder } from '../folder.ts'
import { startServer } from '../processes.ts'
import { event, post, signatureHeaders } from '../receive/receiver.ts'
import { certificate } from './certificate.ts'
import { flat, startTarget } from './target.ts'

// Risk: a container that needs more than configuration.

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

t.test('a server with only RIVERHOOK_FORWARD forwards, also after a restart, and commands know it', async (t) => {
  let isUp = false
  let onArrival = Promise.withResolvers<undefined>()
  const target = await startTarget(
    t,
    (response) => {
      response.writeHead(isUp ? 200 : 503, isUp ? {} : { 'retry-after': '3600' }).end(() => {
        onArrival.resolve(undefined)
      })
    },
    { https: true }
  )
  const folder = makeFolder(t, { 'ca.pem': certificate, secret: `# for the ERP\n${secret}\n` })
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const env = {
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_FORWARD: `order.*=${target.url}/hooks?token=t0psecret, refund.failed=http://127.0.0.1:9/`,
    RIVERHOOK_FORWARD_SECRET_FILE: join(folder, 'secret'),
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    DIGITAL_RIVER_API_URL: river.url,
    DIGITAL_RIVER_API_KEY: river.apiKey
  }
  const name = `order.*@localhost:${target.port}/hooks`
  const listed = { RIVERHOOK_INBOX: env.RIVERHOOK_INBOX, RIVERHOOK_SECRETS: 'whk_a' }

  const first = await startServer(env)
  t.match(await first.line(/forwarding events/), name)
  const body = event({ id: 'e1' })
  t.equal((await post(`${first.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status, 202)
  await onArrival.promise
  await first.line(/answered 503 and asked to wait 3600 s/)
  t.equal(await first.end('SIGTERM'), 0)
  t.notMatch(first.lines.join('\n'), 't0psecret')
  t.notOk(first.lines.join('\n').includes(secret.slice(6)))

  // Without the variable, the commands read the handlers from the inbox.
  t.match(JSON.parse((await cliHere(['events', 'show', 'e1', '--json'], listed)).stdout), {
    deliveries: [{ handler: name, state: 'pending', attempts: 1 }]
  })
  t.match((await cliHere(['events', 'list', '--handler', name], listed)).stdout, /e1 .*order\.accepted/)

  isUp = true
  onArrival = Promise.withResolvers()
  const second = await startServer(env)
  t.match(await cliHere(['events', 'replay', 'e1', '--yes'], listed), { code: 0, stdout: /1 delivery will run now/ })
  await onArrival.promise
  t.equal(await second.end('SIGTERM'), 0)
  t.match(JSON.parse((await cliHere(['events', 'show', 'e1', '--json'], listed)).stdout), {
    deliveries: [{ handler: name, state: 'done' }]
  })
  const [one, other] = target.arrived
  t.equal(one?.headers['webhook-id'], other?.headers['webhook-id'])
  t.equal(other?.body.toString(), body.toString())
  t.doesNotThrow(() => new Webhook(secret).verify(body.toString(), flat(other!.headers)))

  // The types to register come from the variable, or from the handlers in the inbox.
  const sync = ['webhooks', 'sync', '--check', '--json', '--address', 'https://shop.example/webhooks/digital-river']
  const { DIGITAL_RIVER_API_URL, DIGITAL_RIVER_API_KEY } = env
  for (const each of [
    { ...env, RIVERHOOK_INBOX: `sqlite:${join(folder, 'none.db')}` },
    { ...listed, DIGITAL_RIVER_API_URL, DIGITAL_RIVER_API_KEY }
  ]) {
    const plan = (await cliHere(sync, each)).stdout
    t.match(plan, /order\.accepted/)
    t.match(plan, /refund\.failed/)
    t.notMatch(plan, /sku\.created/)
  }
})

t.test('the commands know both the forward targets and a folder of handlers', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const folder = makeFolder(t, {
    handlers: {
      'mail.js': `import { defineHandler } from 'riverhook'\nexport default defineHandler('sku.created', () => undefined)\n`
    }
  })
  const env = {
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_FORWARD: 'refund.failed=http://127.0.0.1:9/',
    DIGITAL_RIVER_API_URL: river.url,
    DIGITAL_RIVER_API_KEY: river.apiKey
  }
  const plan = (await cliHere(['webhooks', 'sync', '--check', '--json', '--address', 'https://shop.example/'], env))
    .stdout
  t.match(plan, /sku\.created/)
  t.match(plan, /refund\.failed/)
  const inbox = openInbox(env.RIVERHOOK_INBOX)
  await inbox.open()
  await inbox.close()
  const { id } = river.list('refund.failed', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const report = (await cliHere(['backfill', '--since', '1h'], env)).stdout
  t.match(report, /for the handlers in .*handlers, RIVERHOOK_FORWARD/)
  t.match(report, /recovered +1\n/)
  t.match((await cliHere(['events', 'show', id], env)).stdout, /refund\.failed@127\.0\.0\.1:9: pending/)
})

t.test('a wrong entry of the list is named by its position, and no URL is shown', (t) => {
  const problem = (list: string, message: RegExp | string) => {
    t.throws(() => readConfig({ RIVERHOOK_FORWARD: list }), { code: 'RIVERHOOK_OPTIONS_INVALID', message }, list)
    try {
      readConfig({ RIVERHOOK_FORWARD: list })
    } catch (error) {
      t.notMatch((error as Error).message, 't0psecret')
    }
  }
  const url = 'http://erp.internal/hooks'
  const start = /^RIVERHOOK_FORWARD has a mistake: /.source
  problem('http://t0psecret@erp.internal', new RegExp(`${start}entry 1 must be PATTERN=URL`))
  problem('http://t0psecret@erp.internal/?a=b', new RegExp(`${start}entry 1 must be PATTERN=URL`))
  problem(`order.*=${url}?a=1,t0psecret`, new RegExp(`${start}entry 2 must be PATTERN=URL.*%2C`))
  problem(`order.*=${url}, order*=${url}`, new RegExp(`${start}entry 2 has the pattern "order\\*", which is none`))
  problem(`=${url}`, new RegExp(`${start}entry 1 has no pattern`))
  problem(
    'refund.*=t0psecret',
    new RegExp(`${start}entry 1 \\("refund\\.\\*"\\): its URL must be an http or https URL`)
  )
  problem(
    'a.b=http://169.254.169.254/t0psecret',
    /entry 1 \("a\.b"\): its URL must not lead to a link-local or metadata/
  )
  problem(
    `order.*=${url}?t0psecret, refund.*=${url}, order.*=https://erp.internal/hooks?x`,
    new RegExp(
      `${start}entry 3 has the pattern, host and path of an earlier entry.*"order\\.\\*@erp\\.internal/hooks"$`
    )
  )
  problem('a=b, c', /entry 1 .*; entry 2 /)
  problem(' , ', new RegExp(`${start}it holds no PATTERN=URL`))
  problem('', /^RIVERHOOK_FORWARD is empty/)
  t.same(readForwardList(`order.*=${url}?a=b=c,\n *=http://user:pw@mail.internal:81/\n`).entries, [
    { pattern: 'order.*', url: `${url}?a=b=c`, name: 'order.*@erp.internal/hooks' },
    { pattern: '*', url: 'http://user:pw@mail.internal:81/', name: '*@mail.internal:81' }
  ])
  const nameOf = (path: string) => readForwardList(`order.*=http://erp.internal/${path}`).entries[0]!.name
  const long = (end: string) => nameOf(`${'hooks/'.repeat(60)}${end}`)
  t.equal(long('a').length, 200)
  t.not(long('a'), long('b'))
  // Part of a path that may be a token is not shown, and the names of two paths differ.
  for (const token of ['T02ABCDEF', 'a1b2c3', 'xoxb-12', 'averylongwordwithoutend', 'Secret', 'a%20b', 'x.y.z.q'])
    t.match(nameOf(`hooks/${token}/order`), /^order\.\*@erp\.internal\/hooks\/\*\/order~[0-9a-f]{16}$/, token)
  t.not(nameOf('hooks/a1'), nameOf('hooks/a2'))
  t.equal(nameOf('v2/erp-hooks/order.json'), 'order.*@erp.internal/v2/erp-hooks/order.json')
  t.end()
})

t.test('the secret, the config file, and settings that conflict', (t) => {
  const url = 'http://erp.internal/hooks'
  const list = `order.*=${url}`
  t.match(readConfig({ RIVERHOOK_FORWARD: list, RIVERHOOK_FORWARD_SECRET: `${secret}, ${secret}` }).options, {
    forward: list,
    forwardSecret: [secret, secret]
  })
  const file = (config: Record<string, unknown>) => ({
    path: '/a/riverhook.config.ts',
    name: 'riverhook.config.ts',
    config,
    exposed: []
  })
  t.match(readConfig({}, file({ forward: [list, `*=${url}`], forwardSecret: secret })).options, {
    forward: [list, `*=${url}`]
  })
  t.throws(() => readConfig({}, file({ forward: ['t0psecret'] })), {
    message: /^riverhook\.config\.ts: option "forward" has a mistake: entry 1 must be PATTERN=URL/
  })
  t.throws(() => readConfig({ RIVERHOOK_FORWARD: list, RIVERHOOK_FORWARD_SECRET: 't0psecret' }, file({})), {
    message: /^RIVERHOOK_FORWARD_SECRET must be at least 24 bytes in Base64/
  })
  t.throws(() => readConfig({ RIVERHOOK_FORWARD_SECRET: secret }, file({})), {
    message: /has no effect without "forward" \(RIVERHOOK_FORWARD\)/
  })
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'empty'), '# nothing\n')
  t.throws(() => readConfig({ RIVERHOOK_FORWARD: list, RIVERHOOK_FORWARD_SECRET_FILE: join(folder, 'empty') }), {
    message: /^RIVERHOOK_FORWARD_SECRET is empty/
  })
  t.end()
})
