import t from 'tap'

import type { EventDetailJson } from '../../src/admin/api-types.ts'
import type { Scope } from '../../src/admin/scope.ts'
import { defineHandler } from '../../src/index.ts'
import { arrival } from '../inbox/arrivals.ts'
import { about, everything, realm, startFilled, type FilledRig } from './filled-rig.ts'

// Risk: personal data reaches an operator who may only look, or no log shows who saw it.

const audits = async ({ inbox }: FilledRig) =>
  (await inbox.audits({ limit: 100 })).entries.map(({ actor, action, target, count, outcome }) =>
    [actor, action, target, count, outcome].join(' | ')
  )

t.test(
  'an event: deliveries with their attempts; its payload is masked, until it is revealed, which is written down',
  async (t) => {
    const rig = await startFilled(t)
    const { json, call } = rig
    const masked = await json('event?id=e2')
    t.match(masked.body, {
      realm,
      id: 'e2',
      state: 'accepted',
      receipt: { checks: ['signature'], secret: 1 },
      payload: {
        masked: true,
        bytes: Number,
        encoding: 'json',
        value: { id: 'e2', data: { object: { id: 'O-1', total: 2, email: '•••• (string, 15)' } } },
        about: ['o-1']
      },
      deliveries: [
        { handler: 'mail', state: 'done', attemptLog: [{ attempt: 1, state: 'done' }] },
        { handler: 'erp', state: 'dead', orderKey: 'e2', lastError: /the ERP has no order e2/ }
      ]
    })
    t.notOk('headers' in (masked.body['payload'] as object))
    t.same((await json('event?id=e2', { scopes: everything })).body, masked.body, 'for everybody')
    t.same(await json('event?id=e2&reveal=true').then(({ status }) => status), 403)
    t.same(await audits(rig), [])
    const { body } = await json('event?id=e2&reveal=true', { scopes: ['read', 'reveal'] })
    t.match(body, {
      payload: {
        masked: false,
        encoding: 'json',
        value: { id: 'e2', data: { object: { id: 'O-1', email: 'buyer@x.example' } } },
        about: ['buyer@x.example', 'o-1']
      }
    })
    t.same(await audits(rig), [`alice | events.reveal | ${realm} e2 | 1 | revealed`])
    t.equal((await call('event?id=e2', { scopes: ['reveal'] })).status, 403, 'reveal alone may not look')
  }
)

// Risk: an event whose trace is not found, or a link leads elsewhere than its template says.
t.test('an event: its trace, with a link if there is a template', async (t) => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  for (const trace of [{}, { url: 'https://traces.example/{traceId}?from=riverhook' }]) {
    const { inbox, json } = await startFilled(t, 'memory:', { trace })
    await inbox.record([arrival('t1', [], { trace: `00-${traceId}-b7ad6b7169203331-01 shop=1` })])
    const { body } = await json('event?id=t1')
    t.equal(body['traceId'], traceId)
    t.equal(body['traceUrl'], 'url' in trace ? `https://traces.example/${traceId}?from=riverhook` : undefined)
    t.notOk('trace' in body)
    t.notOk('traceId' in (await json('event?id=e1')).body, 'it was recorded without a trace')
  }
})

t.test('an event: numbers and depth are as they arrived', async (t) => {
  const { call, send } = await startFilled(t)
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  const body = about('big', { id: 'O-9', large: 'LARGE', deep: 'DEEP', text: '$& "quoted" \u2028 \\ud800' })
    .toString()
    .replace('"LARGE"', '12345678901234567890.10')
    .replace('"DEEP"', deep)
  await send(Buffer.from(body), 'big')
  const text = await (await call('event?id=big&reveal=true', { scopes: everything })).text()
  t.ok(text.includes(body), 'the answer holds the bytes of the body')
  t.match(JSON.parse(text), { id: 'big', payload: { encoding: 'json' } })
})

t.test('an event: a quarantined request is masked entirely, and revealed as text or as Base64', async (t) => {
  const { json, inbox, send } = await startFilled(t)
  await send(Buffer.from([0xff, 0x00, 0x22]))
  const { events } = await inbox.events({ state: 'quarantined', limit: 10 })
  for (const { id } of events) {
    t.match((await json(`event?id=${id}`)).body, { payload: { masked: true, value: undefined, encoding: undefined } })
    const { body } = await json(`event?id=${id}&reveal=true`, { scopes: everything })
    const { payload, reason, deliveries } = body as unknown as EventDetailJson
    t.ok(reason)
    t.same(deliveries, [])
    t.ok(payload.encoding === 'base64' ? payload.value === '/wAi' : payload.encoding === 'json')
  }
})

t.test('an event: compared with the one before', async (t) => {
  const rig = await startFilled(t)
  const { body } = await rig.json('event?id=e2&compare=previous&reveal=true', { scopes: ['read', 'reveal'] })
  t.match(body, {
    payload: { value: { data: { object: { total: 2 } } } },
    previous: { id: 'e1', payload: { value: { data: { object: { total: 1 } } } } }
  })
  t.same(await audits(rig), [`alice | events.reveal | ${realm} e2, ${realm} e1 | 2 | revealed`])
  t.match(await rig.json('event?id=e2&compare=previous'), {
    body: {
      previous: { id: 'e1', payload: { masked: true, value: { data: { object: { total: 1, email: /^••••/ } } } } }
    }
  })
  t.notOk('previous' in (await rig.json('event?id=e1&compare=previous')).body)
})

t.test('an order key that is personal data is masked, and is in no list', async (t) => {
  const { app, json, send } = await startFilled(t, undefined, {
    redact: ['data.object.metadata.nick'],
    handlers: [
      defineHandler(
        '*',
        { name: 'line', orderBy: ({ data }) => (data.object as { email?: string }).email },
        () => undefined
      )
    ]
  })
  await send(about('e9', { id: 'O-9', email: 'kim@x.example', metadata: { nick: 'Kim' } }), 'e9')
  t.match(await app.riverhook.inbox.event({ realm, id: 'e9' }), { deliveries: [{ orderKey: 'kim@x.example' }] })
  t.match((await json('event?id=e9')).body, {
    payload: { value: { data: { object: { metadata: { nick: '•••• (string, 3)' } } } } },
    deliveries: [{ orderKey: '••••' }]
  })
  for (const list of ['events', 'event/related?id=e9'])
    t.notMatch(JSON.stringify((await json(list)).body), /kim@x|orderKey/, list)
})

t.test('an event: 304 while nothing has changed, and nothing is written down for it', async (t) => {
  const rig = await startFilled(t)
  const { call, app } = rig
  const first = await call('event?id=e1&reveal=true', { scopes: everything })
  const etag = first.headers.get('etag') ?? ''
  t.match(etag, /^"[\w-]{27}"$/)
  await first.text()
  for (const header of [etag, `W/${etag}`, `"other", ${etag}`]) {
    const again = await call('event?id=e1&reveal=true', { scopes: everything, headers: { 'if-none-match': header } })
    t.equal(again.status, 304, header)
    t.equal(await again.text(), '')
  }
  t.equal((await audits(rig)).length, 1)
  const other = await call('event?id=e1', { scopes: everything, headers: { 'if-none-match': etag } })
  t.equal(other.status, 200, 'another view has another tag')
  await app.riverhook.replay({ id: 'e1', handler: 'mail', includeDone: true })
  const changed = await call('event?id=e1&reveal=true', { scopes: everything, headers: { 'if-none-match': etag } })
  t.equal(changed.status, 200)
})

t.test('an id that several realms have needs its realm; an id may hold any character', async (t) => {
  const { json, inbox, send } = await startFilled(t)
  const odd = '../%2e?id=e1&x#/ü💥'
  await send(about(odd, { id: 'O-3' }), odd)
  t.match(await json(`event?id=${encodeURIComponent(odd)}`), { status: 200, body: { id: odd } })
  const copy = await inbox.event({ realm, id: 'e1' })
  await inbox.restore([{ ...copy!, realm: 'other' }])
  t.match(await json('event?id=e1'), { status: 400, body: { message: /give "realm", one of digital-river, other/ } })
  t.match(await json('event?id=e1&realm=other'), { body: { realm: 'other', id: 'e1' } })
  t.match(await json('event?id=e2&realm=other'), { status: 404 })
})

t.test('the body is a file of the exact bytes, which no browser shows', async (t) => {
  const rig = await startFilled(t)
  const answer = await rig.call('event/body?id=e1', { scopes: ['reveal'] })
  t.match(Object.fromEntries(answer.headers), {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment; filename="event.bin"',
    'content-security-policy': "default-src 'none'; sandbox"
  })
  const stored = await rig.inbox.event({ realm, id: 'e1' })
  t.ok(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(stored!.body)))
  t.same(await audits(rig), [`alice | events.reveal | ${realm} e1 | 1 | revealed`])
})

// Risk: an operator who may not see personal data exports it.
t.test('an export has a line for each event, the oldest first, and is written down before and after', async (t) => {
  const rig = await startFilled(t)
  await rig.send(
    Buffer.from(about('e4', { id: 'O-4', email: 'kim@x.example' }).toString().replaceAll(',', ',\r\n')),
    'e4'
  )
  const get = (query: string, scopes: readonly Scope[] = ['read', 'reveal']) => rig.call(`export?${query}`, { scopes })
  const wrong = await get('about=o*')
  t.equal(wrong.status, 400)
  await wrong.text()
  t.match(await rig.json('export?reveal=true', { scopes: ['read'] }), {
    status: 403,
    body: { message: /^"reveal" needs/ }
  })
  const whole = await get('type=order.*&since=2020-01-01T00:00:00Z&reveal=true')
  t.match(Object.fromEntries(whole.headers), {
    'content-type': 'application/x-ndjson',
    'content-disposition': 'attachment; filename="events.ndjson"'
  })
  const read = async (answer: Response): Promise<unknown[]> =>
    (await answer.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  t.match(await read(whole), [
    { id: 'e1', payload: { masked: false, value: { id: 'e1', data: { object: { email: 'buyer@x.example' } } } } },
    { id: 'e2' },
    { id: 'e4', payload: { encoding: 'json' } }
  ])
  const masked = await get('about=buyer@x.example', ['read'])
  const lines = await read(masked)
  t.match(lines, [{ id: 'e1', payload: { masked: true, value: { id: 'e1', data: { object: {} } } } }, { id: 'e2' }])
  t.notMatch(JSON.stringify(lines), /buyer@x\.example/)
  t.same((await audits(rig)).toReversed(), [
    'alice | events.export | about=... | 0 | begun, masked',
    'alice | events.export | about=... | 0 | ended early, masked',
    'alice | events.export | type=order.* since=2020-01-01T00:00:00.000Z | 0 | begun, unmasked',
    'alice | events.export | type=order.* since=2020-01-01T00:00:00.000Z | 3 | sent, unmasked',
    'alice | events.export | about=... | 0 | begun, masked',
    'alice | events.export | about=... | 2 | sent, masked'
  ])
})

t.test('the audit log is read in pages', async (t) => {
  const rig = await startFilled(t)
  for (const id of ['e1', 'e2', 'e3'])
    await (await rig.call(`event/body?id=${id}`, { scopes: ['reveal'] })).arrayBuffer()
  const { body } = await rig.json('audit?limit=2')
  t.match(body, {
    entries: [
      { actor: 'alice', via: 'host', peer: '127.0.0.1', action: 'events.reveal', target: `${realm} e3`, at: /Z$/ },
      { target: `${realm} e2` }
    ]
  })
  const rest = await rig.json(`audit?limit=2&after=${String(body['next'])}`)
  t.match(rest.body, { entries: [{ target: `${realm} e1` }] })
  t.notOk('next' in rest.body)
  t.equal((await rig.json(`audit?since=1h&after=${String(body['next'])}`)).status, 400)
})
