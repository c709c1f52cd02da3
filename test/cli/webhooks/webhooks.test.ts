import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { startCli, startServer } from '../../processes.ts'
import { cliHere, start } from '../rig.ts'

// Risk: no command to register an endpoint, or to keep it right from CI.

const address = 'https://shop.example/hook'

t.test('webhooks are created, listed, changed and deleted by command', async (t) => {
  const { river, folder, env, cli } = await start(t)
  t.equal((await cli('webhooks', 'list')).stdout, 'No webhooks.\n')
  const created = await cli(
    'webhooks',
    'create',
    '--address',
    address,
    '--type',
    'order.accepted,refund.failed',
    '--basic-auth',
    'shop:hush-hush',
    '--disabled'
  )
  t.equal(created.code, 0, created.stderr)
  t.match(
    created.stdout,
    /enabled +NO.*basic username +shop.*basic password +\*{8}.*order\.accepted\n +refund\.failed.*dashboard open Developers/s
  )
  t.notMatch(created.stdout, /hush-hush/)
  const id = river.webhooks[0]?.id ?? ''
  t.match(river.webhooks, [
    {
      enabled: false,
      authentication: { username: 'shop', password: 'hush-hush' },
      types: ['order.accepted', 'refund.failed']
    }
  ])

  t.match(
    (await cli('webhooks', 'list')).stdout,
    new RegExp(`${id} +${address} +NO +HTTP +2: order\\.accepted, refund\\.failed`)
  )
  t.match(JSON.parse((await cli('webhooks', 'list', '--json')).stdout), {
    id,
    authentication: { password: '********' }
  })
  t.equal((await cli('webhooks', 'list', '--type', 'sku.created')).stdout, 'No webhooks.\n')
  t.match(JSON.parse((await cli('webhooks', 'show', id, '--json')).stdout), {
    id,
    authentication: { username: 'shop', password: '********' }
  })

  t.match(
    await cliHere(['webhooks', 'update', id], { ...env, RIVERHOOK_BASIC_AUTH: 'u:p' }),
    { code: 2, stderr: /Nothing to change: give --address/ },
    'the environment is for whole webhooks'
  )
  t.match((await cli('webhooks', 'update', id, '--enable')).stdout, /enabled +yes/)
  t.same(river.calls.at(-1)?.body, { enabled: true }, 'nothing else is sent')
  const oauthFile = join(folder, 'oauth.json')
  writeFileSync(
    oauthFile,
    JSON.stringify({ tokenEndPoint: 'https://shop.example/token', clientID: 'c', clientSecret: 'very-secret' })
  )
  const oauth = await cli('webhooks', 'update', id, '--oauth', oauthFile)
  t.match(oauth.stdout, /transport +OAUTH.*oauth clientSecret +\*{8}/s)
  t.notMatch(oauth.stdout, /very-secret/)
  t.match(river.webhooks, [{ transportType: 'OAUTH', oauth: { clientSecret: 'very-secret' } }])

  await cli('inbox', 'migrate')
  t.match(await cliHere(['webhooks', 'update', id, '--type', 'return.*,order.accepted'], env), { code: 0, stderr: '' })
  t.same(
    river.calls.at(-1)?.body,
    { types: ['return.accepted', 'return.created', 'return.updated', 'order.accepted'] },
    'names are sent, no pattern'
  )
  t.match(await cliHere(['webhooks', 'update', id, '--type', 'retrun.*'], env), {
    code: 2,
    stderr: /No event type "retrun\.\*" is known/
  })

  t.equal((await cli('webhooks', 'delete', id)).code, 2, 'without a terminal, --yes is needed')
  t.equal(river.webhooks.length, 1)
  t.match((await cli('webhooks', 'delete', id, '--yes')).stdout, /^The webhook \S+ was deleted\.\n$/)
  t.equal(river.webhooks.length, 0)
  const gone = await cli('webhooks', 'show', id)
  t.equal(gone.code, 1)
  t.match(gone.stderr, /^riverhook: GET \/webhooks\/.* 404 not_found/)
})

t.test('wrong usage is reported before anything is sent', async (t) => {
  const { river, folder, env } = await start(t)
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await cliHere(['webhooks', ...args], env)
    return [code, stderr.trim().split('\n')[0]]
  }
  t.match(
    [
      await wrong('update', 'x'),
      await wrong('update', 'x', '--enable', '--disable'),
      await wrong('create', '--address', 'shop.example', '--type', 'order.accepted'),
      await wrong('create', '--address', address),
      await wrong('sync'),
      await wrong('sync', '--address', address, '--json')
    ],
    [
      [2, /Nothing to change: give --address/],
      [2, /either --enable or --disable/],
      [1, /"address" must be an http or https URL/],
      [1, /types/],
      [2, /--address/],
      [2, /--check or --yes/]
    ]
  )
  const broken = join(folder, 'broken.json')
  writeFileSync(broken, '{"clientSecret": "very-secret"')
  const result = await cliHere(
    ['webhooks', 'create', '--address', address, '--type', 'order.acepted', '--oauth', broken],
    env
  )
  t.match(result.stderr, /warning: no event type "order\.acepted" is known; did you mean "order\.accepted"/)
  t.match(result.stderr, /it is not JSON/)
  t.notMatch(result.stderr, /very-secret/)
  const noKey = await cliHere(['webhooks', 'list'], { ...env, DIGITAL_RIVER_API_KEY: '' })
  t.match([noKey.code, noKey.stderr], [1, /DIGITAL_RIVER_API_KEY/])
  t.same(river.calls, [])
})

t.test('sync shows a plan, applies it, and then has nothing to do; --check is for CI', async (t) => {
  const { river, cli } = await start(t)
  const sync = (...args: string[]) => cli('webhooks', 'sync', '--address', address, ...args)
  const check = await sync('--check')
  t.same(
    [check.code, check.stdout],
    [1, `+ webhook ${address}\n+ types order.accepted\n+ types refund.failed\n+ enabled true\n`]
  )
  t.equal(river.webhooks.length, 0)
  t.equal((await sync()).code, 2, 'without a terminal, --yes is needed')
  const applied = await sync('--yes')
  t.equal(applied.code, 0, applied.stderr)
  t.match(applied.stdout, /^The webhook \S+ was created\.\nNote: .*dashboard/m)
  t.match(river.webhooks, [{ address, types: ['order.accepted', 'refund.failed'], enabled: true }])
  const again = await sync('--check')
  t.same([again.code, again.stdout.split('\n').at(-2)], [0, '= nothing to do'])
  t.match(JSON.parse((await sync('--check', '--json')).stdout), {
    webhook_id: river.webhooks[0]?.id,
    lines: [],
    unknown_patterns: []
  })
})

t.test('a closed output pipe changes neither the work nor the exit code', async (t) => {
  const { river, env } = await start(t)
  const sync = async (...args: string[]): Promise<number | null> => {
    const child = startCli(['webhooks', 'sync', '--address', address, ...args], env)
    child.stdout.destroy()
    const [code] = (await once(child, 'exit')) as [number | null]
    return code
  }
  t.equal(await sync('--check'), 1)
  t.equal(await sync('--yes'), 0)
  t.match(river.webhooks, [{ address }])
})

t.test('sync names every mismatch, and warns about a live key for a test endpoint', async (t) => {
  const { river, folder, cli } = await start(t, { liveMode: true })
  writeFileSync(
    join(folder, 'handlers/typo.js'),
    "import { defineHandler } from 'riverhook'\nexport default defineHandler('order.acepted', () => undefined)\n"
  )
  const test = 'https://test.shop.example/hook'
  river.addWebhook({ address: test, types: ['order.accepted', 'sku.created'], enabled: false })
  const { code, stdout, stderr } = await cli('webhooks', 'sync', '--address', test, '--check')
  t.equal(code, 1)
  t.match(
    stdout,
    /\+ types refund\.failed\n- types sku\.created \(no handler for it\)\n~ enabled false -> true\n! handler order\.acepted: matches no known event type/
  )
  t.match(stderr, /warning: the API key is a live key, and .* looks like a test endpoint/)
})

t.test('sync without a folder uses the handlers that the server stored in the inbox', async (t) => {
  const { river, env } = await start(t)
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a' })
  await server.end('SIGTERM')
  const { RIVERHOOK_HANDLERS: _none, ...without } = env
  const { code, stderr } = await cliHere(['webhooks', 'sync', '--address', address, '--yes'], without)
  t.equal(code, 0, stderr)
  t.match(river.webhooks, [{ types: ['order.accepted', 'refund.failed'] }])
})

t.test("sync warns if it removes types that only the server's handlers take, which would get no event", async (t) => {
  const { river, folder, env } = await start(t)
  river.addWebhook({ address, types: ['order.accepted', 'refund.failed', 'sku.created'], enabled: true })
  const part = join(folder, 'part')
  mkdirSync(part)
  writeFileSync(
    join(part, 'ship.js'),
    "import { defineHandler } from 'riverhook'\nexport default defineHandler('order.*', { name: 'ship' }, () => undefined)\n"
  )
  const check = (handlers: string) =>
    cliHere(['webhooks', 'sync', '--address', address, '--check', '--handlers', handlers], env)
  t.match(await check(part), {
    code: 1,
    stderr: /event types are removed, and the handlers in .* could not be compared.*There is no inbox at/
  })
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a' })
  await server.end('SIGTERM')
  const { stdout, stderr } = await check(part)
  t.match(stdout, /- types refund\.failed/)
  t.match(stderr, /warning: the server's handlers take refund\.failed, and the handlers in .* do not.*start the server/)
  t.ok(stderr.includes(part), 'it names the handlers that are used')
  t.equal((await check(join(folder, 'handlers'))).stderr, '', 'no handler takes sku.created')
})

t.test('serve registers itself and logs the registration', async (t) => {
  const { river, folder, env } = await start(t)
  const keyFile = join(folder, 'key')
  writeFileSync(keyFile, `${river.apiKey}\n`)
  const { DIGITAL_RIVER_API_KEY: _none, ...rest } = env
  const server = await startServer({
    ...rest,
    DIGITAL_RIVER_API_KEY_FILE: keyFile,
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_REGISTER_ADDRESS: address,
    RIVERHOOK_REGISTER_REPAIR: 'true',
    RIVERHOOK_REGISTER_EVERY: '50ms',
    RIVERHOOK_BACKFILL_EVERY: '1h'
  })
  t.teardown(() => server.end('SIGKILL'))
  await server.line(/"result":"created".*the webhook is registered/)
  await server.line(/no event is missing/)
  await fetch(`${river.url}/webhooks/${river.webhooks[0]?.id ?? ''}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${river.apiKey}` }
  })
  await server.line(/the webhook was deleted/)
  await server.line(/"result":"created".*the webhook is registered/)
  t.equal(await server.end('SIGTERM'), 0)
  t.notMatch(server.lines.join('\n'), new RegExp(river.apiKey))
})
