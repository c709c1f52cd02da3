import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'

import { newToken } from '../../../src/admin/tokens.ts'
import { routes } from '../../../src/admin/routes/index.ts'
import { digitalRiver, openInbox, type Inbox } from '../../../src/index.ts'
import { personalPaths } from '../../../src/source/digital-river/personal-paths.ts'
import { github, stripe } from '../../../src/sources.ts'
import { cliHere } from '../../cli/rig.ts'
import { makeFolder } from '../../folder.ts'
import { startTarget } from '../../forward/target.ts'
import { startServer, type Server } from '../../processes.ts'
import { event, untilStored } from '../../receive/receiver.ts'

// Risk: one of many places (an answer, a log line, an alarm ...) shows a person's data to everyone who can look at it.

/** In every personal value. */
const canary = /canary\d/i
let count = 0
const secret = (): string => {
  count += 1
  return `Canary${count} Ann`
}
const email = (): string => {
  count += 1
  return `canary${count}@x.example`
}

/** An object with a canary at each path. `**` is a field of any name. */
function filled(paths: readonly string[]): Record<string, unknown> {
  const body = {}
  for (const path of paths) {
    const steps = path.replaceAll('**', 'object.deep').replaceAll('*', 'any').split('.')
    const last = steps.pop() ?? ''
    const place = steps.reduce<Record<string, unknown>>(
      (below, name) => (below[name] ??= {}) as Record<string, unknown>,
      body
    )
    place[last] ??= secret()
  }
  return body
}

const { data } = filled(personalPaths) as {
  readonly data: { readonly object: object; readonly previousAttributes: object }
}
const order = (id: string, object: object = {}, type = 'order.accepted'): Buffer =>
  event({
    id,
    type,
    data: {
      ...data,
      object: {
        id: 'o1',
        email: email(),
        nick: secret(),
        shipTo: { name: secret(), address: secret() },
        ...data.object,
        ...object
      }
    }
  })
const charge = Buffer.from(
  JSON.stringify({
    id: 'evt_1',
    type: 'charge.failed',
    created: 1,
    data: {
      object: {
        id: 'ch_1',
        receipt_email: email(),
        billing_details: { email: email(), name: secret(), phone: secret(), address: { line1: secret() } }
      }
    }
  })
)
const push = Buffer.from(
  new URLSearchParams({
    payload: JSON.stringify({
      after: 'abc',
      pusher: { name: secret(), email: email() },
      commits: [{ author: { name: secret() } }]
    }),
    other: secret()
  }).toString()
)

const config = `
  import { appendFileSync } from 'node:fs'
  import { join } from 'node:path'
  import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
  import { defineConfig, defineHandler, PermanentError } from 'riverhook'
  import { github, stripe } from 'riverhook/sources'

  const exporter = {
    export(spans, done) {
      for (const { name, attributes, status, events } of spans)
        appendFileSync(join(import.meta.dirname, 'spans'), JSON.stringify({ name, attributes, status, events }))
      done({ code: 0 })
    },
    shutdown: async () => undefined
  }
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()

  const texts = (value) => typeof value === 'string' ? [value]
    : typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : []
  const fail = (event) => {
    const values = texts(event.data ?? event.payload)
    const cause = new AggregateError([new Error(JSON.stringify(event)), values.at(-1)], values.join(' | '))
    throw Object.assign(new PermanentError('refused: ' + values.map(encodeURIComponent).join('&')), { cause, code: values[1] })
  }
  const key = (event) => JSON.stringify(event.data ?? event.payload).slice(0, 900)
  const [pays, builds] = [stripe(), github()]
  export default defineConfig({
    endpoints: [
      { path: '/hook', secrets: 'whk_a' },
      { path: '/stripe', source: pays, secrets: 'whsec_a' },
      { path: '/github', source: builds, secrets: 'gh_a' }
    ],
    redact: ['data.object.nick'],
    search: { keys: ['data.object.nick', 'data.object.deep.phone', 'payload.pusher.name'] },
    handlers: [
      defineHandler('*', { name: 'erp', orderBy: ({ data }) => data.object.email }, fail),
      defineHandler('*', { name: 'line', orderBy: fail }, () => undefined),
      defineHandler('*', { name: 'retry', orderBy: (event) => key(event).slice(0, 200) }, (event) => { throw new Error(key(event)) }),
      defineHandler(pays, '*', { name: 'book', orderBy: ({ data }) => data.object.receipt_email }, fail),
      defineHandler(builds, '*', { name: 'build', orderBy: ({ payload }) => payload.pusher.name }, fail)
    ]
  })`

interface Run {
  readonly inbox: Inbox
  readonly server: Server
  /** Everything that somebody without the right to reveal can read, with a name for each. */
  readonly seen: (readonly [place: string, text: string])[]
  /** The spans that have ended. */
  spans(): string
  /** Resolves when an alarm has been sent. */
  readonly alarm: Promise<unknown>
  /** The alarms that were sent. */
  alarms(): string
  api(method: string, path: string, body?: object): Promise<string>
  /** Reads the live tail from its beginning, until it has shown these events. */
  tail(...ids: readonly string[]): Promise<string>
  command(...args: string[]): Promise<string>
}

async function begin(t: Test): Promise<Run> {
  const { promise: alarm, resolve: isSent } = Promise.withResolvers<unknown>()
  const alarms = await startTarget(t, (response) => {
    isSent(undefined)
    response.writeHead(204).end()
  })
  const receiver = await startTarget(t, (response) => response.writeHead(400).end())
  const { line, token } = newToken('alice', ['read', 'operate'])
  const folder = makeFolder(t, { 'riverhook.config.js': config })
  const env = {
    RIVERHOOK_CONFIG: join(folder, 'riverhook.config.js'),
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_FORWARD: `order.*=${receiver.url}/hooks/Canary0token`,
    RIVERHOOK_ALARM_URL: `${alarms.url}/alarms`,
    RIVERHOOK_ALARM_EVERY: '50ms',
    RIVERHOOK_LOG_LEVEL: 'trace'
  }
  const server = await startServer({ ...env, RIVERHOOK_ADMIN: '127.0.0.1:0', RIVERHOOK_ADMIN_TOKENS: line })
  t.teardown(() => server.end('SIGKILL'))
  const url = /http:[^"]+/.exec(await server.line(/operator's API listening/))?.[0] ?? ''
  const inbox = openInbox(env.RIVERHOOK_INBOX, { role: 'command' })
  await inbox.open()
  t.teardown(() => inbox.close())
  const seen: [string, string][] = []
  return {
    inbox,
    server,
    seen,
    spans: () => readFileSync(join(folder, 'spans'), 'utf8'),
    alarm,
    alarms: () => alarms.arrived.map(({ url: path, body }) => `${path} ${body.toString()}`).join('\n'),
    async tail(...ids) {
      const answer = await fetch(`${url}/api/v1/events/tail?lastEventId=0`, {
        headers: { authorization: `Bearer ${token}` }
      })
      let text = ''
      for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += part
        if (ids.every((id) => text.includes(`"id":"${id}"`))) break
      }
      return text
    },
    async api(method, path, body) {
      const answer = await fetch(`${url}/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' })
        },
        body: body === undefined ? null : JSON.stringify(body)
      })
      const text = await answer.text()
      seen.push([`${method} ${path}: ${answer.status}`, `${JSON.stringify([...answer.headers])}\n${text}`])
      return text
    },
    async command(...args) {
      const { stdout, stderr } = await cliHere(args, env)
      seen.push([`riverhook ${args.join(' ')}`, `${stdout}\n${stderr}`])
      return stdout
    }
  }
}

/** Sends a request as its provider does, and keeps the answers. */
async function send(
  { server, seen }: Run,
  path: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>
): Promise<number> {
  const { status } = await untilStored(async () => {
    const answer = await fetch(new URL(path, server.url), { method: 'POST', headers, body: Uint8Array.from(body) })
    seen.push([`POST ${path}: ${answer.status}`, await answer.text()])
    return answer
  })
  return status
}

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const river = (body: Buffer) => ({ ...json, ...digitalRiver().sign({ body, secret: 'whk_a', at: new Date() }) })
const hub = (body: Buffer, id: string) => ({
  ...github().sign({ body, secret: 'gh_a', at: new Date(), id, type: 'push' }),
  ...form
})

t.test(
  'no personal value is in any answer, log line, metric, span, alarm or command without the right to reveal',
  async (t) => {
    const run = await begin(t)
    const { server, inbox, seen, api, command } = run
    const [first, second] = [order('e1'), order('e2')]
    for (const body of [first, second, order('e2')]) t.equal(await send(run, '/hook', body, river(body)), 202)
    const paid = stripe().sign({ body: charge, secret: 'whsec_a', at: new Date() })
    t.equal(await send(run, '/stripe', charge, { ...json, ...paid }), 202)
    t.equal(await send(run, '/github', push, hub(push, 'g1')), 202)
    const quarantined = [
      Buffer.from(JSON.stringify({ ...data.object, email: email() })),
      Buffer.from(`{"email":"${email()}","name":"${secret()}","x`),
      order('', {}, 'order.accepted')
    ]
    for (const body of quarantined) t.equal(await send(run, '/hook', body, river(body)), 400)
    const lacking = Buffer.from(new URLSearchParams({ name: secret(), email: email() }).toString())
    t.equal(await send(run, '/github', lacking, hub(lacking, 'g2')), 400)
    t.equal(await send(run, '/hook', first, { ...json, 'digitalriver-signature': 't=1,v1=00' }), 401)
    for (const [id, handler] of [
      ['e1', 'erp'],
      ['e2', 'erp'],
      ['evt_1', 'book'],
      ['g1', 'build'],
      ['e2', 'order\\.\\*@127[^"]*']
    ])
      await server.line(new RegExp(`"event_id":"${id}".*"handler":"${handler}".*gave up`))
    await server.line(/"handler":"retry".*it will be retried/)
    await server.line(/orderBy failed/)

    const { events } = await inbox.events({ state: 'quarantined', limit: 10 })
    t.equal(events.length, 4)
    const address = email()
    const ids = ['e1', 'e2', 'evt_1', 'g1', ...events.map(({ id }) => id)]
    const paths = [
      ...ids.flatMap((id) => [`event?id=${id}&compare=previous`, `event/related?id=${id}`]),
      ...['events', 'events?state=quarantined', `events?about=${address}`, 'events?error=refused', 'events/count'],
      ...['failures', 'handlers', 'inbox', 'mismatches', 'registrations', 'session', 'stats', 'alarms', 'openapi.json'],
      ...[
        'series?of=requests&range=1h',
        'export',
        'export?reveal=true',
        'event/body?id=e1',
        'event?id=e1&reveal=true',
        `events?about=canary*`
      ]
    ]
    const plan = JSON.parse(await api('POST', 'api/v1/replays', { dryRun: true, filter: { about: address } })) as object
    t.ok(plan)
    await api('POST', 'api/v1/event/replay', { event: { id: 'e1' } })
    await api('POST', 'api/v1/quarantine/retry', { id: events[0]?.id })
    await command('events', 'replay', 'e2', '--handler', 'erp')
    for (const path of [...paths, 'replays', 'backfills', 'audit']) await api('GET', `api/v1/${path}`)
    await api('GET', 'metrics')
    await readTail(run)
    const called = new Set(seen.map(([place]) => /^GET api\/v1\/([^?:]*)/.exec(place)?.[1] ?? ''))
    const missed = routes.filter(({ method, path, scope }) => method === 'GET' && scope === 'read' && !called.has(path))
    t.same(
      missed.map(({ path }) => path),
      ['replays/:id'],
      'every route that may be read was called; there is no job'
    )

    for (const id of ids) {
      await command('events', 'show', id, '--payload')
      await command('events', 'show', id, '--json')
    }
    await command('events', 'export')
    for (const words of [
      'events list',
      'failures',
      'stats',
      'audit',
      'drift',
      'replays list',
      'handlers list',
      'alarms'
    ]) {
      await command(...words.split(' '))
      await command(...words.split(' '), '--json')
    }
    await run.alarm
    await server.end('SIGTERM')
    seen.push(['log', server.lines.join('\n')], ['alarms', run.alarms()], ['spans', run.spans()])
    const stored = await Promise.all(ids.map((id) => storedErrors(inbox, id)))
    seen.push(['stored errors', stored.join('\n')])

    for (const [place, text] of seen) t.notMatch(text, canary, place)
    for (const status of ['export?reveal=true: 403', 'event/body?id=e1: 403', 'reveal=true: 403', 'about=canary*: 403'])
      t.ok(
        seen.some(([place]) => place.endsWith(status)),
        status
      )
    for (const text of [
      'refused: ',
      '••••',
      'orderBy failed',
      '"rule":"type"',
      'riverhook_alarm_active',
      'process erp'
    ])
      t.ok(
        seen.some(([, all]) => all.includes(text)),
        `there is something that could leak: ${text}`
      )
    const whole = await run.command('events', 'show', 'e1', '--json', '--reveal')
    t.ok((whole.match(/canary\d+/gi)?.length ?? 0) > 40, 'the values are there')
  }
)

/** Reads the live tail until it has shown an event of each source. */
async function readTail({ tail, seen }: Run): Promise<void> {
  const text = await tail('evt_1', 'g1', 'e2')
  seen.push(['GET api/v1/events/tail', text])
}

/** The errors of an event as they are stored. */
async function storedErrors(inbox: Inbox, id: string): Promise<string> {
  const { events } = await inbox.events({ id, limit: 1 })
  const detail = events[0] && (await inbox.event(events[0]))
  return JSON.stringify(detail?.deliveries.map(({ lastError, attemptLog }) => [lastError, attemptLog]))
}
