import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import t from 'tap'

import {
  createRiverhook,
  defineHandler,
  forward,
  memoryInbox,
  openInbox,
  type ReceiveRequest
} from '../../src/index.ts'
import type { HandlerContext } from '../../src/handlers/registry.ts'
import { standardWebhooks } from '../../src/sources.ts'
import { createTestReceiver, runHandler, type HandlerRun } from '../../src/testing/index.ts'
import { join } from 'node:path'
import { makeFolder } from '../folder.ts'
import { startShared } from '../inbox/postgres-server.ts'
import { courier } from '../source/courier.ts'
import { readableLog } from '../deliver/rig.ts'
import { flat, startTarget } from './target.ts'

// Risk: events that never reach a service not written in Node, reach it changed, or reach another service.

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const event = { id: 'e1', type: 'order.accepted', data: { object: { id: 'o1' } } }

/** A context like the dispatcher's, for tests that need their own signal. */
function context(given: Partial<HandlerContext> = {}): HandlerContext {
  return {
    event,
    attempt: 1,
    delivery: { realm: 'digital-river', id: 1, handler: 'h', receivedAt: new Date(0) },
    endpoint: '/',
    source: 'digital-river',
    body: Buffer.from('{}'),
    headers: {},
    signal: new AbortController().signal,
    log: readableLog().log,
    idempotencyKey: 'digital-river:e1:h',
    transaction: () => Promise.reject(new Error('none')),
    ...given
  }
}

const messageOf = ({ error }: HandlerRun): string => String((error as Error | undefined)?.message)

t.test('the received bytes are forwarded unchanged, and a Standard Webhooks library verifies them', async (t) => {
  const target = await startTarget(t)
  const handler = forward({
    pattern: 'order.*',
    url: `${target.url}/hooks?token=t1`,
    secret,
    headers: { 'X-Shop': 'one', authorization: 'Bearer b1' }
  })
  t.equal(handler.options.name, `order.*@127.0.0.1:${target.port}/hooks`)
  const receiver = await createTestReceiver({ handlers: handler })
  t.teardown(() => receiver.close())
  const body =
    '{ "id":"e.1", "type":"order.accepted",\n"liveMode":false, "createdTime":"2026-01-01T00:00:00Z", "data": {"object":{"id":"ö 1.0", "n":1.10}} } '
  const { deliveries } = await receiver.send({ type: 'order.accepted' }, { body })
  t.match(deliveries, [{ state: 'done', attempts: 1 }])
  const [arrived] = target.arrived
  t.equal(arrived?.body.toString(), body)
  t.match(arrived, {
    method: 'POST',
    url: '/hooks?token=t1',
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'riverhook',
      'x-shop': 'one',
      authorization: 'Bearer b1',
      'webhook-id': `digital-river:e%2E1:order%2E*%40127%2E0%2E0%2E1%3A${target.port}%2Fhooks`,
      'riverhook-event-id': 'e.1',
      'riverhook-event-type': 'order.accepted',
      'riverhook-source': 'digital-river',
      'riverhook-realm': 'digital-river',
      'riverhook-attempt': '1'
    }
  })
  t.same(new Webhook(secret).verify(body, flat(arrived!.headers)), JSON.parse(body))
  t.throws(() => new Webhook(secret).verify(body.trim(), flat(arrived!.headers)))
})

t.test('each of two secrets signs, and so does a private key; without a secret nothing is signed', async (t) => {
  const target = await startTarget(t)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = (key: typeof privateKey, type: 'pkcs8' | 'spki') =>
    key
      .export({ format: 'der', type: type as 'spki' })
      .subarray(-32)
      .toString('base64')
  const other = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx'
  await forward({ url: target.url, secret: [other, secret, `whsk_${raw(privateKey, 'pkcs8')}`] }).run(event, context())
  await forward({ url: target.url }).run(event, context())
  const [signed, unsigned] = target.arrived
  for (const each of [other, secret]) t.doesNotThrow(() => new Webhook(each).verify('{}', flat(signed!.headers)))
  const request = { method: 'POST', url: '/', headers: signed!.headers, body: signed!.body }
  t.match(
    standardWebhooks()
      .verifier([`whpk_${raw(publicKey, 'spki')}`])
      .verify(request, new Date(), 60_000),
    {
      ok: true
    }
  )
  t.match(unsigned!.headers, { 'webhook-id': 'digital-river:e1:h', 'webhook-timestamp': /^\d{10}$/ })
  t.notHas(unsigned!.headers, 'webhook-signature')
})

t.test('a retry and a replay have the same id, and a retry has a new valid signature', async (t) => {
  const target = await startTarget(t, (response) => response.writeHead(target.arrived.length < 3 ? 500 : 200).end())
  const receiver = await createTestReceiver({ handlers: forward({ url: target.url, secret }) })
  t.teardown(() => receiver.close())
  t.match((await receiver.send({ ...event })).deliveries, [{ state: 'done', attempts: 3 }])
  const ids = target.arrived.map(({ headers }) => headers['webhook-id'])
  t.equal(ids.length, 3)
  t.equal(new Set(ids).size, 1)
  t.same(
    target.arrived.map(({ headers }) => headers['riverhook-attempt']),
    ['1', '2', '3']
  )
  for (const { headers, body } of target.arrived)
    t.doesNotThrow(() => new Webhook(secret).verify(body.toString(), flat(headers)))
})

t.test('each answer leads to done, to a retry, or to a dead letter at once', async (t) => {
  let status = 200
  let headers: Record<string, string> = {}
  const target = await startTarget(t, (response) => response.writeHead(status, headers).end())
  const handler = forward({ url: target.url })
  const outcome = async (answer: number, more: Record<string, string> = {}): Promise<HandlerRun> => {
    status = answer
    headers = more
    return runHandler(handler, event)
  }
  for (const done of [200, 202, 204, 299]) t.match(await outcome(done), { state: 'done' }, `${done}`)
  for (const again of [408, 409, 423, 425, 429, 500, 501, 503, 599]) {
    const run = await outcome(again)
    t.match(run, { state: 'retry', error: { code: 'RIVERHOOK_FORWARD_FAILED' } }, `${again}`)
    t.equal(messageOf(run), `${target.url} answered ${again}`)
  }
  for (const never of [400, 401, 403, 404, 405, 410, 413, 415, 422, 451, 499]) {
    const run = await outcome(never)
    t.match(run, { state: 'dead', error: { name: 'PermanentError' } }, `${never}`)
    t.match(messageOf(run), `${target.url} answered ${never}, which a retry cannot fix`)
  }
  t.match(await outcome(404, { 'retry-after': 'soon' }), { state: 'retry' }, 'the target asked for a retry')
})

t.test('Retry-After: seconds and dates are honoured, up to a day, and the configured delay is added', async (t) => {
  let value = ''
  const target = await startTarget(t, (response) => response.writeHead(503, { 'retry-after': value }).end())
  // The configured delay before the second attempt is from zero to a minute.
  const handler = forward({ url: target.url, retry: { base: '1m' } })
  const wait = async (asked: string): Promise<number> => {
    value = asked
    const { state, waitMs = NaN } = await runHandler(handler, event)
    t.equal(state, 'retry')
    return waitMs
  }
  const between = (ms: number, least: number, most: number, what: string) => t.ok(ms > least && ms <= most, what)
  between(await wait('7200'), 7_190_000, 7_261_000, 'seconds')
  between(await wait(new Date(Date.now() + 7_200_000).toUTCString()), 7_180_000, 7_262_000, 'a date')
  between(await wait('9'.repeat(400)), 86_390_000, 86_461_000, 'for ever')
  for (const none of ['0', '-5', 'soon', new Date(0).toUTCString()]) between(await wait(none), -1, 60_001, none)
})

t.test('no redirect is followed, and the error names only its origin', async (t) => {
  const elsewhere = await startTarget(t)
  for (const [location, told] of [
    [`http://u1:p1@127.0.0.1:${elsewhere.port}/path1?token=t1`, ` to ${elsewhere.url}.`],
    ['/path1?token=t1', ' to http://127.0.0.1:'],
    ['javascript:path1', ' to something other than http.'],
    ['http://[', ' without a target.'],
    [undefined, ' without a target.']
  ] as const) {
    const target = await startTarget(t, (response) =>
      response.writeHead(307, location === undefined ? {} : { location }).end()
    )
    const run = await runHandler(forward({ url: target.url }), event)
    t.equal(run.state, 'dead')
    t.ok(messageOf(run).includes(`${target.url} answered 307, a redirect${told}`), messageOf(run))
    t.notMatch(messageOf(run), /path1|t1|u1|p1/)
  }
  t.same(elsewhere.arrived, [])
})

t.test('a target that hangs is abandoned at the time limit, and retried', async (t) => {
  const target = await startTarget(t, () => undefined)
  const run = await runHandler(forward({ url: target.url, timeout: 30 }), event)
  t.match(run, { state: 'retry', error: { code: 'RIVERHOOK_FORWARD_FAILED' } })
  t.equal(messageOf(run), `No answer from ${target.url}: no answer within 30 ms`)
})

t.test('the signal ends a request; if it is aborted before the call, nothing is sent', async (t) => {
  const controller = new AbortController()
  const reason = new Error('shutting down')
  const target = await startTarget(t, () => {
    controller.abort(reason)
  })
  const { run } = forward({ url: target.url })
  await t.rejects(async () => run(event, context({ signal: controller.signal })), reason)
  await t.rejects(async () => run(event, context({ signal: controller.signal })), reason)
  t.equal(target.arrived.length, 1)
  const [connection] = target.connections
  if (connection?.destroyed === false) await once(connection, 'close')
})

t.test('a target that is down, or closes the connection before or during its answer, is retried', async (t) => {
  const tcp = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    })
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  t.match(await runHandler(forward({ url: `http://127.0.0.1:${port}` }), event), { state: 'retry' }, 'an upgrade')
  tcp.close()
  await once(tcp, 'close')
  const refused = await runHandler(forward({ url: `http://127.0.0.1:${port}` }), event)
  t.match(refused, { state: 'retry', error: { code: 'RIVERHOOK_FORWARD_FAILED' } })
  t.match(messageOf(refused), /ECONNREFUSED/)
  const closing = await startTarget(t, (_response, _arrived, { socket }) => socket.destroy())
  t.match(await runHandler(forward({ url: closing.url }), event), { state: 'retry' })
  const half = await startTarget(t, (_response, _arrived, { socket }) => socket.end('HTTP/1.1 200 OK\r\nx: '))
  t.match(await runHandler(forward({ url: half.url }), event), { state: 'retry' })
})

t.test('an endless answer is cut, and its status decides', async (t) => {
  const chunk = Buffer.alloc(16_384)
  const cut: Promise<unknown>[] = []
  let status = 200
  const target = await startTarget(t, (response) => {
    cut.push(once(response, 'close'))
    response.writeHead(status)
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  })
  const { run } = forward({ url: target.url })
  await run(event, context())
  status = 500
  await t.rejects(async () => run(event, context()), { message: `${target.url} answered 500` })
  await Promise.all(cut)
  const heads = await startTarget(t, ({ socket }) => {
    const more = (): void => {
      while (socket?.writable === true && socket.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(65_536)}`));
    }
    more()
  })
  t.match(await runHandler(forward({ url: heads.url }), event), { state: 'retry' })
})

t.test('connections are reused, and one that the target is closing costs no attempt', async (t) => {
  const target = await startTarget(t, (response) => response.end('thank you'))
  const { run } = forward({ url: target.url })
  for (let count = 0; count < 3; count += 1) {
    await run(event, context())
    // The connection is free once the end of the answer has been read, which came with its head.
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(target.arrived.length, 3)
  t.equal(target.connections.length, 1)

  let requests = 0
  const ids: string[] = []
  const closing = createTcpServer((socket) => {
    let served = 0
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      const [, id] = /webhook-id: (\S+)/i.exec(data.toString()) ?? []
      if (id === undefined) return
      ids.push(id)
      requests += 1
      served += 1
      if (served === 1) socket.write('HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n')
      else socket.resetAndDestroy()
    })
  }).listen(0, '127.0.0.1')
  await once(closing, 'listening')
  t.teardown(() => closing.close())
  const stale = forward({ url: `http://127.0.0.1:${(closing.address() as AddressInfo).port}` })
  await stale.run(event, context())
  await new Promise((resolve) => setImmediate(resolve))
  await stale.run(event, context())
  t.equal(requests, 3)
  t.equal(new Set(ids).size, 1)
})

t.test('no credential reaches the log or an error, in any failure', async (t) => {
  const seen: string[] = []
  const target = await startTarget(t, (response, { headers }) => {
    seen.push(String(headers.authorization))
    const [status, more] = [
      [500, {}],
      [429, { 'retry-after': '1' }],
      [302, { location: '/?token=t0psecret' }]
    ][seen.length - 1] as [number, Record<string, string>]
    response.writeHead(status, more).end('t0psecret')
  })
  const url = new URL(target.url)
  url.username = 'user-t0psecret'
  url.password = 'pass-t0psecret'
  url.search = '?token=t0psecret'
  // A handler with a name option does not show the path.
  url.pathname = '/services/t0psecret'
  const all = forward({ url: url.href, name: 'erp', secret, headers: { 'x-key': 't0psecret' } })
  const gone = forward({
    url: 'https://user-t0psecret:pass-t0psecret@nowhere.invalid/t0psecret?t0psecret',
    name: 'gone',
    retry: { attempts: 1 }
  })
  const receiver = await createTestReceiver({ handlers: [all, gone] })
  t.teardown(() => receiver.close())
  const { deliveries } = await receiver.send(event)
  t.match(deliveries, [
    { handler: 'erp', state: 'dead', attempts: 3 },
    { handler: 'gone', state: 'dead' }
  ])
  t.match(seen, Array(3).fill(`Basic ${Buffer.from('user-t0psecret:pass-t0psecret').toString('base64')}`))
  const shown = [
    ...receiver.log.map((line) => JSON.stringify(line)),
    ...deliveries.flatMap(({ errors }) => errors.map((error) => (error as Error).stack)),
    JSON.stringify(await receiver.inbox.event({ realm: 'digital-river', id: 'e1' }))
  ].join('\n')
  t.match(shown, /answered 500/)
  t.match(shown, /No answer from https:\/\/nowhere\.invalid/)
  t.notMatch(shown, /t0psecret/)
  t.notOk(shown.includes(secret.slice(6)))
})

t.test('https: a target with an untrusted certificate receives nothing', async (t) => {
  const target = await startTarget(t, undefined, { https: true })
  const run = await runHandler(forward({ url: target.url }), event)
  t.match(run, { state: 'retry', error: { code: 'RIVERHOOK_FORWARD_FAILED' } })
  t.match(messageOf(run), `No answer from ${target.url}: DEPTH_ZERO_SELF_SIGNED_CERT`)
  t.same(target.arrived, [])
})

t.test('a part of a batch: its own bytes, the headers that it was stored with, and its content type', async (t) => {
  const target = await startTarget(t)
  const source = courier()
  const key = 'a courier secret'
  const riverhook = createRiverhook({
    source,
    secrets: key,
    inbox: memoryInbox(),
    handlers: forward({ source, pattern: 'parcel/*', url: target.url, secret }),
    log: readableLog().log
  })
  t.teardown(() => riverhook.stop())
  await riverhook.start()
  const post = async (id: string, type: string, content: string, contentType: string): Promise<void> => {
    const body = Buffer.from(content)
    const headers = { ...source.sign({ body, secret: key, at: new Date(), id, type }), 'content-type': contentType }
    const request: ReceiveRequest = { method: 'POST', url: '/webhooks/courier', headers, body }
    t.equal((await riverhook.receive(request)).status, 200)
  }
  await post('p1, p2', 'parcel/sent, parcel/delivered', '[{"parcel":"1"},{"parcel":"2"}]', 'application/json')
  await post('p3', 'parcel/sent', '{"parcel": "3"}', 'application/x-courier; v=1')
  while (target.arrived.length < 3) await new Promise((resolve) => setImmediate(resolve))
  const byId = (id: string) => target.arrived.find(({ headers }) => headers['riverhook-event-id'] === id)
  t.match(byId('p1'), { headers: { 'riverhook-event-type': 'parcel/sent', 'x-courier-type': 'parcel/sent' } })
  t.match(byId('p2'), {
    headers: { 'riverhook-event-type': 'parcel/delivered', 'content-type': 'application/json' }
  })
  t.equal(byId('p2')?.body.toString(), '{"parcel":"2"}')
  t.equal(byId('p3')?.headers['content-type'], 'application/x-courier; v=1')
  t.equal(byId('p3')?.body.toString(), '{"parcel": "3"}')
})

t.test('context.body: the stored bytes with every engine, and a copy for each handler', async (t) => {
  const postgres = await startShared()
  t.teardown(() => postgres.stop())
  const folder = makeFolder(t)
  for (const inbox of [
    memoryInbox(),
    openInbox(`sqlite:${join(folder, 'inbox.db')}`),
    openInbox(await postgres.createDatabase(t))
  ]) {
    const seen: string[] = []
    const both = Promise.withResolvers<undefined>()
    const spoil = (name: string) =>
      defineHandler('*', { name }, (_event, { body, headers, source }) => {
        seen.push(`${source} ${JSON.stringify(headers)} ${Buffer.from(body).toString()}`)
        body.fill(0)
        if (seen.length === 2) both.resolve(undefined)
      })
    const source = standardWebhooks()
    const riverhook = createRiverhook({
      source,
      secrets: secret,
      inbox,
      handlers: [
        { ...spoil('one'), source },
        { ...spoil('two'), source }
      ],
      log: readableLog().log
    })
    await riverhook.start()
    const body = Buffer.from('{"type":"a.b", "é": 1.0}')
    const headers = source.sign({ body, secret, at: new Date(), id: 'm1' })
    await riverhook.receive({ method: 'POST', url: '/webhooks/webhook', headers, body })
    await both.promise
    t.same(seen, Array(2).fill(`webhook {"webhook-id":"m1"} ${body.toString()}`), inbox.name)
    const stored = await riverhook.inbox.event({ realm: 'webhook', id: 'm1' })
    t.equal(Buffer.from(stored!.body).toString(), body.toString(), inbox.name)
    await riverhook.stop()
  }
})

t.test('a wrong option is reported at once, without its value', async (t) => {
  const refused = (options: object, message: RegExp | string) => {
    t.throws(() => forward(options as { url: string }), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
    try {
      forward(options as { url: string })
    } catch (error) {
      t.notMatch((error as Error).message, /t0psecret/)
    }
  }
  const url = 'http://erp.internal/hooks'
  refused({}, /^forward: option "url" is missing/)
  refused({ url: 'ftp://t0psecret@erp' }, /^forward: option "url" must be an http or https URL/)
  refused({ url: 'http://t0psecret:99999' }, /option "url" must be/)
  for (const userinfo of ['u:t0psecret%zz', '%t0psecret:p', 'u:t0psecret%e9', 'u:t0psecret%'])
    refused({ url: `http://${userinfo}@erp` }, /option "url" has a "%" in its user name or password .* write it as %25/)
  t.doesNotThrow(() => forward({ url: 'http://u%C3%A9:100%25@erp' }))
  refused({ url, secret: 't0psecret' }, /option "secret" must be at least 24 bytes in Base64/)
  refused({ url, secret: [secret, 'whsk_t0psecret'] }, /option "secret" must be a private Ed25519 key/)
  refused({ url, secret: 'whpk_t0psecret' }, /option "secret" is a public key/)
  refused({ url, secret: [] }, /empty list/)
  refused({ url, secret: `whsec_${Buffer.alloc(32).toString('base64')}` }, /a key of zeros/)
  refused(
    { url, headers: { 'x-key': 't0psecret\n' } },
    /option "headers" has a value for x-key that no header can have/
  )
  refused({ url, headers: { 'Webhook-Id': 't0psecret' } }, /must not have Webhook-Id, which Riverhook sets itself/)
  refused({ url, headers: { 'a b': 'x' } }, /a name that no header can have/)
  refused({ url: 'http://t0psecret@erp', headers: { Authorization: 't0psecret' } }, /leave one out/)
  refused({ url, timeout: 0 }, /option "timeout" must be at least 1ms/)
  refused({ url, retry: { attempts: 0 } }, /option "retry.attempts"/)
  refused({ url, target: 't0psecret' }, /option "target" is unknown.*url/)
  t.throws(() => forward({ url, pattern: 'order*' as '*' }), { code: 'RIVERHOOK_HANDLERS_PATTERN' })
  t.throws(() => forward(undefined as never), /must be an object/)
  t.doesNotThrow(() => forward({ url, secret: undefined, headers: undefined, timeout: undefined, name: undefined }))
})
