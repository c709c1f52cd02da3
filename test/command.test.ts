import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'

import { createRiverhook } from '../src/index.ts'
import { toWebHandler } from '../src/web.ts'
import { createDigitalRiver } from '../src/testing/index.ts'
import { makeFolder } from './folder.ts'
import { event, signatureHeaders } from './receive/receiver.ts'

// Risk: no script can repair the inbox while the server runs.

const secret = 'whk_command'
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => silent }
const log = silent as never

t.test('role command: repairs beside the running server, which delivers', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const missed = river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const handled: string[] = []
  const next = new Map<string, () => void>()
  const seen = (id: string) =>
    handled.includes(id) ? Promise.resolve() : new Promise<void>((resolve) => next.set(id, resolve))
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, mode: 'test' })
  server.on('order.accepted', { name: 'ship' }, ({ id }) => {
    handled.push(id)
    next.get(id)?.()
  })
  await server.start()
  t.teardown(() => server.stop())
  const handler = toWebHandler(server)
  const send = (body: Buffer) =>
    handler(
      new Request('https://shop.example/hook', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signatureHeaders(body, secret) },
        body: Uint8Array.from(body)
      })
    )
  t.equal((await send(event({ id: 'e1' }))).status, 202)
  await seen('e1')

  const endpoint = { path: '/hook', mode: 'test', backfill: { apiKey: river.apiKey, apiUrl: river.url } } as const
  const command = createRiverhook({ role: 'command', inbox, log, endpoints: [endpoint] })
  await t.rejects(command.replay({ id: 'e1' }), { code: 'RIVERHOOK_INBOX_CLOSED', message: /not open yet/ })
  await command.start()
  t.same(
    (await command.inbox.events({ limit: 10 })).events.map(({ id }) => id),
    ['e1']
  )
  t.equal(await command.retryQuarantined('none'), undefined)

  handled.length = 0
  const again = seen('e1')
  t.equal(await command.replay({ id: 'e1', includeDone: true }), 1)
  await again
  const progress: number[] = []
  const fetched = seen(missed.id)
  const report = await command.backfill({
    since: new Date(Date.now() - 3_600_000),
    onProgress: ({ recovered }) => progress.push(recovered)
  })
  t.match(report, { listed: 1, recovered: 1 })
  t.same(progress, [1])
  await fetched
  t.same(handled, ['e1', missed.id], 'the server runs the deliveries that the command made due')
  t.match(await command.backfill({ since: new Date(Date.now() - 3_600_000), type: 'sku.*', dryRun: true }), {
    listed: 0
  })
  await command.stop()
  t.equal((await send(event({ id: 'e2' }))).status, 202, 'the server keeps its inbox')
})

t.test('a handler is paused beside the running server, and after its restart, until it is resumed', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const handled = new EventEmitter()
  const calls: string[] = []
  handled.on('call', (call: string) => calls.push(call))
  const calledWith = async (call: string) => {
    while (!calls.includes(call)) await once(handled, 'call')
  }
  // A receiver without HTTP does not keep its process alive.
  const alive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(alive)
  })
  const warnings: string[] = []
  const serve = async () => {
    const warn = (keys: { handler?: string }, message: string) => warnings.push(`${keys.handler}: ${message}`)
    const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log: { ...silent, warn } as never })
    for (const name of ['ship', 'mail'])
      server.on('order.accepted', { name }, ({ id }) => {
        handled.emit('call', `${name} ${id}`)
      })
    await server.start()
    const send = async (id: string) => {
      const body = event({ id })
      const headers = Object.fromEntries(new Headers(signatureHeaders(body, secret)))
      t.equal((await server.receive({ method: 'POST', url: '/hook', headers, body })).status, 202)
    }
    return { server, send }
  }
  const command = createRiverhook({ role: 'command', inbox, log })
  const first = await serve()
  await command.start()
  t.teardown(() => command.stop())
  await t.rejects(command.pauseHandler('shipp'), {
    code: 'RIVERHOOK_HANDLERS_UNKNOWN',
    message: 'There is no handler "shipp"; did you mean "ship"?'
  })
  await t.rejects(command.resumeHandler('erp'), { message: 'There is no handler "erp"; there are ship, mail' })
  t.notOk(await command.resumeHandler('ship'), 'it was not paused')
  await command.pauseHandler('ship')
  await first.send('e1')
  await calledWith('mail e1')
  t.same(calls, ['mail e1'])
  await first.server.stop()

  const second = await serve()
  t.ok(
    warnings.some((line) => line.startsWith('ship: the handler is paused')),
    'the log says so at the start'
  )
  await second.send('e2')
  await calledWith('mail e2')
  t.same(calls, ['mail e1', 'mail e2'])
  t.ok(await command.resumeHandler('ship'))
  await calledWith('ship e2')
  t.same(calls.slice(2), ['ship e1', 'ship e2'], 'nothing was lost')
  await second.server.stop()
})

t.test('role command: it needs no credentials and receives nothing', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  t.throws(() => createRiverhook({ inbox }), { code: 'RIVERHOOK_OPTIONS_NO_CREDENTIALS' })
  t.throws(() => createRiverhook({ role: 'command', inbox: 'memory:' }), { code: 'RIVERHOOK_INBOX_ADDRESS' })
  t.throws(() => createRiverhook({ role: 'command', inbox, concurrency: 0 }), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  const command = createRiverhook({ role: 'command', inbox, log })
  t.notOk('receive' in command)
  await t.rejects(command.start(), { code: 'RIVERHOOK_INBOX_UNAVAILABLE' }, 'a command creates no inbox')
  await command.stop()
})
