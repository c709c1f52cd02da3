import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'

import {
  createRiverhook,
  defineHandler,
  digitalRiver,
  memoryInbox,
  openInbox,
  postgresInbox,
  sqliteInbox,
  type CreateOptions,
  type HandlerDefinition,
  type ReplayFilter
} from '../src/index.ts'
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
  const about = String((missed.data.object as { readonly id: unknown }).id)
  t.match(await command.inbox.events({ about, limit: 1 }), { events: [{ id: missed.id }] }, 'found by its order')
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

const noop = () => undefined

/** A server that has started with these handlers and ended, and one event that it stored. */
async function served(t: Test, handlers: readonly HandlerDefinition[], ids: readonly string[] = []) {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers })
  await server.start()
  for (const id of ids) {
    const body = event({ id })
    const signed = new Headers({ 'content-type': 'application/json', ...signatureHeaders(body, secret) })
    const headers = Object.fromEntries(signed)
    t.equal((await server.receive({ method: 'POST', url: '/hook', headers, body })).status, 202)
  }
  await server.stop()
  return inbox
}

async function command(t: Test, options: Omit<CreateOptions, 'role'>) {
  const made = createRiverhook({ log, path: '/hook', ...options, role: 'command' })
  t.teardown(() => made.stop())
  await made.start()
  return made
}

const ship = defineHandler('order.accepted', { name: 'ship' }, noop)
const mail = defineHandler('order.*', { name: 'mail' }, noop)

t.test('role command: a handler that is missing, misspelt or different would lose deliveries: refused', async (t) => {
  const inbox = await served(t, [ship, mail], ['e1'])
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const backfill = { apiKey: river.apiKey, apiUrl: river.url }
  const span = { since: new Date(Date.now() - 3_600_000) }
  const wrong: [string, Omit<CreateOptions, 'role'>, RegExp][] = [
    ['none', { handlers: [] }, /"ship" for order.accepted is missing; "mail" for order.\* is missing/],
    ['a part', { handlers: [ship] }, /"mail" for order.\* is missing/],
    ['only those that forward', { forward: '*=https://crm.example/' }, /"ship".* missing.*the server has no/],
    ['one more', { handlers: [ship, mail, defineHandler('sku.*', { name: 'mial' }, noop)] }, /no "mial".*mean "mail"/],
    [
      'another pattern',
      { handlers: [ship, defineHandler('*', { name: 'mail' }, noop)] },
      /for \*, and for order.\* on/
    ],
    [
      'an order',
      { handlers: [ship, defineHandler('order.*', { name: 'mail', orderBy: () => 'a' }, noop)] },
      /"mail" has an orderBy, and none on the server/
    ]
  ]
  for (const [name, options, message] of wrong) {
    const refused = { code: 'RIVERHOOK_HANDLERS_DIFFERENT', message }
    const beside = await command(t, { inbox, backfill, ...options })
    await t.rejects(beside.backfill(span), refused, `${name}: backfill`)
    await t.rejects(beside.backfill({ ...span, type: '*' }), refused, `${name}: backfill of all types`)
    await t.rejects(beside.replay({ id: 'e1' }), refused, `${name}: a replay that may create deliveries`)
    t.equal(await beside.replay({ state: 'dead' }), 0, `${name}: a replay of what exists`)
    t.equal((await beside.inbox.events({ limit: 10 })).events.length, 1, `${name}: nothing is stored`)
    await beside.stop()
  }
  const whole = await command(t, { inbox, backfill, handlers: [mail, ship] })
  t.match(await whole.backfill(span), { recovered: 1 }, 'all handlers, in any order')
})

t.test('role command: a handler without the orderBy of the server would overtake: refused', async (t) => {
  const keyed = defineHandler('order.*', { name: 'mail', orderBy: ({ id }) => id }, noop)
  const inbox = await served(t, [ship], ['e1'])
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [ship, keyed] })
  await server.start()
  await server.stop()
  const without = await command(t, { inbox, handlers: [ship, mail] })
  await t.rejects(without.replay({ id: 'e1' }), {
    code: 'RIVERHOOK_HANDLERS_DIFFERENT',
    message: /"mail" has no orderBy, but one on the server/
  })
  const throwing = () => {
    throw new Error('no such field')
  }
  const failing = await command(t, {
    inbox,
    handlers: [ship, defineHandler('order.*', { name: 'mail', orderBy: throwing }, noop)]
  })
  await t.rejects(failing.replay({ id: 'e1' }), {
    code: 'RIVERHOOK_HANDLERS_NO_CODE',
    message: /orderBy of the handler mail failed for the event e1.*no such field/
  })
  const right = await command(t, { inbox, handlers: [ship, keyed] })
  t.equal(await right.replay({ id: 'e1', handler: 'mail' }), 1)
  const [stored] = (await right.inbox.events({ limit: 1 })).events
  t.equal(stored?.deliveries.find(({ handler }) => handler === 'mail')?.orderKey, 'e1')
})

t.test('role command: where no server has started yet, any handlers are right', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const begun = openInbox(inbox)
  await begun.open()
  await begun.close()
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const first = await command(t, {
    inbox,
    handlers: [ship],
    backfill: { apiKey: river.apiKey, apiUrl: river.url }
  })
  t.match(await first.backfill({ since: new Date(Date.now() - 3_600_000) }), { recovered: 1 })
})

t.test('role command: the list of a server that was started with other handlers meanwhile counts', async (t) => {
  const inbox = await served(t, [ship], ['e1'])
  const beside = await command(t, { inbox })
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [ship, mail] })
  await server.start()
  await server.stop()
  t.equal(await beside.replay({ id: 'e1', handler: 'mail' }), 1)
})

t.test('a role that does not exist is refused: a misspelt command would become a server', (t) => {
  for (const role of ['commands', 'Command', '', null, 1] as never[])
    t.throws(() => createRiverhook({ role, secrets: secret, inbox: 'memory:' }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: `Option "role" must be 'server' or 'command'`
    })
  t.doesNotThrow(() => createRiverhook({ role: undefined, secrets: secret, inbox: 'memory:', log }))
  t.end()
})

t.test('role command: handlers that can never run are refused at the start, as on a server', async (t) => {
  const inbox = await served(t, [ship])
  const start = (handlers: readonly HandlerDefinition[]) =>
    createRiverhook({ role: 'command', inbox, log, handlers }).start()
  await t.rejects(start([defineHandler('order.acepted' as never, noop)]), { code: 'RIVERHOOK_HANDLERS_UNKNOWN_TYPE' })
  await t.rejects(start([defineHandler('order.*', { schema: { typ: 'object' } }, noop)]), {
    code: 'RIVERHOOK_OPTIONS_INVALID'
  })
  const other = { ...digitalRiver(), name: 'other' }
  await t.rejects(start([defineHandler(other as never, 'order.*' as never, noop)]), {
    code: 'RIVERHOOK_HANDLERS_UNKNOWN_SOURCE'
  })
})

t.test('an inbox object that a server and a command share is closed with the last of them', async (t) => {
  for (const inbox of [memoryInbox(), sqliteInbox({ path: join(makeFolder(t), 'inbox.db') })]) {
    const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [ship] })
    const beside = createRiverhook({ role: 'command', path: '/hook', inbox, log })
    const never = createRiverhook({ role: 'command', path: '/hook', inbox, log })
    await server.start()
    await beside.start()
    await never.stop()
    await beside.stop()
    t.match(await server.health(), { ready: true, reasons: [] }, `${inbox.name}: the server keeps it`)
    await server.stop()
    await t.rejects(
      inbox.events({ limit: 1 }),
      { code: 'RIVERHOOK_INBOX_CLOSED' },
      `${inbox.name}: the server closes it`
    )
  }
})

t.test(
  'an inbox object that was made for the other role is refused: it would take the lock of the server',
  async (t) => {
    const path = join(makeFolder(t), 'inbox.db')
    for (const engine of ['sqlite', 'postgres'] as const) {
      const make = (role?: 'command') =>
        engine === 'sqlite'
          ? sqliteInbox({ path, role })
          : postgresInbox({ connectionString: 'postgres://localhost:1/db', role })
      await t.rejects(createRiverhook({ role: 'command', inbox: make(), log }).start(), {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message: new RegExp(`"inbox" is a ${engine} inbox for a server.*${engine}Inbox\\(.*role: 'command'`)
      })
      t.throws(() => createRiverhook({ secrets: secret, inbox: make('command'), log }), {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message: /role: 'command', which may not deliver/
      })
    }
  }
)

t.test('role command: start and stop are final, as those of a server', async (t) => {
  const inbox = await served(t, [ship], ['e1'])
  const over = await command(t, { inbox })
  await over.stop()
  const ended = { code: 'RIVERHOOK_INBOX_CLOSED', message: /was stopped; create another one/ }
  await t.rejects(over.start(), ended)
  await t.rejects(over.replay({ id: 'e1' }), ended)
  await t.rejects(over.retryQuarantined('e1'), ended)
  await t.rejects(over.backfill({ since: new Date(0) }), ended)

  const beside = await command(t, { inbox })
  await t.rejects(beside.retryQuarantined(undefined as never), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /id of retryQuarantined\(\) must be a string/
  })
  const never = createRiverhook({ role: 'command', inbox, log })
  await t.rejects(never.retryQuarantined('e1'), { message: /await start\(\) first/ })
  await never.stop()
  await t.rejects(never.start(), ended)
})

t.test('role command: an endpoint that does not exist is named, with those that do', async (t) => {
  const inbox = await served(t, [ship])
  const beside = await command(t, { inbox })
  await t.rejects(beside.backfill({ since: new Date(0), endpoint: '/hok' }), {
    message: /no endpoint \/hok.*mean "\/hook"/
  })
  await t.rejects(beside.backfill({ since: new Date(0), endpoint: '/x' }), {
    message: /no endpoint \/x; the endpoints are \/hook/
  })
})

t.test('replay: a name that nothing has is refused with the nearest one, as it would select nothing', async (t) => {
  const inbox = await served(t, [ship, mail], ['e1'])
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [ship, mail] })
  await server.start()
  t.teardown(() => server.stop())
  const beside = await command(t, { inbox })
  for (const [role, receiver] of Object.entries({ server, beside })) {
    const refusals: [ReplayFilter, RegExp, string?][] = [
      [{ handler: 'shp' }, /no handler "shp"; did you mean "ship"\?/, 'RIVERHOOK_HANDLERS_UNKNOWN'],
      [{ handler: 'erp', state: 'dead' }, /no handler "erp"; there are ship, mail/, 'RIVERHOOK_HANDLERS_UNKNOWN'],
      [{ type: 'order.acepted' }, /The type "order.acepted" is unknown.*mean "order.accepted"/],
      [{ type: 'ordr.*' }, /The type "ordr.\*" is unknown.*mean "order.\*"/],
      [{ where: ['a'] }, /replay\(\): "where" \[0\] must be a path/],
      [{ endpoint: '/hok' }, /The endpoint "\/hok" is unknown.*mean "\/hook"/],
      [{ realm: 'digital-rivr' }, /The realm "digital-rivr" is unknown.*mean "digital-river"/],
      [{ source: 'stripe' }, /The source "stripe" is unknown.*; known are digital-river/]
    ]
    for (const [filter, message, code = 'RIVERHOOK_OPTIONS_INVALID'] of refusals)
      await t.rejects(receiver.replay(filter), { code, message }, `${role}: ${JSON.stringify(filter)}`)
    for (const [{ where, ...filter }, message, code = 'RIVERHOOK_OPTIONS_INVALID'] of refusals)
      if (where === undefined)
        await t.rejects(receiver.checkFilter(filter), { code, message }, `${role}: checkFilter()`)
    await receiver.checkFilter({ type: 'refund.*', handler: 'mail', realm: 'digital-river' })
    for (const filter of [{ type: 'refund.*' }, { type: '*' }, { handler: 'mail' }, { realm: 'digital-river' }])
      t.equal(await receiver.replay({ ...filter, state: 'dead' }), 0, `${role}: ${JSON.stringify(filter)} is known`)
  }
})

t.test('replay: names that only stored events and deliveries have are known', async (t) => {
  const inbox = await served(t, [ship], ['e1'])
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [mail] })
  await server.start()
  const key = { realm: 'shop', id: '1' }
  await server.inbox.record([
    {
      ...key,
      source: 'bank',
      state: 'accepted',
      type: 'invoice.paid',
      body: Buffer.from('{}'),
      headers: {},
      endpoint: '/bank',
      receivedAt: new Date(),
      receipt: { mode: undefined } as never,
      deliveries: []
    }
  ])
  await server.stop()
  const beside = await command(t, { inbox })
  for (const filter of [{ handler: 'ship' }, { realm: 'shop' }, { source: 'bank' }, { type: 'invoice.paid' }] as const)
    t.equal(await beside.replay({ ...filter, state: 'dead' }), 0, JSON.stringify(filter))
})

t.test('role command: a backfill into a realm that the server does not have is refused', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const backfill = { apiKey: river.apiKey, apiUrl: river.url }
  const span = { since: new Date(Date.now() - 3_600_000) }
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [ship], mode: 'test' })
  await server.start()
  t.teardown(() => server.stop())

  const live = await command(t, { inbox, backfill })
  const refused = {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /\/hook has the realm "digital-river" here, and the server has digital-river:test.*"mode" or the "realm"/
  }
  await t.rejects(live.backfill(span), refused)
  await t.rejects(live.backfill({ ...span, dryRun: true }), refused)
  t.same((await server.inbox.events({ limit: 10 })).events, [])
  const test = await command(t, { inbox, backfill, mode: 'test' })
  t.match(await test.backfill({ ...span, dryRun: true }), { recovered: 1 })
  const named = await command(t, { inbox, backfill, realm: 'digital-river:test' })
  t.match(await named.backfill(span), { recovered: 1 })
})

t.test('backfill: a type that nothing has is refused with the nearest one, as it would fetch nothing', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.list('order.accepted', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  river.list('order.split', { createdTime: new Date(Date.now() - 60_000).toISOString() })
  const backfill = { apiKey: river.apiKey, apiUrl: river.url }
  const span = { since: new Date(Date.now() - 3_600_000), dryRun: true }
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [mail], backfill })
  await server.start()
  t.teardown(() => server.stop())
  const beside = await command(t, { inbox, backfill })
  for (const [role, receiver] of Object.entries({ server, beside })) {
    const refusals: [string, RegExp][] = [
      ['order.acepted', /The type "order.acepted" is unknown.*mean "order.accepted"/],
      ['ordr.*', /The type "ordr.\*" is unknown.*mean "order.\*"/],
      ['zzz', /The type "zzz" is unknown.*newer than this version, give a pattern that covers it, or "\*"/]
    ]
    for (const [type, message] of refusals)
      await t.rejects(
        receiver.backfill({ ...span, type }),
        { code: 'RIVERHOOK_OPTIONS_INVALID', message },
        `${role}: ${type}`
      )
    for (const [type, listed] of Object.entries({ 'order.accepted': 1, 'order.*': 2, '*': 2, 'sku.*': 0 }))
      t.match(await receiver.backfill({ ...span, type }), { listed }, `${role}: ${type}`)
  }
})

t.test('role command: no handler is paused by a wrong name, before the start, or after the stop', async (t) => {
  const inbox = memoryInbox()
  const server = createRiverhook({ path: '/hook', secrets: secret, inbox, log, handlers: [ship] })
  await server.start()
  t.teardown(() => server.stop())
  const beside = createRiverhook({ role: 'command', path: '/hook', inbox, log })
  await t.rejects(beside.pauseHandler('ship'), { code: 'RIVERHOOK_INBOX_CLOSED', message: /await start\(\) first/ })
  await t.rejects(beside.resumeHandler('ship'), { code: 'RIVERHOOK_INBOX_CLOSED', message: /await start\(\) first/ })
  await beside.start()
  for (const name of [undefined, null, 5, {}] as never[])
    for (const receiver of [server, beside]) {
      const wrong = { code: 'RIVERHOOK_OPTIONS_INVALID', message: 'The name of a handler must be a string' }
      await t.rejects(receiver.pauseHandler(name), wrong)
      await t.rejects(receiver.resumeHandler(name), wrong)
    }
  await beside.stop()
  await t.rejects(beside.pauseHandler('ship'), { code: 'RIVERHOOK_INBOX_CLOSED', message: /was stopped/ })
  await t.rejects(beside.resumeHandler('ship'), { code: 'RIVERHOOK_INBOX_CLOSED', message: /was stopped/ })
  t.same(await inbox.pauses(), [])
})
