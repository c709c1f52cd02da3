import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

import { listenAddress } from '../../src/server/listen-address.ts'
import { environmentSettings } from '../../src/options/variables.ts'
import { watchedList } from '../../src/options/value-file.ts'
import { cliHere } from '../cli/rig.ts'
import { asUser, environment, type Environment } from '../environment.ts'
import { makeFolder } from '../folder.ts'
import { event, postUntilStored, signatureHeaders, type Answer } from '../receive/receiver.ts'
import { runCli, startServer } from '../processes.ts'

const slow = `
import { setTimeout } from 'node:timers/promises'
import { appendFileSync } from 'node:fs'
module.exports = (riverhook) => {
  riverhook.on('*', { name: 'slow' }, async (event, { log }) => {
    log.info('began')
    await setTimeout(300)
    appendFileSync(process.env.DONE_FILE, event.id)
  })
}
`.replace(/import (.*) from (.*)/g, 'const $1 = require($2)')

t.test('SIGTERM lets a running handler finish, closes the store and exits 0', async (t) => {
  const folder = makeFolder(t, { handlers: { 'slow.cjs': slow }, done: '' })
  const env = {
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    DONE_FILE: join(folder, 'done')
  }
  const server = await startServer(env)
  const body = event({ id: 'e1' })
  t.equal(
    (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
    202
  )
  await server.line(/"msg":"began"/)
  t.equal(await server.end('SIGTERM'), 0)
  t.match(JSON.parse((await cliHere(['events', 'show', 'e1', '--json'], env)).stdout), {
    deliveries: [{ state: 'done', attempts: 1 }]
  })
})

/** Among the last lines: pino writes in the background, so of two pending lines either may be the first. */
const stopped = /"msg":"stopped"/

/**
 * Runs a server as `npm run` starts one in a clone: through a shell that forwards no signals, both in a group of
 * processes.
 * @param onLine called with each line as it is printed
 * @returns the output until both had ended
 */
async function underShell(
  env: Environment,
  onLine: (line: string, shell: ChildProcess) => void
): Promise<readonly string[]> {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const settings = {
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_PORT: '0',
    RIVERHOOK_DRAIN_DELAY: '0',
    npm_package_name: 'riverhook',
    npm_lifecycle_event: 'riverhook',
    ...env
  }
  const command = asUser('sh', ['-c', `"${process.execPath}" --conditions=riverhook-source "${main}" serve; :`])
  const shell = spawn(...command, { detached: true, env: environment(settings), stdio: ['ignore', 'pipe', 'ignore'] })
  const lines: string[] = []
  createInterface({ input: shell.stdout }).on('line', (line) => {
    lines.push(line)
    onLine(line, shell)
  })
  await once(shell, 'close')
  return lines
}

t.test('npm receives the signal and its shell does not forward it: the server still ends', async (t) => {
  const lines = await underShell({ RIVERHOOK_INBOX: 'memory:' }, (line, shell) => {
    if (line.includes('Server listening')) shell.kill('SIGTERM')
  })
  t.match(lines.slice(-2).join(), stopped)
})

t.test(
  'npm, its shell and the server receive the signal: a running handler finishes after the shell has ended',
  async (t) => {
    // Longer than the server needs to notice that the shell has ended.
    const folder = makeFolder(t, { handlers: { 'slow.cjs': slow.replace('300', '1500') }, done: '' })
    const env = {
      RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
      RIVERHOOK_HANDLERS: join(folder, 'handlers'),
      DONE_FILE: join(folder, 'done')
    }
    const body = event({ id: 'e1' })
    let answer: Promise<Answer> | undefined
    const lines = await underShell(env, (line, shell) => {
      const url = /Server listening at (http:[^"]+)/.exec(line)?.[1]
      if (url !== undefined)
        answer = postUntilStored(`${url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))
      if (line.includes('"msg":"began"')) process.kill(-shell.pid!, 'SIGTERM')
    })
    t.equal((await answer)?.status, 202)
    t.equal(readFileSync(join(folder, 'done'), 'utf8'), 'e1')
    t.match(lines.slice(-2).join(), stopped)
  }
)

t.test('an uncaught error ends the server, and counts for the attempt that caused it, which is named', async (t) => {
  const faulty = `
const { setTimeout: pause } = require('node:timers/promises')
module.exports = (riverhook) => {
  riverhook.on('*', { name: 'faulty', retry: { attempts: 1 } }, async () => {
    void pause(100).then(() => { throw new Error('nobody caught it') })
    await new Promise(() => undefined)
  })
  riverhook.on('*', { name: 'other', retry: { attempts: 1 } }, () => new Promise(() => undefined))
}
`
  const folder = makeFolder(t, { handlers: { 'faulty.cjs': faulty } })
  const env = {
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_HANDLERS: join(folder, 'handlers')
  }
  const server = await startServer(env)
  const exited = once(server.process, 'exit')
  const body = event({ id: 'e1' })
  t.equal(
    (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
    202
  )
  t.same(await exited, [1, null])
  t.match(
    await server.line(/nothing caught/),
    /"level":60,.*"event_id":"e1".*"handler":"faulty","attempt":1,"error":"Error: nobody caught it".*"under_way":.*"other"/
  )
  const shown = (await cliHere(['events', 'show', 'e1'], env)).stdout
  t.match(shown, /faulty: dead\n.*attempt 1 {2}dead .*nobody caught it/)
  t.match(shown, /other: pending, due .*\n.*attempt 1 {2}released/)
})

t.test('health, unknown paths, and a second server on the same file', async (t) => {
  const folder = makeFolder(t)
  const env = {
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_LOG_LEVEL: 'info'
  }
  const server = await startServer(env)
  t.teardown(() => server.end('SIGKILL'))
  const get = async (path: string) => {
    const response = await fetch(server.url + path)
    return [response.status, await response.json()] as const
  }
  t.same(await get('/health/live'), [200, { status: 'live' }])
  t.same(await get('/health/ready'), [200, { status: 'ready', reasons: [] }])
  t.match(await get('/'), [404, { statusCode: 404, code: 'RIVERHOOK_RECEIVE_NOT_FOUND', error: 'Not Found' }])
  const second = await runCli(['serve'], { env: { ...env, RIVERHOOK_PORT: '0' } })
  t.equal(second.code, 1)
  t.match(second.stderr, /^riverhook: .*inbox\.db is in use by another server \(process \d+ on .*\n$/)
  const samePort = await runCli(['serve'], {
    env: { ...env, RIVERHOOK_INBOX: `sqlite:${join(folder, 'other.db')}`, RIVERHOOK_PORT: new URL(server.url).port }
  })
  t.match(samePort, {
    code: 1,
    stderr: /cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE; another program uses it.*RIVERHOOK_PORT/
  })
  const noHost = await runCli(['serve'], {
    env: { ...env, RIVERHOOK_INBOX: 'memory:', RIVERHOOK_HOST: 'no-such-host.invalid', RIVERHOOK_PORT: '0' }
  })
  t.match(noHost, {
    code: 1,
    stderr: /^riverhook: cannot listen on no-such-host\.invalid: E\w+\. The name has no address: set RIVERHOOK_HOST/
  })
})

t.test('a secret in a file is rotated without a restart', async (t) => {
  const folder = makeFolder(t, { secrets: 'whk_old\n' })
  const file = join(folder, 'secrets')
  const server = await startServer({
    RIVERHOOK_SECRETS_FILE: file,
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`
  })
  t.teardown(() => server.end('SIGKILL'))
  const send = async (secret: string) => {
    const body = event()
    return (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, secret))).status
  }
  t.same([await send('whk_old'), await send('whk_new')], [202, 401])
  writeFileSync(`${file}.new`, 'whk_old\nwhk_new\n')
  renameSync(`${file}.new`, file)
  t.same([await send('whk_old'), await send('whk_new')], [202, 202])
  writeFileSync(`${file}.new`, 'whk_new')
  renameSync(`${file}.new`, file)
  t.same([await send('whk_old'), await send('whk_new')], [401, 202])
})

t.test('an endless body does not delay the shutdown', async (t) => {
  const server = await startServer({ RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_INBOX: 'memory:' })
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(
    'POST /webhooks/digital-river HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"half":'
  )
  // Answered, so half of the body has been read before.
  await fetch(`${server.url}/health/live`)
  t.equal(await server.end('SIGTERM'), 0)
  await server.line(/"msg":"stopped"/)
})

t.test(
  'SIGTERM with a slow load balancer: not ready, requests are still recorded, a second signal ends the wait',
  async (t) => {
    const server = await startServer({
      RIVERHOOK_SECRETS: 'whk_a',
      RIVERHOOK_INBOX: 'memory:',
      RIVERHOOK_DRAIN_DELAY: '1h'
    })
    t.teardown(() => server.end('SIGKILL'))
    const ended = server.end('SIGTERM')
    t.match(JSON.parse(await server.line(/"msg":"shutting down"/)), { drain_delay_ms: 3_600_000 })
    const ready = await fetch(`${server.url}/health/ready`)
    t.same([ready.status, await ready.json()], [503, { status: 'not ready', reasons: ['shutting down'] }])
    const body = event({ id: 'late' })
    t.equal(
      (await postUntilStored(`${server.url}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))).status,
      202
    )
    server.process.kill('SIGTERM')
    t.equal(await ended, 0)
    await server.line(/"msg":"stopped"/)
  }
)

t.test(
  'after SIGTERM each answer closes its connection: none is cut by a new request, or stays open to the end',
  async (t) => {
    const server = await startServer({
      RIVERHOOK_SECRETS: 'whk_a',
      RIVERHOOK_INBOX: 'memory:',
      RIVERHOOK_DRAIN_DELAY: '1h'
    })
    t.teardown(() => server.end('SIGKILL'))
    const { hostname, port } = new URL(server.url)
    const body = event({ id: 'kept' })
    const signed = Object.entries(signatureHeaders(body, 'whk_a'))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
    const head = `POST /webhooks/digital-river HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${signed}content-length: ${body.length}\r\n\r\n`
    const [early, late] = [connect(Number(port), hostname), connect(Number(port), hostname)]
    // Its request is pending when the signal arrives.
    early.write(head)
    await fetch(`${server.url}/health/live`)
    const ended = server.end('SIGTERM')
    await server.line(/"msg":"shutting down"/)
    early.write(body)
    late.write(head + body.toString())
    // Both end only when the server closes the connection.
    for (const socket of [early, late])
      t.match((await buffer(socket)).toString(), /^HTTP\/1\.1 202 .*\r\nconnection: close\r\n/is)
    server.process.kill('SIGTERM')
    t.equal(await ended, 0)
  }
)

t.test('only one address of localhost is used, because limits and shutdown are per server', async (t) => {
  const resolve = async () => ({ address: '::1' })
  t.equal(await listenAddress('localhost', resolve), '::1')
  t.equal(await listenAddress('0.0.0.0', resolve), '0.0.0.0')
})

t.test('readiness reports that the inbox fails, and only the log names the file', async (t) => {
  const folder = makeFolder(t, { 'inbox.db': 'this is no database, and it is long enough to be seen as none at once' })
  const server = await startServer({
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`
  })
  t.teardown(() => server.end('SIGKILL'))
  const answer = await fetch(`${server.url}/health/ready`)
  t.same(
    [answer.status, await answer.json()],
    [503, { status: 'not ready', reasons: ['the inbox cannot be written to'] }]
  )
  t.match(await server.line(/"detail":/), /inbox\.db/)
})

// Risk: events signed with the new secret are refused, or a revoked secret stays valid unnoticed.
t.test(
  'a secrets file that is empty or unreadable is read again until it is valid, with an error each minute',
  async (t) => {
    const file = join(makeFolder(t, { secrets: 'whk_a' }), 'secrets')
    let now = 0
    const list = watchedList('RIVERHOOK_SECRETS_FILE', file, 'whk_a', () => now)
    const reports: string[] = []
    t.teardown(
      list.watch((message) => {
        reports.push(message)
      })
    )
    const after = (minutes: number) => {
      now += minutes * 60_000
      const secrets = list()
      return [secrets.join(), reports.splice(0).length]
    }
    const faults: (() => void)[] = [
      () => {
        rmSync(file)
      },
      () => {
        mkdirSync(file)
      },
      () => {
        rmSync(file, { recursive: true })
        writeFileSync(file, '')
      },
      () => {
        writeFileSync(file, '# none\n,\n')
      }
    ]
    for (const fault of faults) {
      fault()
      t.same(
        [after(1), after(0), after(0.5), after(0.5), after(1)],
        [
          ['whk_a', 1],
          ['whk_a', 0],
          ['whk_a', 0],
          ['whk_a', 1],
          ['whk_a', 1]
        ]
      )
    }
    rmSync(file)
    list()
    t.match(reports.splice(0), [])
    now += 60_000
    list()
    t.match(reports.splice(0), [
      /RIVERHOOK_SECRETS_FILE names .*secrets, which cannot be read now: ENOENT.*stay valid until it can/
    ])
    writeFileSync(file, 'whk_b')
    t.same(after(0), ['whk_b', 0])
    rmSync(file)
    t.same(after(0), ['whk_b', 1], 'another error is reported at once')
  }
)

// Risk: a wrong deployment that is found only by the events that it loses.
t.test('the start is one line that says what runs; --check says the same without a port or an inbox', async (t) => {
  const folder = makeFolder(t, {
    handlers: {
      'ship.js': "export default (riverhook) => { riverhook.on('order.*', { name: 'ship' }, () => undefined) }\n"
    }
  })
  const env = {
    RIVERHOOK_SECRETS: 'whk_749267cf-a86e-471e-ab70-e4b315c9b9c4,whk_a49267cf-a86e-471e-ab70-e4b315c9b9c4',
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_HANDLERS: join(folder, 'handlers')
  }
  t.match(await runCli(['serve', '--check'], { env }), {
    code: 0,
    stdout: 'The configuration and the handlers are valid.\n',
    stderr: ''
  })
  t.notOk(existsSync(join(folder, 'inbox.db')))
  const server = await startServer(env)
  t.teardown(() => server.end('SIGKILL'))
  t.match(JSON.parse(await server.line(/"msg":"started"/)), {
    version: /^\d+\.\d+\.\d+/,
    endpoints: [{ path: '/webhooks/digital-river', source: 'digital-river', secrets: 2 }],
    inbox: env.RIVERHOOK_INBOX,
    handlers: ['ship']
  })
  const checked = (wrong: Environment) => cliHere(['serve', '--check'], { ...env, ...wrong })
  t.match(await checked({ RIVERHOOK_INBOX: `sqlite:${folder}/data/inbox.db` }), {
    code: 1,
    stderr: /The inbox's folder .*data does not exist/
  })
  t.match(await checked({ RIVERHOOK_INBOX: 'nowhere:', RIVERHOOK_HANDLERS: join(folder, 'none') }), {
    code: 1,
    stderr:
      /2 settings are wrong\n {2}- .* is not an inbox: .*\n {2}- The handlers folder .*none does not exist: create it/
  })
  writeFileSync(
    join(folder, 'handlers', 'wrong.js'),
    "export default (riverhook) => { riverhook.on('ordr.*', () => undefined) }\n"
  )
  t.match(await checked({}), { code: 1, stderr: /"ordr\.\*" would never run: .* did you mean "order\.\*"\?/ })
})

t.test('serve --help lists every setting', async (t) => {
  const { stdout } = await cliHere(['serve', '--help'])
  for (const { env } of Object.values(environmentSettings))
    t.match(stdout, new RegExp(`^  ${env ?? ''}\\b`, 'm'), String(env))
  t.match(stdout, /^ {2}RIVERHOOK_PORT, default 8080\n {6}The port to listen on\./m)
  t.notMatch(stdout, /`|\]\(/, 'no Markdown')
  t.ok(stdout.split('\n').every((line) => line.length <= 80))
})

t.test('a start that fails reports the reason in one line and exits 1', async (t) => {
  const folder = makeFolder(t, { handlers: { 'broken.js': 'export default nonsense' } })
  const env = { RIVERHOOK_PORT: '0', RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}` }
  t.match(await cliHere(['serve'], env), { code: 1, stderr: /^riverhook: The endpoint .* has no credentials.*\n$/ })
  const broken = await cliHere(['serve'], {
    ...env,
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_HANDLERS: join(folder, 'handlers')
  })
  t.match(broken, { code: 1, stderr: /broken\.js.*nonsense is not defined/ })
  const own = { ...env, RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_INBOX: 'memory:' }
  t.equal(
    (await cliHere(['serve'], { ...own, RIVERHOOK_PATH: 'hook' })).stderr,
    'riverhook: RIVERHOOK_PATH must begin with a slash, such as /webhooks/digital-river\n'
  )
  t.match(await cliHere(['serve'], { ...own, RIVERHOOK_RETENTION: '1h' }), {
    code: 1,
    stderr: /^riverhook: RIVERHOOK_RETENTION must be at least 73h/
  })
})
