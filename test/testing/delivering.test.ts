import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'

import { createClock, createDigitalRiver, retrySchedules, sign } from '../../src/testing/index.ts'

interface Got {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A receiver that gives the configured answers. */
async function startReceiver(
  t: Test,
  answer: (response: ServerResponse, count: number, got: Got) => void
): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      answer(response, got.length, got.at(-1) as Got)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got }
}

const respond =
  (status: number) =>
  (response: ServerResponse): void => {
    response.writeHead(status).end()
  }

t.test('an event is sent to every enabled webhook that subscribes to the type, and to no other', async (t) => {
  const receiver = await startReceiver(t, respond(204))
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const types = ['order.accepted']
  const one = river.addWebhook({ address: receiver.url, types })
  const two = river.addWebhook({ address: receiver.url, types: ['refund.failed', 'order.accepted'] })
  river.addWebhook({ address: receiver.url, types, enabled: false })
  river.addWebhook({ address: receiver.url, types: ['refund.failed'] })
  const event = await river.emit('order.accepted', { data: { object: { id: '42' } } })
  t.same(
    river.attempts.map(({ webhookId, status }) => [webhookId, status]).sort(),
    [
      [one.id, 204],
      [two.id, 204]
    ].sort()
  )
  t.same(JSON.parse(receiver.got[0]?.body ?? ''), event)
  t.match(receiver.got[0]?.headers, { 'content-type': 'application/json', 'digitalriver-signature': /^\d+, \S+$/ })
})

t.test(
  'a failure is retried on the schedule of the mode, with the same id and a new signature, then abandoned',
  async (t) => {
    for (const liveMode of [false, true]) {
      const receiver = await startReceiver(t, respond(500))
      const clock = createClock()
      let signed = Date.now()
      const river = await createDigitalRiver({ clock, liveMode, signatureNow: () => new Date((signed += 1000)) })
      t.teardown(() => river.close())
      river.addWebhook({ address: receiver.url, types: ['order.accepted'] })
      const event = await river.emit('order.accepted')
      const schedule = retrySchedules[liveMode ? 'live' : 'test']
      const times = [event.createdTime]
      for (const pause of schedule) {
        await clock.advance(pause - 1)
        t.equal(receiver.got.length, times.length, 'not before its time')
        await clock.advance(1)
        t.equal(receiver.got.length, times.length + 1)
        times.push(clock.now().toISOString())
      }
      await clock.advance(100 * 3_600_000)
      t.equal(receiver.got.length, schedule.length + 1, 'abandoned')
      t.equal(new Set(receiver.got.map(({ body }) => (JSON.parse(body) as { id: string }).id)).size, 1)
      t.equal(new Set(receiver.got.map(({ headers }) => headers['digitalriver-signature'])).size, receiver.got.length)
      t.same(
        river.attempts.map(({ attempt }) => attempt),
        schedule.map((_, index) => index + 1).concat(schedule.length + 1)
      )
    }
  }
)

t.test('every 2xx acknowledges; a redirect is not followed and is a failure', async (t) => {
  const elsewhere = await startReceiver(t, respond(200))
  const answers = [200, 202, 299, 301, 307, 400]
  const receiver = await startReceiver(t, (response, count) => {
    response.writeHead(answers[count - 1] ?? 200, { location: elsewhere.url }).end()
  })
  const clock = createClock()
  const river = await createDigitalRiver({ clock, disableAfter: 100 })
  t.teardown(() => river.close())
  river.addWebhook({ address: receiver.url, types: ['order.accepted'] })
  for (const _ of answers) await river.emit('order.accepted')
  t.same(
    river.attempts.map(({ status }) => status),
    answers
  )
  t.same(elsewhere.got, [])
  await clock.advance(retrySchedules.test[0])
  t.equal(receiver.got.length, answers.length + 3, 'the three that failed were retried')
})

t.test('an answer that takes too long is a failure, and so is a refused connection', async (t) => {
  const receiver = await startReceiver(t, () => undefined)
  const river = await createDigitalRiver({ timeoutMs: 50, clock: createClock() })
  t.teardown(() => river.close())
  river.addWebhook({ address: receiver.url, types: ['a'] })
  await river.emit('a')
  t.match(river.attempts, [{ status: undefined, error: 'no answer within 50 ms' }])
  river.addWebhook({ address: 'http://127.0.0.1:1/', types: ['b'] })
  await river.emit('b')
  t.match(river.attempts[1], { status: undefined, error: /ECONNREFUSED|refused|bad port/i })
})

t.test('a webhook that keeps failing is disabled, and gets nothing until it is enabled again', async (t) => {
  let status = 500
  const receiver = await startReceiver(t, (response) => {
    response.writeHead(status).end()
  })
  const clock = createClock()
  const river = await createDigitalRiver({ clock, retries: [1000], disableAfter: 2 })
  t.teardown(() => river.close())
  const { id } = river.addWebhook({ address: receiver.url, types: ['a'] })
  const failed = async (): Promise<boolean | undefined> => {
    await river.emit('a')
    await clock.advance(1000)
    return river.webhooks[0]?.enabled
  }
  t.equal(await failed(), true)
  t.equal(await failed(), false, 'the second in a row')
  const before = receiver.got.length
  await river.emit('a')
  t.equal(receiver.got.length, before)
  const answer = await fetch(`${river.url}/webhooks/${id}`, {
    method: 'PATCH',
    body: '{"enabled":true}',
    headers: { authorization: `Bearer ${river.apiKey}` }
  })
  t.equal(answer.status, 200)
  t.equal(await failed(), true, 'the count starts again')
  status = 200
  await river.emit('a')
  status = 500
  t.equal(await failed(), true, 'a success in between, too')
})

t.test('during a rotation both secrets sign; afterwards only the new one', async (t) => {
  const receiver = await startReceiver(t, respond(200))
  const clock = createClock()
  const river = await createDigitalRiver({ clock })
  t.teardown(() => river.close())
  const { id } = river.addWebhook({ address: receiver.url, types: ['a'] })
  const [first = ''] = river.secretsOf(id)
  t.match(first, /^whk_[0-9a-f-]{36}$/)
  const second = river.rotateSecret(id, 3_600_000)
  t.same(river.secretsOf(id), [first, second])
  await river.emit('a')
  await clock.advance(3_600_000)
  t.same(river.secretsOf(id), [second])
  await river.emit('a')
  t.same(
    receiver.got.map(({ headers }) => String(headers['digitalriver-signature']).split(', ').length),
    [3, 2]
  )
  const third = river.rotateSecret(id, 0)
  t.same(river.secretsOf(id), [third], 'at once')
  for (const _ of [2, 3, 4, 5]) river.rotateSecret(id, 1000)
  t.throws(() => river.rotateSecret(id, 1000), /5 secrets/)
})

t.test('during a rotation either signature may be first: alternating, or as configured', async (t) => {
  const receiver = await startReceiver(t, respond(200))
  for (const [signatureOrder, expected] of [
    [undefined, ['old', 'new', 'old']],
    ['oldest', ['old', 'old', 'old']],
    ['newest', ['new', 'new', 'new']]
  ] as const) {
    const river = await createDigitalRiver({ ...(signatureOrder === undefined ? {} : { dialect: { signatureOrder } }) })
    t.teardown(() => river.close())
    const { id } = river.addWebhook({ address: receiver.url, types: ['a'] })
    river.rotateSecret(id, 3_600_000)
    const first = receiver.got.length
    for (const _ of expected) await river.emit('a')
    const found = receiver.got.slice(first).map(({ headers, body }) => {
      const [timestamp = '', signature] = String(headers['digitalriver-signature']).split(', ')
      const at = new Date(Number(timestamp) * 1000)
      return ['old', 'new'][
        river
          .secretsOf(id)
          .findIndex((secret) => sign({ body, secret, at })['DigitalRiver-Signature'] === `${timestamp}, ${signature}`)
      ]
    })
    t.same(found, expected)
  }
})

t.test('it authenticates as configured: basic, or a bearer token that it fetches and caches', async (t) => {
  const receiver = await startReceiver(t, respond(200))
  const tokens = await startReceiver(t, (response, count) => {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ access_token: `token-${count}`, expires_in: 60 }))
  })
  const clock = createClock()
  const river = await createDigitalRiver({ clock })
  t.teardown(() => river.close())
  river.addWebhook({ address: receiver.url, types: ['basic'], authentication: { username: 'u', password: 'p' } })
  const client = { tokenEndPoint: tokens.url, clientID: 'c', clientSecret: 's' }
  river.addWebhook({
    address: receiver.url,
    types: ['password'],
    transportType: 'OAUTH',
    oauth: { ...client, userName: 'me', password: 'hush' }
  })
  river.addWebhook({
    address: receiver.url,
    types: ['client'],
    transportType: 'OAUTH',
    oauth: { ...client, grantType: 'client_credentials' }
  })
  for (const type of ['basic', 'password', 'password', 'client']) await river.emit(type)
  await clock.advance(60_000)
  await river.emit('password')
  t.same(
    receiver.got.map(({ headers }) => headers.authorization),
    [`Basic ${btoa('u:p')}`, 'Bearer token-1', 'Bearer token-1', 'Bearer token-2', 'Bearer token-3']
  )
  t.same(
    tokens.got.map(({ body }) => body),
    [
      'grant_type=password&username=me&password=hush',
      'grant_type=client_credentials',
      'grant_type=password&username=me&password=hush'
    ]
  )
  t.equal(tokens.got[0]?.headers.authorization, `Basic ${btoa('c:s')}`)
})

t.test(
  'the client of a token is in the header or in the form, as the endpoint accepts it, and never in both',
  async (t) => {
    const receiver = await startReceiver(t, respond(200))
    const give = (response: ServerResponse): void => {
      response.writeHead(200).end(JSON.stringify({ access_token: 'token', expires_in: 60 }))
    }
    for (const status of [400, 401]) {
      // Like endpoints that read only the form.
      const formOnly = await startReceiver(t, (response, _count, { body }) => {
        if (body.includes('client_secret=')) give(response)
        else response.writeHead(status).end('no')
      })
      const clock = createClock()
      const river = await createDigitalRiver({ clock })
      t.teardown(() => river.close())
      const oauth = {
        tokenEndPoint: formOnly.url,
        clientID: 'c:1',
        clientSecret: 's&ü',
        grantType: 'client_credentials'
      }
      river.addWebhook({ address: receiver.url, types: ['a'], transportType: 'OAUTH', oauth })
      await river.emit('a')
      await clock.advance(60_000)
      await river.emit('a')
      const form = 'grant_type=client_credentials&client_id=c%3A1&client_secret=s%26%C3%BC'
      t.same(
        formOnly.got.map(({ headers, body }) => [headers.authorization, body]),
        [
          [`Basic ${btoa('c%3A1:s%26%C3%BC')}`, 'grant_type=client_credentials'],
          [undefined, form],
          [undefined, form]
        ],
        'the accepted form is used again'
      )
      t.equal(receiver.got.at(-1)?.headers.authorization, 'Bearer token')
    }
    for (const tokenClient of ['basic', 'form'] as const) {
      const tokens = await startReceiver(t, respond(401))
      const river = await createDigitalRiver({ clock: createClock(), dialect: { tokenClient } })
      t.teardown(() => river.close())
      river.addWebhook({
        address: receiver.url,
        types: ['a'],
        transportType: 'OAUTH',
        oauth: { tokenEndPoint: tokens.url, clientID: 'c', clientSecret: 's' }
      })
      await river.emit('a')
      t.same(
        tokens.got.map(({ headers, body }) => [headers.authorization !== undefined, body.includes('client_id=c')]),
        [[tokenClient === 'basic', tokenClient === 'form']]
      )
      t.match(river.attempts, [{ status: undefined, error: 'the token endpoint answered 401' }])
    }
  }
)

t.test('a token that cannot be fetched is a failed attempt', async (t) => {
  const tokens = await startReceiver(t, respond(500))
  const river = await createDigitalRiver({ clock: createClock() })
  t.teardown(() => river.close())
  const oauth = { tokenEndPoint: tokens.url, clientID: 'c', clientSecret: 's' }
  river.addWebhook({ address: 'http://127.0.0.1:1/', types: ['a'], transportType: 'OAUTH', oauth })
  await river.emit('a')
  t.match(river.attempts, [{ status: undefined, error: /./ }])
})

t.test('a token endpoint that does not answer costs an attempt, and blocks nothing', async (t) => {
  const tokens = await startReceiver(t, () => undefined)
  const river = await createDigitalRiver({ clock: createClock(), timeoutMs: 50 })
  t.teardown(() => river.close())
  const oauth = { tokenEndPoint: tokens.url, clientID: 'c', clientSecret: 's' }
  river.addWebhook({ address: 'http://127.0.0.1:1/', types: ['a'], transportType: 'OAUTH', oauth })
  await river.emit('a')
  t.match(river.attempts, [{ status: undefined, error: /timeout/ }])
})

t.test('after close() it sends nothing more, and pending waits end', async (t) => {
  const receiver = await startReceiver(t, respond(500))
  const clock = createClock()
  const river = await createDigitalRiver({ clock, retries: [1000] })
  river.addWebhook({ address: receiver.url, types: ['a'] })
  await river.emit('a')
  await river.emit('a', {}, 'delay')
  const settled = river.settled()
  await river.close()
  await settled
  await clock.advance(100_000)
  t.equal(receiver.got.length, 1)
})

t.test('an event that a test emits twice with one id settles twice', async (t) => {
  const receiver = await startReceiver(t, respond(500))
  const clock = createClock()
  const river = await createDigitalRiver({ clock, retries: [1000] })
  t.teardown(() => river.close())
  river.addWebhook({ address: receiver.url, types: ['a'] })
  await river.emit('a', { id: 'one' })
  const settled = river.settled()
  await river.emit('a', { id: 'one' })
  await clock.advance(1000)
  await settled
  t.equal(receiver.got.length, 4)
})

t.test('a webhook that is deleted between two requests gets no second one, and the test continues', async (t) => {
  const river = await createDigitalRiver({ clock: createClock() })
  t.teardown(() => river.close())
  const headers = { authorization: `Bearer ${river.apiKey}` }
  const receiver = await startReceiver(t, (response) => {
    void fetch(`${river.url}/webhooks/${river.webhooks[0]?.id ?? ''}`, { method: 'DELETE', headers }).then(() =>
      response.writeHead(200).end()
    )
  })
  river.addWebhook({ address: receiver.url, types: ['a'] })
  await river.emit('a', {}, 'duplicate')
  t.equal(receiver.got.length, 1)
  t.match(river.attempts, [{ status: 200 }, { status: undefined, error: /not found/ }])
})
