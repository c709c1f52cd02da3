import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

import t from 'tap'

import { asUser, environment } from '../../environment.ts'
import { makeFolder } from '../../folder.ts'
import { startListening } from '../../processes.ts'
import { event, postUntilStored, secret } from '../../receive/receiver.ts'
import type { SeenSpan } from '../traces/sdk.ts'

const run = promisify(execFile)
const script = join(import.meta.dirname, '../traces/process.ts')

interface Printed {
  readonly spans: readonly SeenSpan[]
  readonly inHandler: readonly string[]
  readonly active?: string
  readonly logged: readonly { readonly msg: string; readonly trace_id?: string; readonly span_id?: string }[]
}

async function inProcess(...args: readonly string[]): Promise<Printed> {
  const [first] = await start([script, ...args])
  return first as Printed
}

/** Runs a process. @returns the values that it printed as JSON */
async function start(args: readonly string[], env: Record<string, string> = {}): Promise<readonly unknown[]> {
  const { stdout } = await run(...asUser(process.execPath, ['--conditions=riverhook-source', ...args]), {
    env: environment(env)
  })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

// Risk: the last attempt of a delivery, in another process and hours later, that cannot be connected with its request;
// or attempts that stretch the trace of the request over hours.
t.test('two failed attempts and a success in another process are three traces, linked to the request', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const first = await inProcess(inbox, '3', '2', 'e1')
  const second = await inProcess(inbox, '3', '3')

  const named = (printed: Printed, name: string) => printed.spans.filter((span) => span.name === name)
  const [server] = named(first, 'POST')
  const [send] = named(first, 'send /hook')
  const [fast] = named(first, 'process fast')
  const [one, two] = named(first, 'process slow')
  const [three] = named(second, 'process slow')
  t.equal(first.spans.length, 5)
  t.equal(second.spans.length, 1)
  t.match(send, { kind: 'PRODUCER', trace: server?.trace, parent: server?.id, links: [], error: undefined })
  const links = [{ trace: send?.trace, id: send?.id }]
  t.match(fast, { kind: 'CONSUMER', trace: server?.trace, parent: send?.id, links })
  t.match(one, { kind: 'CONSUMER', trace: server?.trace, parent: send?.id, links, error: /attempt 1 fails/ })
  t.match(two, { parent: undefined, links, error: /attempt 2 fails/ })
  t.match(three, { parent: undefined, links, error: undefined })
  t.equal(new Set([one, two, three].map((span) => span?.trace)).size, 3)
  t.match(
    [one, two, three].map((span) => span?.attributes),
    [
      { 'riverhook.attempt': 1, 'riverhook.outcome': 'retry', 'error.type': 'Error' },
      { 'riverhook.attempt': 2, 'riverhook.outcome': 'retry' },
      { 'riverhook.attempt': 3, 'riverhook.outcome': 'done', 'messaging.message.id': 'e1' }
    ]
  )

  t.same(first.inHandler, [one?.id, two?.id], 'the handler runs in the span of its attempt')
  t.same(second.inHandler, [three?.id])
  t.equal(first.active, undefined)
  t.equal(second.active, undefined)

  const ids = (printed: Printed, msg: string | RegExp) =>
    printed.logged.filter((line) => line.msg.match(msg)).map(({ trace_id, span_id }) => [trace_id, span_id])
  t.same(ids(first, 'event accepted'), [[send?.trace, send?.id]])
  t.same(ids(first, 'at work'), [
    [one?.trace, one?.id],
    [two?.trace, two?.id]
  ])
  t.same(ids(first, 'the handler failed'), [
    [one?.trace, one?.id],
    [two?.trace, two?.id]
  ])
  t.same(ids(second, 'at work'), [[three?.trace, three?.id]])
})

const main = join(import.meta.dirname, '../../../src/cli/main.ts')
const mapped = ['--import', pathToFileURL(join(import.meta.dirname, '../traces/map-api.ts')).href]

// Risk: every user pays for traces that a few want.
t.test('without an SDK, nothing of OpenTelemetry is loaded', async (t) => {
  t.same(await start([...mapped, join(import.meta.dirname, '../traces/plain.ts')]), [{ loaded: [] }])
})

// Risk: an app with another version of the API, whose traces end at the receiver without a word.
for (const { ours, app, works } of [
  { ours: 'opentelemetry-api-oldest', app: '@opentelemetry/api', works: true },
  { ours: '@opentelemetry/api', app: 'opentelemetry-api-newest', works: true },
  { ours: 'opentelemetry-api-oldest', app: 'opentelemetry-api-newest', works: true },
  { ours: 'opentelemetry-api-newest', app: '@opentelemetry/api', works: false }
])
  t.test(`with ${ours} beside an app with ${app}, ${works ? 'there are spans' : 'a warning says why'}`, async (t) => {
    const [printed] = await start([...mapped, script, 'memory:', '1', '1', 'e1'], { OURS: ours, APP: app })
    const { spans, logged } = printed as Printed
    const own = spans.map(({ name }) => name).filter((name) => /^(send|process slow)/.test(name))
    t.same(own.sort(), works ? ['process slow', 'send /hook'] : [])
    t.equal(
      logged.some(({ msg }) => /npm dedupe/.test(msg)),
      !works
    )
  })

// Risk: an install that gives Riverhook a newer copy of the API than the app has.
t.test('npm installs one copy of the API, that which the SDK needs', (t) => {
  const read = (file: string): unknown => JSON.parse(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'))
  t.match(read('package.json'), { dependencies: { '@opentelemetry/api': '^1.4.0' } })
  const { packages } = read('package-lock.json') as { readonly packages: object }
  t.same(
    Object.keys(packages).filter((path) => path.endsWith('@opentelemetry/api')),
    ['node_modules/@opentelemetry/api']
  )
  t.end()
})

// Risk: a page that says how to get traces, and is wrong.
t.test('the telemetry of the documentation works with a configuration file, and with --import', async (t) => {
  const page = readFileSync(new URL('../../../docs/observe.md', import.meta.url), 'utf8')
  const [, code = ''] = /<!-- run: telemetry\.ts -->\n```ts\n([\s\S]*?)```/.exec(page) ?? []
  const folder = makeFolder(t, {
    'telemetry.ts': code,
    handlers: { 'all.js': "export default (riverhook) => { riverhook.on('*', { name: 'all' }, () => undefined) }\n" },
    configured: { 'riverhook.config.ts': "import '../telemetry.ts'\nexport default { inbox: 'memory:' }\n" }
  })
  const base = {
    RIVERHOOK_SECRETS: secret,
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_PORT: '0',
    OTEL_BSP_SCHEDULE_DELAY: '20'
  }
  for (const server of [
    await startListening([main, 'serve'], {
      ...base,
      RIVERHOOK_CONFIG: join(folder, 'configured/riverhook.config.ts')
    }),
    await startListening(['--import', join(folder, 'telemetry.ts'), main, 'serve'], {
      ...base,
      RIVERHOOK_INBOX: 'memory:'
    })
  ]) {
    t.teardown(() => server.end('SIGKILL'))
    t.equal((await postUntilStored(`${server.url}/webhooks/digital-river`, event({ id: 'e1' }))).status, 202)
    t.match(await server.line(/name: 'send /), '/webhooks/digital-river')
    await server.line(/name: 'process all'/)
    t.match(await server.line(/event accepted/), /"trace_id":"[\da-f]{32}"/)
  }
})
