import { writeFileSync } from 'node:fs'
import { createServer as createTcpServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'

import t from 'tap'

import { newToken } from '../../src/admin/tokens.ts'
import { healthRoute } from '../../src/admin/health.ts'
import { readConfig } from '../../src/options/environment.ts'
import { createServer } from '../../src/server/server.ts'
import { makeFolder } from '../folder.ts'
import { runCli, runProcess, startServer } from '../processes.ts'
import Fastify from 'fastify'

const plain = { RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_INBOX: 'memory:', RIVERHOOK_LOG_LEVEL: 'silent' }

t.test('the API has a separate listener, follows the file of the tokens, and ends with the server', async (t) => {
  const one = newToken('alice', ['read'])
  const two = newToken('bob', ['read'])
  const file = join(makeFolder(t, { tokens: `# people\n${one.line}\n` }), 'tokens')
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: 'memory:',
    RIVERHOOK_ADMIN: '0.0.0.0:0',
    RIVERHOOK_ADMIN_TOKENS_FILE: file
  })
  const line = await server.line(/operator's API listening at http:\/\/127/)
  const url = /http:[^"]+/.exec(line)?.[0] ?? ''
  await server.line(/listens beyond this machine, without TLS/)
  const statusOf = async (token: string, at = url) => {
    const answer = await fetch(`${at}/api/v1/stats`, { headers: { authorization: `Bearer ${token}` } })
    await answer.body?.cancel()
    return answer.status
  }
  t.equal(await statusOf(one.token), 200)
  t.equal(await statusOf(two.token), 401)
  t.equal(await statusOf(one.token, server.url), 404, 'the port of the webhook does not serve it')
  writeFileSync(file, `${two.line}\n`)
  t.equal(await statusOf(one.token), 401, 'a removed token ends at once')
  t.equal(await statusOf(two.token), 200)
  writeFileSync(file, '')
  t.equal(await statusOf(two.token), 401, 'no token is valid while the file is empty')
  await server.line(
    /"level":50.*RIVERHOOK_ADMIN_TOKENS_FILE names .*, which cannot be read now: it is empty. No token is valid/
  )
  const health = await fetch(`${url}/health`)
  t.same(await health.json(), { status: 'pass', checks: { inbox: 'pass', backlog: 'pass' }, reasons: [] })
  t.equal(await server.end('SIGTERM'), 0, 'connections that are kept alive do not delay the end')
})

t.test('without tokens and proxy, with a wrong line, or without a free port, the server does not start', async (t) => {
  const taken = createTcpServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { line } = newToken('alice', ['read'])
  const { port } = taken.address() as { port: number }
  const wrong: [Record<string, string>, RegExp][] = [
    [{ RIVERHOOK_ADMIN: '127.0.0.1:0' }, /set RIVERHOOK_ADMIN_TOKENS_FILE, or RIVERHOOK_ADMIN_PROXY_HEADER/],
    [
      { RIVERHOOK_ADMIN: '127.0.0.1:0', RIVERHOOK_ADMIN_TOKENS: 'x' },
      /^RIVERHOOK_ADMIN_TOKENS: entry 1 must have three/
    ],
    [
      {
        RIVERHOOK_ADMIN: '127.0.0.1:0',
        RIVERHOOK_ADMIN_PROXY_HEADER: 'cookie',
        RIVERHOOK_ADMIN_PROXY_FROM: '10.0.0.1'
      },
      /^RIVERHOOK_ADMIN_PROXY_HEADER must be the name of a header/
    ],
    [
      { RIVERHOOK_ADMIN: '127.0.0.1:0', RIVERHOOK_ADMIN_PROXY_HEADER: 'x-user', RIVERHOOK_ADMIN_PROXY_FROM: '::/0' },
      /^RIVERHOOK_ADMIN_PROXY_FROM has a range of all addresses/
    ],
    [
      { RIVERHOOK_ADMIN: `127.0.0.1:${port}`, RIVERHOOK_ADMIN_TOKENS: line },
      /RIVERHOOK_ADMIN: cannot listen.*EADDRINUSE/
    ]
  ]
  for (const [environment, message] of wrong)
    await t.rejects(
      (async () => {
        const app = await createServer(readConfig({ ...plain, ...environment }))
        t.teardown(() => app.close())
        await app.ready()
      })(),
      { message }
    )
})

// Risk: metrics for everybody, or none for Prometheus, whose Host is any name.
t.test('GET /metrics needs a token of the scope read, unless RIVERHOOK_METRICS_OPEN is set', async (t) => {
  const { token, line } = newToken('prometheus', ['read'])
  const other = newToken('runner', ['operate'])
  const admin = { RIVERHOOK_ADMIN: '127.0.0.1:0', RIVERHOOK_ADMIN_TOKENS: `${line}\n${other.line}` }
  const start = async (more: Record<string, string>) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const config = readConfig({ ...plain, ...admin, ...more })
    const app = await createServer({ ...config, admin: { ...config.admin!, onListen: resolve } })
    t.teardown(() => app.close())
    await app.ready()
    const url = `${await promise}/metrics`
    return async (headers: Record<string, string> = {}) => {
      const answer = await fetch(url, { headers })
      return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
    }
  }
  const closed = await start({})
  t.match(await closed(), { status: 401 })
  t.match(await closed({ authorization: `Bearer ${token.slice(0, -1)}` }), { status: 401 })
  t.match(await closed({ authorization: `Bearer ${other.token}` }), { status: 403 })
  const page = await closed({ authorization: `Bearer ${token}` })
  t.match(page, { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
  t.match(page.text, /^riverhook_inbox_up 1$/m)
  t.match(page.text, /^process_cpu_seconds_total /m, 'with those of the process')
  const open = await start({ RIVERHOOK_METRICS_OPEN: 'true' })
  t.match(await open(), { status: 200, text: /^riverhook_build_info/m })
})

t.test('settings of the API that do not fit together are named', (t) => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ RIVERHOOK_ADMIN: '8081' }, /^RIVERHOOK_ADMIN must be an address and a port, such as 127.0.0.1:8081$/],
    [{ RIVERHOOK_ADMIN: '127.0.0.1:99999' }, /^RIVERHOOK_ADMIN must be/],
    [{ RIVERHOOK_ADMIN: ':8081' }, /^RIVERHOOK_ADMIN must be/],
    [{ RIVERHOOK_ADMIN_HOSTS: 'a.example' }, /^RIVERHOOK_ADMIN_HOSTS has no effect without RIVERHOOK_ADMIN$/],
    [{ RIVERHOOK_ADMIN_TOKENS: 'x' }, /^RIVERHOOK_ADMIN_TOKENS has no effect without RIVERHOOK_ADMIN$/],
    [
      { RIVERHOOK_ADMIN: '[::1]:1', RIVERHOOK_ADMIN_PROXY_HEADER: 'x-user' },
      /^RIVERHOOK_ADMIN_PROXY_HEADER needs RIVERHOOK_ADMIN_PROXY_FROM/
    ],
    [
      { RIVERHOOK_ADMIN: '[::1]:1', RIVERHOOK_ADMIN_PROXY_FROM: '10.0.0.1' },
      /^RIVERHOOK_ADMIN_PROXY_FROM has no effect without/
    ]
  ]
  for (const [environment, message] of wrong)
    t.throws(() => readConfig({ ...plain, ...environment }), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  const { admin } = readConfig({
    RIVERHOOK_ADMIN: '[::1]:8081',
    RIVERHOOK_ADMIN_TOKENS: 'alice read,operate sha256:00\nbob read sha256:11',
    RIVERHOOK_ADMIN_PROXY_HEADER: 'x-user',
    RIVERHOOK_ADMIN_PROXY_FROM: '10.0.0.1, fd00::/8',
    RIVERHOOK_ADMIN_PROXY_OPERATORS: 'alice@example.com=read+operate,bob'
  })
  t.same(admin, {
    host: '::1',
    port: 8081,
    hosts: [],
    areMetricsOpen: false,
    tokens: ['alice read,operate sha256:00', 'bob read sha256:11'],
    proxy: {
      header: 'x-user',
      from: ['10.0.0.1', 'fd00::/8'],
      operators: [
        { name: 'alice@example.com', scopes: ['read', 'operate'] },
        { name: 'bob', scopes: ['read'] }
      ]
    }
  })
  t.end()
})

// Risk: a slower start, and more code in the process, for those who do not use it.
t.test('a start without the API loads nothing of it', async (t) => {
  const url = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href)
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      resolve: (name, context, next) => {
        const found = next(name, context)
        loaded.push(found.url)
        return found
      }
    })
    const { createServer } = await import(${url('src/server/server.ts')})
    const { readConfig } = await import(${url('src/options/environment.ts')})
    const start = async (more) => {
      const app = await createServer(readConfig({ ...${JSON.stringify(plain)}, ...more }))
      await app.ready()
      await app.close()
      return loaded.filter((each) => /(?:src|\\.oldest)\\/(?:admin\\/|observe\\/metrics\\/(?:metrics|create))|@fastify\\/(?:static|helmet|cookie|rate-limit)\\/|@prometheus-io\\/|@opentelemetry\\//.test(each)).length
    }
    console.log(await start({}), await start({ RIVERHOOK_ADMIN: '127.0.0.1:0', RIVERHOOK_ADMIN_TOKENS: ${JSON.stringify(newToken('a', ['read']).line)} }) > 10)
  `
  const { stdout, stderr } = await runProcess(process.execPath, [
    '--conditions=riverhook-source',
    '--input-type=module',
    '--eval',
    script
  ])
  t.equal(stdout, '0 true\n', stderr)
})

t.test('health: an inbox that is away fails, a backlog and a changed registration warn', async (t) => {
  const healthOf = async (health: object, registrations: object[] = []): Promise<unknown[]> => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(healthRoute, {
      riverhook: { health: async () => health, registrations: () => registrations } as never
    })
    const answer = await app.inject('/health')
    return [answer.statusCode, answer.json(), answer.headers['content-type']]
  }
  const away = { ready: false, reasons: ['the inbox cannot be written to'], detail: 'disk full: /var/lib/x' }
  t.same(await healthOf(away), [
    503,
    { status: 'fail', checks: { inbox: 'fail', backlog: 'pass' }, reasons: ['the inbox cannot be written to'] },
    'application/health+json; charset=utf-8'
  ])
  const late900 = 'a delivery is overdue by 900 s'
  const warnings = { backlog: late900 }
  for (const late of [
    { ready: true, reasons: [], warnings },
    { ready: false, reasons: [late900], warnings }
  ])
    t.match(await healthOf(late, [{ state: 'in_sync' }]), [
      200,
      { status: 'warn', checks: { inbox: 'pass', backlog: 'warn', registration: 'pass' }, reasons: [late900] }
    ])
  const full = { ready: true, reasons: [], warnings: { disk: 'full' }, freeShare: 0.1, clockSkewMs: 5 }
  t.match(await healthOf(full), [200, { status: 'warn', checks: { disk: 'warn', clock: 'pass' }, reasons: ['full'] }])
  t.match(await healthOf({ ready: true, reasons: [] }, [{ state: 'in_sync' }, { state: 'changed' }]), [
    200,
    { status: 'warn', checks: { registration: 'warn' } }
  ])
})

t.test('riverhook admin token prints a token that its line accepts', async (t) => {
  const { stdout, code } = await runCli(['admin', 'token', '--name', 'alice', '--scope', 'read,operate'])
  t.equal(code, 0)
  const token = /^ {2}(rha_\S+)$/m.exec(stdout)?.[1] ?? ''
  const line = /^ {2}(alice .*)$/m.exec(stdout)?.[1] ?? ''
  const app = await createServer(readConfig({ ...plain, RIVERHOOK_ADMIN: '127.0.0.1:0', RIVERHOOK_ADMIN_TOKENS: line }))
  t.teardown(() => app.close())
  const { Tokens } = await import('../../src/admin/tokens.ts')
  t.match(new Tokens(line, { error: () => undefined } as never).find(token), { name: 'alice' })
  for (const flags of [
    ['--scope', 'read'],
    ['--name', 'a b'],
    ['--name', '#a'],
    ['--name', 'a', '--scope', 'root']
  ])
    t.equal((await runCli(['admin', 'token', ...flags])).code, 2, flags.join(' '))
})
