import cors from '@fastify/cors'
import { CloudEvent, HTTP, type Message } from 'cloudevents'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'

import { memoryInbox, riverhook, type RiverhookOptions } from '../../src/index.ts'
import { cloudEvents, type CloudEventsOptions } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { toWebHandler } from '../../src/web.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: events whose sender was refused, or digits and bytes of their data.

const id = 'https://shop.example/orders 1'
const created = new CloudEvent({
  id: '1',
  source: 'https://shop.example/orders',
  type: 'com.example.order.created',
  time: '2026-01-02T03:04:05.678Z',
  subject: '50% off',
  region: 'eu',
  data: { total: 12.5, name: 'Zoë' }
})
const token = { authorization: 'Bearer 0123456789abcdef' }
const bearer = '0123456789abcdef'
const batchType = { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' }

function bytesOf({ body }: Message): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body as Uint8Array)
}

function headersOf({ headers }: Message): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** A receiver that shows the CloudEvents which its handler got. */
function receive(t: Test) {
  const source = cloudEvents()
  const receiver = receiverOf(t, { source, bearer })
  const got: Record<string, unknown>[] = []
  receiver.riverhook.from(source).on('*', ({ payload }) => void got.push(payload as Record<string, unknown>))
  return { ...receiver, got, source }
}

t.test('the contract, with requests of the CloudEvents library', (t) => {
  const events = [{ id, type: created.type }]
  const other = created.cloneWith({ id: '2', data: 'text', datacontenttype: 'text/plain' })
  return sourceContract(t, cloudEvents({ allowedOrigins: ['*'] }), [
    ...[HTTP.structured(created), HTTP.binary(created)].map((message) => ({
      body: bytesOf(message),
      headers: headersOf(message),
      events
    })),
    {
      body: JSON.stringify([created, other]),
      headers: batchType,
      events: [...events, { id: 'https://shop.example/orders 2', type: created.type }]
    },
    { body: '[]', headers: batchType, events: [] }
  ])
})

t.test('the modes of the library reach a handler alike; its reader agrees; a retry is a duplicate', async (t) => {
  const { deliver, got, settled, riverhook, refused } = receive(t)
  await riverhook.start()
  const expected = JSON.parse(created.toString()) as object
  const structured = HTTP.structured(created)
  const answer = await deliver({ ...token, ...headersOf(structured) }, bytesOf(structured))
  t.match(answer, { status: 202, body: JSON.stringify({ id, status: 'accepted' }) })
  t.match(await deliver({ ...token, ...headersOf(structured) }, bytesOf(structured)), { body: /duplicate/ })
  await settled(1)
  t.same(got, [expected])
  // Another id, as the same event in another mode is a duplicate. The library does not encode a percent sign.
  const binary = HTTP.binary(created.cloneWith({ id: '2' }))
  t.match(await deliver({ ...token, ...headersOf(binary) }, bytesOf(binary)), { body: /orders 2","status":"accepted/ })
  t.match(await deliver({ ...token, ...headersOf(binary) }, bytesOf(binary)), { body: /duplicate/ })
  await settled(2)
  t.same(got[1], { ...expected, id: '2', datacontenttype: 'application/json; charset=utf-8' })
  const stored = await riverhook.inbox.event({ realm: 'cloudevents', id: 'https://shop.example/orders 2' })
  t.same(
    HTTP.toEvent({ headers: { ...stored?.headers }, body: Buffer.from(stored!.body).toString() }),
    HTTP.toEvent(binary),
    'the stored request in binary mode is the same event'
  )
  t.match(await deliver(headersOf(structured), bytesOf(structured)), { status: 401 })
  t.match(await deliver({ authorization: 'Bearer x', ...headersOf(binary) }, bytesOf(binary)), { status: 401 })
  t.equal(refused.length, 2)
})

t.test('a sample is an event that the library accepts', (t) => {
  const sample = cloudEvents().sample?.({ id: 's1', at: new Date(), liveMode: false })
  const headers = { 'content-type': 'application/cloudevents+json' }
  const event = HTTP.toEvent({ headers, body: JSON.stringify(sample) })
  t.match(event, { id: 's1', type: 'com.example.sample' })
  t.equal((event as CloudEvent<unknown>).validate(), true)
  t.end()
})

t.test('a batch keeps every digit of its events, and each is stored separately', async (t) => {
  const { deliver, got, settled, riverhook } = receive(t)
  await riverhook.start()
  const event = (n: number) =>
    `{"specversion":"1.0","id":"${n}","source":"/s","type":"paid","data":{"n":9007199254740993}}`
  // With a byte order mark, as .NET may write one.
  const body = Buffer.from(`\ufeff[${event(1)},${event(2)}]`)
  t.match(await deliver({ ...token, ...batchType }, body), { status: 202, body: /"\/s 1".*"\/s 2"/ })
  await settled(2)
  t.equal(got.length, 2)
  const stored = await riverhook.inbox.event({ realm: 'cloudevents', id: '/s 2' })
  t.equal(Buffer.from(stored!.body).toString(), event(2))
  t.match(await deliver({ ...token, ...batchType }, Buffer.from('[]')), { status: 202, body: '{"events":[]}' })
  const mixed = Buffer.from(`[${event(3)},{"specversion":"0.3"}]`)
  t.match(await deliver({ ...token, ...batchType }, mixed), { status: 400, body: /Event 2 of 2.*specversion/ })
  t.ok(await riverhook.inbox.event({ realm: 'cloudevents', id: '/s 3' }), 'the other event of the batch is stored')
})

t.test('binary mode: any data survives, and headers are decoded as the specification says', async (t) => {
  const { deliver, got, settled, riverhook, source } = receive(t)
  await riverhook.start()
  const attributes = { 'ce-specversion': '1.0', 'ce-source': '/s', 'ce-type': 'data' }
  const cases: readonly (readonly [type: string | undefined, body: string | Buffer, data: object])[] = [
    ['application/json', '{"n":1}', { data: { n: 1 } }],
    ['application/vnd.api+json; charset=utf-8', '\ufeff[1]', { data: [1] }],
    [undefined, '"a"', { data: 'a' }],
    ['application/json', 'no JSON', { data_base64: Buffer.from('no JSON').toString('base64') }],
    ['text/plain', 'Zoë "quoted"', { data: 'Zoë "quoted"' }],
    ['text/plain; charset=iso-8859-1', Buffer.from('Zo\xeb', 'latin1'), { data_base64: 'Wm/r' }],
    ['application/soap+xml', '<a/>', { data: '<a/>' }],
    ['application/octet-stream', Buffer.from([0, 255, 128]), { data_base64: 'AP+A' }],
    ['application/cbor', '', {}]
  ]
  for (const [index, [type, body, data]] of cases.entries()) {
    const headers = { ...token, ...attributes, 'ce-id': String(index), ...(type && { 'content-type': type }) }
    t.match(await deliver(headers, Buffer.from(body)), { status: 202 }, String(type))
    await settled(index + 1)
    const { specversion, source, type: _type, id, datacontenttype, ...rest } = got[index] ?? {}
    t.same([specversion, source, id, datacontenttype], ['1.0', '/s', String(index), type])
    t.same(rest, data, String(type))
  }
  const read = (headers: Record<string, string>) => {
    const [part] =
      source.split?.({
        method: 'POST',
        url: '/',
        headers: { ...attributes, 'ce-id': '1', ...headers },
        body: Buffer.from('{}')
      }) ?? []
    return source.read(part ?? { headers: {}, body: Buffer.from('') })
  }
  const values: readonly (readonly [header: string, value: string])[] = [
    ['Euro%20%E2%82%AC%20%f0%9f%98%80', 'Euro € 😀'],
    ['"a \\"quoted\\" %C3%AB"', 'a "quoted" ë'],
    ['50% off', '50% off'],
    ['%2525', '%25']
  ]
  for (const [header, subject] of values) t.match(read({ 'ce-subject': header }), { event: { payload: { subject } } })
  t.match(read({ 'ce-region': 'eu', 'ce-datacontenttype': 'x', 'ce-data': 'x' }), {
    event: { payload: { region: 'eu', data: {} } }
  })
  for (const name of ['ce-id', 'ce-subject', 'ce-region'])
    t.match(read({ [name]: '%C0%A0' }), { ok: false, message: /must be a text/ }, 'not UTF-8, which must be rejected')
})

t.test('a request that is no CloudEvent is refused with the reason', async (t) => {
  const { deliver, riverhook } = receive(t)
  await riverhook.start()
  const event = { specversion: '1.0', id: '1', source: '/s', type: 'paid' }
  const cases: readonly (readonly [type: string, body: unknown, reason: RegExp])[] = [
    ['application/cloudevents+xml', event, /must be in the JSON format/],
    ['text/plain', event, /neither the content type/],
    ['application/cloudevents+json', [event], /must be a JSON object/],
    ['application/cloudevents-batch+json', event, /must be a JSON list/],
    ['application/cloudevents+json', { ...event, specversion: '0.3' }, /"specversion\\" must be 1.0/],
    ['application/cloudevents+json', { ...event, id: '' }, /"id\\" must be a text/],
    ['application/cloudevents+json', { ...event, source: null }, /"source\\" must be a text/],
    ['application/cloudevents+json', { ...event, time: 5 }, /"time\\" must be a text/],
    ['application/cloudevents+json', { ...event, region: {} }, /"region\\" must be a text/]
  ]
  for (const [type, body, reason] of cases)
    t.match(
      await deliver({ ...token, 'content-type': type }, Buffer.from(JSON.stringify(body))),
      { status: 400, body: reason },
      type
    )
})

t.test('source and id together are the id, also where they are long or their border is unclear', (t) => {
  const idOf = (source: string, id: string): unknown => {
    const body = Buffer.from(JSON.stringify({ specversion: '1.0', id, source, type: 'paid' }))
    const reading = cloudEvents().read({ headers: {}, body })
    return reading.ok && reading.event.id
  }
  t.equal(idOf('/s', 'a b'), '/s a b')
  t.match(idOf('/s a', 'b'), /^[0-9a-f]{64}$/)
  t.match(idOf('/s', 'x'.repeat(254)), /^[0-9a-f]{64}$/)
  t.not(idOf('/s', 'x'.repeat(254)), idOf('/t', 'x'.repeat(254)))
  t.equal(idOf('/s', 'x'.repeat(253)), `/s ${'x'.repeat(253)}`)
  t.end()
})

t.test('options and secrets that would be ignored are refused', (t) => {
  t.equal(cloudEvents({ name: 'grid' }).name, 'grid')
  const wrong: readonly (readonly [options: object, message: RegExp])[] = [
    [{ allowedOrigins: ['https://eventgrid.azure.net'] }, /allowedOrigins.*host names/],
    [{ allowedOrigins: [] }, /allowedOrigins/],
    [{ allowedRate: 0, allowedOrigins: ['*'] }, /allowedRate/],
    [{ allowedRate: 5 }, /needs the option "allowedOrigins"/],
    [{ origins: ['*'] }, /origins/]
  ]
  for (const [options, message] of wrong)
    t.throws(() => cloudEvents(options as CloudEventsOptions), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  t.throws(() => receiverOf(t, { source: cloudEvents(), secrets: 'whsec_0123456789' }), {
    code: 'RIVERHOOK_SOURCE_SECRET',
    message: /give it "bearer" or "basicAuth"/
  })
  t.end()
})

t.test('the handshake, also through toWebHandler', async (t) => {
  const source = cloudEvents({ allowedOrigins: ['eventgrid.azure.net', 'other.example'], allowedRate: 120 })
  const { riverhook } = receiverOf(t, { source, bearer })
  await riverhook.start()
  const handler = toWebHandler(riverhook)
  const ask = (headers: Record<string, string>) =>
    handler(new Request('https://x.example/hooks', { method: 'OPTIONS', headers }))
  const answer = await ask({ 'WebHook-Request-Origin': 'EventGrid.azure.net', 'WebHook-Request-Rate': '1000' })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('webhook-allowed-origin'), 'EventGrid.azure.net')
  t.equal(answer.headers.get('webhook-allowed-rate'), '120')
  t.match(answer.headers.get('allow'), 'POST')
  const other = await ask({ 'WebHook-Request-Origin': 'evil.example' })
  t.equal(other.status, 403)
  t.equal(other.headers.get('webhook-allowed-origin'), null)
  t.equal((await ask({ origin: 'https://evil.example', 'access-control-request-method': 'POST' })).status, 405)
  const without = receiverOf(t, { source: cloudEvents(), bearer })
  await without.riverhook.start()
  t.equal(
    (await without.deliver({ 'webhook-request-origin': 'x' }, Buffer.alloc(0), { method: 'OPTIONS' })).status,
    405
  )
})

/** A server that listens, and the address of its endpoint. */
async function listen(
  t: Test,
  register: (app: FastifyInstance, options: RiverhookOptions) => unknown
): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  const source = cloudEvents({ allowedOrigins: ['*'] })
  await register(app, { source, bearer, path: '/hooks', inbox: memoryInbox() })
  return `${await app.listen({ host: '127.0.0.1', port: 0 })}/hooks`
}

t.test('over HTTP: the handshake and events, also beside the CORS plugin of the host', async (t) => {
  const delegate = (request: { routeOptions: { config: { riverhook?: true } } }, done: (...given: never[]) => void) => {
    ;(done as (error: null, options: object) => void)(null, {
      origin: request.routeOptions.config.riverhook === true ? false : '*'
    })
  }
  const hosts: Readonly<Record<string, (app: FastifyInstance, options: RiverhookOptions) => unknown>> = {
    'no CORS plugin': (app, options) => app.register(riverhook, options),
    'a CORS plugin in a scope of its own': async (app, options) => {
      await app.register(async (scope) => {
        await scope.register(cors, { origin: '*' })
      })
      await app.register(riverhook, options)
    },
    'a CORS plugin that skips the routes of Riverhook': async (app, options) => {
      await app.register(cors, { delegator: delegate as never })
      await app.register(riverhook, options)
    }
  }
  const message = HTTP.binary(created.cloneWith({ data: 'a,b', datacontenttype: 'text/csv' }))
  for (const [name, register] of Object.entries(hosts)) {
    const url = await listen(t, register)
    const answer = await fetch(url, { method: 'OPTIONS', headers: { 'WebHook-Request-Origin': 'eventgrid.azure.net' } })
    t.equal(answer.status, 200, name)
    t.equal(answer.headers.get('webhook-allowed-origin'), '*', name)
    t.equal(answer.headers.get('webhook-allowed-rate'), '*', name)
    const sent = await fetch(url, {
      method: 'POST',
      headers: { ...headersOf(message), ...token },
      body: bytesOf(message)
    })
    t.match([sent.status, await sent.json()], [202, { id, status: 'accepted' }], name)
  }
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'cloud-events', { EVENTS_TOKEN: bearer })
  )
  await riverhook.start()
  const message = HTTP.structured(created)
  t.match(await deliver({ ...token, ...headersOf(message) }, bytesOf(message)), { status: 202 })
  await settled(1)
  t.match(logged, [/12\.5.*book it/])
  const asked = { 'webhook-request-origin': 'eventgrid.azure.net' }
  t.match(await deliver(asked, Buffer.alloc(0), { method: 'OPTIONS' }), { status: 200 })
})
