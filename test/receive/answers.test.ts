import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { buffer, json } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'

import { memoryInbox, type Rejection } from '../../src/index.ts'
import { event, listen, post, secret, signatureHeaders, startReceiver } from './receiver.ts'
import { startWebReceiver } from './web-receiver.ts'
import { keyOf } from '../event-keys.ts'

const basicAuth = { username: 'river', password: 'hook:1' }
const basic = (user: string) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` })

// Risk: the loss of an event with a framework other than Fastify.
for (const [adapter, start] of [
  ['fastify', startReceiver],
  ['web', startWebReceiver]
] as const) {
  t.test(`answers of the adapter ${adapter}`, (t) => answers(t, start))
}

t.test('a sender that sends everything before it reads gets its 413, with any way of closing', async (t) => {
  const { url } = await listen(await startReceiver(t, { bodyLimit: 2048 }))
  const { hostname, port, pathname } = new URL(url)
  for (const connection of ['keep-alive', 'close']) {
    const socket = connect(Number(port), hostname)
    const size = 4 * 1024 * 1024
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: x\r\nconnection: ${connection}\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`
    )
    for (let sent = 0; sent < size; sent += 65_536) {
      if (!socket.write(Buffer.alloc(65_536))) await once(socket, 'drain')
    }
    const answer = (await buffer(socket)).toString()
    t.match(answer, /^HTTP\/1\.1 413 /, connection)
    t.equal(answer.split('HTTP/1.1').length, 2, 'one answer')
    t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), { code: 'RIVERHOOK_RECEIVE_TOO_LARGE' })
  }
})

async function answers(t: Test, start: typeof startReceiver): Promise<void> {
  await t.test('an event is recorded before it is acknowledged, and a retry is a duplicate', async (t) => {
    const { url, app } = await listen(await start(t))
    const body = event({ id: 'e1' })
    const first = await post(url, body)
    t.equal(first.status, 202)
    t.same(first.body, { id: 'e1', status: 'accepted' })
    t.match(first.headers.get('content-type'), 'application/json')
    const stored = await app.riverhook.inbox.event(keyOf('e1'))
    t.ok(Buffer.from(stored!.body).equals(body), 'the exact bytes')
    t.match(stored, {
      type: 'order.accepted',
      liveMode: false,
      endpoint: '/webhooks/digital-river',
      receipt: { checks: ['signature'], secret: 1 }
    })
    t.ok(Math.abs(stored!.receipt.skewMs!) < 60_000)
    const retry = await post(url, body, signatureHeaders(body, secret, new Date(Date.now() - 5000)))
    t.equal(retry.status, 202)
    t.same(retry.body, { id: 'e1', status: 'duplicate' })
  })

  await t.test(
    'another body under a known id: the first is kept; the second is logged, counted and shown',
    async (t) => {
      const { url, app, lines } = await listen(await start(t))
      await post(url, event({ id: 'e1' }))
      t.same((await post(url, event({ id: 'e1', liveMode: true }))).body, { id: 'e1', status: 'duplicate' })
      t.match(await app.riverhook.inbox.event(keyOf('e1')), { liveMode: false, conflicts: 1, duplicates: 1 })
      t.ok(lines.some(({ result, event_id, level }) => result === 'conflict' && event_id === 'e1' && level === 40))
    }
  )

  await t.test(
    'an authentic request that is not a valid Event is answered 400 with the field, and stored once',
    async (t) => {
      const { url, app } = await listen(await start(t))
      const cases = [
        { body: Buffer.from('{"id":"e1"}'), code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message: /"type"/ },
        { body: Buffer.from('{"id"'), code: 'RIVERHOOK_RECEIVE_BAD_JSON', message: /JSON/ },
        { body: Buffer.from([0xff]), code: 'RIVERHOOK_RECEIVE_BAD_ENCODING', message: /UTF-8/ },
        { body: Buffer.alloc(0), code: 'RIVERHOOK_RECEIVE_BAD_JSON', message: /JSON/ }
      ]
      for (const { body, code, message } of cases) {
        for (const _retry of [1, 2]) {
          const answer = await post(url, body)
          t.equal(answer.status, 400)
          t.match(answer.body, { statusCode: 400, code, error: 'Bad Request', message })
        }
      }
      t.match(await app.riverhook.inbox.stats(), { events: 0, quarantined: 4, duplicates: 4 })
      const { events } = await app.riverhook.inbox.events({ limit: 10, state: 'quarantined' })
      t.ok(events.every(({ id, reason }) => /^quarantine_[0-9a-f]{32}$/.test(id) && reason !== undefined))
      t.same(await app.riverhook.retryQuarantined(events[0]!.id), { stillInvalid: 'The body is not valid JSON' })
      t.equal(await app.riverhook.retryQuarantined('nope'), undefined)
    }
  )

  await t.test('a 401 gives no reason, the log does', async (t) => {
    const rejections: Rejection[] = []
    const { url, lines } = await listen(await start(t, { onRejected: (rejection) => rejections.push(rejection) }))
    const body = event()
    const cases = [
      { headers: { 'DigitalRiver-Signature': undefined }, why: /no DigitalRiver-Signature header/ },
      { headers: { 'DigitalRiver-Signature': 'x' }, why: /malformed/ },
      { headers: signatureHeaders(body, 'whk_other'), why: /no secret matched/ },
      { headers: signatureHeaders(body, secret, new Date(Date.now() - 3_600_000)), why: /36\d\d\.\d s old/ },
      { headers: signatureHeaders(Buffer.from(`${body.toString()}\n`)), why: /changed on the way/ }
    ]
    for (const { headers, why } of cases) {
      const answer = await post(url, body, headers)
      t.equal(answer.status, 401)
      t.same(answer.body, {
        statusCode: 401,
        code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED',
        error: 'Unauthorized',
        message: 'Authentication failed'
      })
      t.match(lines.at(-1), {
        endpoint: '/webhooks/digital-river',
        code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED',
        reason: why
      })
      t.match(rejections.at(-1), { statusCode: 401, reason: why, endpoint: '/webhooks/digital-river' })
    }
    t.notMatch(JSON.stringify(lines), secret)
    t.notMatch(JSON.stringify(lines), 'o1', 'no part of the payload')
  })

  await t.test(
    'a test event at the live endpoint is named in the log, and shared secrets cause a warning',
    async (t) => {
      const receiver = await start(t, {
        endpoints: [
          { path: '/live', secrets: ['whk_live'] },
          { path: '/test', secrets: () => Promise.resolve(['whk_test']) },
          { path: '/copy', secrets: 'whk_live' }
        ]
      })
      const { app, lines } = receiver
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      const body = event()
      t.equal((await post(`${url}/live`, body, signatureHeaders(body, 'whk_test'))).status, 401)
      t.match(lines.at(-1)!['reason'], /matches a secret of the endpoint \/test: the two are mixed up/)
      t.equal((await post(`${url}/test`, body, signatureHeaders(body, 'whk_test'))).status, 202)
      t.match(
        lines.find(({ msg }) => msg.startsWith('two endpoints share a signing secret')),
        { level: 40, endpoints: ['/live', '/copy'] }
      )
    }
  )

  await t.test('every check that is configured must hold', async (t) => {
    const { url, app } = await listen(
      await start(t, {
        secrets: secret,
        basicAuth: [basicAuth, { username: 'new', password: 'x' }, { username: 'bad', password: '\ufffd' }]
      })
    )
    const refused = await post(url, event())
    t.equal(refused.status, 401)
    t.match(refused.headers.get('www-authenticate'), /^Basic realm="riverhook"/)
    t.equal((await post(url, event(), basic('river:wrong'))).status, 401)
    t.equal((await post(url, event(), { ...basic('river:hook:1'), 'DigitalRiver-Signature': undefined })).status, 401)
    t.equal((await post(url, event(), basic('new:x'))).status, 202)
    const notText = {
      authorization: `Basic ${Buffer.concat([Buffer.from('bad:'), Buffer.from([0xff])]).toString('base64')}`
    }
    t.equal((await post(url, event(), notText)).status, 401, 'invalid UTF-8 is not U+FFFD')
    const id = 'both'
    t.equal((await post(url, event({ id }), basic('river:hook:1'))).status, 202)
    t.same((await app.riverhook.inbox.event(keyOf(id)))!.receipt.checks, ['signature', 'basic'])
  })

  await t.test('a bearer token, fixed or checked by a function, without a signature', async (t) => {
    const judged: string[] = []
    const bearer = async (token: string) => {
      judged.push(token)
      return token === 'good'
    }
    for (const rule of ['good', ['old', 'good'], bearer]) {
      const { url } = await listen(await start(t, { bearer: rule }))
      const headers = { 'DigitalRiver-Signature': undefined }
      t.equal((await post(url, event(), { ...headers, authorization: 'Bearer good' })).status, 202)
      t.equal((await post(url, event(), { ...headers, authorization: 'bearer bad' })).status, 401)
      const none = await post(url, event(), headers)
      t.match(none.headers.get('www-authenticate'), /^Bearer/)
    }
    t.same(judged, ['good', 'bad'])
  })

  await t.test('only true accepts a bearer token: no promise of another library, no truthy value', async (t) => {
    const judge = (verdict: unknown) => start(t, { bearer: (() => verdict) as () => boolean })
    for (const verdict of [
      {
        then: (resolve: (value: boolean) => void) => {
          resolve(false)
        }
      },
      'no',
      1,
      {}
    ]) {
      const { url } = await listen(await judge(verdict))
      t.equal((await post(url, event(), { authorization: 'Bearer wrong' })).status, 401, JSON.stringify(verdict))
    }
    const { url } = await listen(
      await judge({
        then: (resolve: (value: boolean) => void) => {
          resolve(true)
        }
      })
    )
    t.equal((await post(url, event(), { authorization: 'Bearer right' })).status, 202)
  })

  await t.test('a function for the secrets that hangs is a 500 within ackTimeout, and the log names it', async (t) => {
    const receiver = await start(t, { secrets: () => new Promise<string[]>(() => undefined), ackTimeout: 400 })
    const { url, lines } = await listen(receiver)
    t.match(await post(url, event()), { status: 500, body: { message: 'Internal error; try again' } })
    t.ok(
      lines.some(
        ({ msg, endpoint }) => /secrets could not be read/.test(msg) && endpoint === '/webhooks/digital-river'
      ),
      'logged at the start'
    )
    t.match(
      lines.find(({ msg }) => /internal error/.test(msg)),
      { reason: /secrets.*did not answer within/ }
    )
  })

  await t.test('a function that returns an unusable secret is logged at the start, not at every request', async (t) => {
    const { app } = await start(t, { secrets: () => (process.env['NO_SUCH_SECRETS'] ?? '').split(',') })
    await t.rejects(app.listen({ port: 0, host: '127.0.0.1' }), {
      code: 'RIVERHOOK_SOURCE_SECRET',
      message: /\(endpoint \/webhooks\/digital-river\)/
    })
    const set = await start(t, { secrets: () => new Set([secret]) as never })
    await t.rejects(
      async () => {
        await set.app.ready()
      },
      { code: 'RIVERHOOK_SOURCE_SECRET', message: /must return a string or a list of strings/ }
    )
  })

  await t.test('secrets from a function are rotated without a restart; if it fails, the answer is a 5xx', async (t) => {
    let secrets: string[] | Error = [secret]
    const { url, lines } = await listen(
      await start(t, {
        secrets: async () => {
          if (secrets instanceof Error) throw secrets
          return secrets
        }
      })
    )
    t.equal((await post(url, event())).status, 202)
    secrets = ['whk_new']
    t.equal((await post(url, event())).status, 401)
    const body = event()
    t.equal((await post(url, body, signatureHeaders(body, 'whk_new'))).status, 202)
    secrets = new Error('vault sealed')
    const answer = await post(url, body)
    t.equal(answer.status, 500)
    t.match(answer.body, { code: 'RIVERHOOK_RECEIVE_FAULT' })
    t.notMatch(JSON.stringify(answer.body), 'vault')
    t.match(lines.at(-1), { level: 50, err: { message: 'vault sealed' } })
  })

  await t.test('content types: JSON of any kind and none at all, nothing else', async (t) => {
    const { url } = await listen(await start(t))
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/cloudevents+json',
      undefined
    ]) {
      t.equal((await post(url, event(), { 'content-type': type })).status, 202, String(type))
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const answer = await post(url, event(), { 'content-type': type })
      t.equal(answer.status, 415, type)
      t.match(answer.body, { statusCode: 415, code: 'RIVERHOOK_RECEIVE_MEDIA_TYPE', error: 'Unsupported Media Type' })
    }
  })

  await t.test(
    'a body over the limit is 413, with or without a length, before anything is authenticated',
    async (t) => {
      const { url } = await listen(await start(t, { bodyLimit: 2048 }))
      const answer = await post(url, Buffer.alloc(2049), { 'DigitalRiver-Signature': undefined })
      t.equal(answer.status, 413)
      t.match(answer.body, { statusCode: 413, code: 'RIVERHOOK_RECEIVE_TOO_LARGE' })
      const chunked = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        duplex: 'half',
        body: Readable.from([Buffer.alloc(1500), Buffer.alloc(1500)])
      } as unknown as RequestInit)
      t.equal(chunked.status, 413)
      t.equal((await post(url, event({ data: { object: { pad: 'x'.repeat(1800) } } }))).status, 202)
    }
  )

  await t.test(
    'an inbox that cannot record is a 503 with Retry-After, also for bad envelopes, and hides the cause',
    async (t) => {
      const inbox = memoryInbox()
      const { url, lines } = await listen(await start(t, { inbox }))
      inbox.record = () => Promise.reject(new Error('disk on fire'))
      for (const body of [event(), Buffer.from('{}')]) {
        const answer = await post(url, body)
        t.equal(answer.status, 503)
        t.ok(Number(answer.headers.get('retry-after')) > 0)
        t.match(answer.body, { statusCode: 503, code: 'RIVERHOOK_INBOX_UNAVAILABLE', error: 'Service Unavailable' })
        t.notMatch(JSON.stringify(answer.body), 'fire')
        t.match(lines.at(-1), { level: 50, reason: /disk on fire/ })
      }
      inbox.record = () => new Promise(() => undefined)
    }
  )

  await t.test('an inbox that is too slow is a 503 at ackTimeout', async (t) => {
    const inbox = memoryInbox()
    const { url } = await listen(await start(t, { inbox, ackTimeout: 30 }))
    const { record } = inbox
    const gate = Promise.withResolvers<undefined>()
    inbox.record = async (arrivals) => {
      await gate.promise
      return record.call(inbox, arrivals)
    }
    const answer = await post(url, event())
    t.equal(answer.status, 503)
    t.match(answer.body, { code: 'RIVERHOOK_INBOX_DEADLINE' })
    gate.resolve(undefined)
  })

  await t.test(
    'a slow body is refused at ackTimeout, while it is still arriving, and the inbox is not blamed',
    async (t) => {
      const { url, app, lines } = await listen(await start(t, { ackTimeout: 30 }))
      const body = event({ id: 'late' })
      const { hostname, port, pathname } = new URL(url)
      const slow = request({
        hostname,
        port,
        path: pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length, ...signatureHeaders(body) }
      })
      slow.on('error', () => undefined)
      t.teardown(() => slow.destroy())
      slow.write(body.subarray(0, 10))
      const [answer] = (await once(slow, 'response')) as [IncomingMessage]
      t.equal(answer.statusCode, 503)
      t.match(await json(answer), { code: 'RIVERHOOK_INBOX_DEADLINE' })
      t.match(
        lines.find(({ msg }) => /sender should retry/.test(msg)),
        { code: 'RIVERHOOK_INBOX_DEADLINE', reason: /request itself took \d+ ms to arrive, and then only 10 bytes/ }
      )
      t.equal(await app.riverhook.inbox.event(keyOf('late')), undefined)
    }
  )

  await t.test(
    'pending bodies have a budget: beyond it the answer is 503, and finished ones release their bytes',
    async (t) => {
      const { url, lines } = await listen(await start(t, { bodyBudget: 4096, bodyLimit: 4096 }))
      const { hostname, port, pathname } = new URL(url)
      const hog = request({
        hostname,
        port,
        path: pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 4096 }
      })
      hog.on('error', () => undefined)
      hog.write(Buffer.alloc(4000))
      // The large request's bytes arrive asynchronously. Until then there is room.
      let answer = await post(url, event())
      while (answer.status === 202) answer = await post(url, event())
      t.match(answer, { status: 503, body: { code: 'RIVERHOOK_RECEIVE_OVERLOADED' } })
      t.ok(answer.headers.get('retry-after'))
      t.match(
        lines.find(({ code }) => code === 'RIVERHOOK_RECEIVE_OVERLOADED'),
        { reason: /bodyBudget/ }
      )
      hog.destroy()
      while (answer.status === 503) answer = await post(url, event())
      t.equal(answer.status, 202)
      for (const _each of Array.from({ length: 40 }))
        t.equal((await post(url, event())).status, 202, 'answered requests hold no bytes')
    }
  )

  await t.test('a compressed body, or an empty content type, is 415, and the log names the cause', async (t) => {
    const { url, lines } = await listen(await start(t))
    const body = gzipSync(event())
    t.match(await post(url, body, { 'content-encoding': 'gzip' }), {
      status: 415,
      body: { code: 'RIVERHOOK_RECEIVE_MEDIA_TYPE' }
    })
    t.match(lines.at(-1), { reason: /content-encoding: gzip.*inflated/ })
    for (const [type, reason] of [
      ['', /empty/],
      ['json', /it is json/],
      ['application/json, text/plain', /application\/json/]
    ] as const) {
      t.match(
        await post(url, event(), { 'content-type': type }),
        { status: 415, body: { code: 'RIVERHOOK_RECEIVE_MEDIA_TYPE' } },
        type
      )
      t.match(lines.at(-1), { reason }, type)
    }
  })

  await t.test('while draining: 503, so that another process gets it', async (t) => {
    const { url, app } = await listen(await start(t))
    await app.riverhook.drain()
    const answer = await post(url, event())
    t.equal(answer.status, 503)
    t.match(answer.body, { code: 'RIVERHOOK_RECEIVE_DRAINING' })
    t.ok(answer.headers.get('retry-after'))
    t.same(await app.riverhook.health(), { ready: false, reasons: ['shutting down'] })
  })

  await t.test('a failing onRejected and a failing orderBy have no effect on the answer', async (t) => {
    const receiver = await start(t, {
      onRejected: () => {
        throw new Error('oops')
      }
    })
    receiver.app.riverhook.on(
      '*',
      {
        name: 'ordered',
        orderBy: () => {
          throw new Error('no key')
        }
      },
      () => undefined
    )
    const { url, app, lines } = await listen(receiver)
    t.equal((await post(url, event(), { 'DigitalRiver-Signature': undefined })).status, 401)
    t.match(lines.at(-1), { level: 50, msg: 'onRejected failed' })
    t.equal((await post(url, event({ id: 'e1' }))).status, 202)
    t.match((await app.riverhook.inbox.event(keyOf('e1')))!.deliveries, [{ handler: 'ordered', orderKey: undefined }])
    t.ok(lines.some(({ msg, handler }) => msg.startsWith('orderBy failed') && handler === 'ordered'))
  })
}
