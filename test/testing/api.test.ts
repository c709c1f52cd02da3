import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import t from 'tap'

import { createClock, createDigitalRiver, type DigitalRiverOptions } from '../../src/testing/index.ts'

interface Errors {
  readonly type: string
  readonly errors: readonly { readonly code?: string; readonly parameter?: string; readonly message: string }[]
}

/** The simulator, and a function that calls its API without our client. */
async function start(options: DigitalRiverOptions = {}) {
  const river = await createDigitalRiver(options)
  async function call(method: string, path: string, body?: unknown, key = river.apiKey) {
    const answer = await fetch(river.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      json: (text === '' ? undefined : JSON.parse(text)) as never
    }
  }
  return { river, call, close: () => river.close() }
}

const request = { address: 'https://shop.example/hook', types: ['order.accepted'] }

t.test('the five operations of webhooks', async (t) => {
  const rig = await start()
  t.teardown(() => rig.close())
  const { call } = rig
  const created = await call('POST', '/webhooks', request)
  const webhook = created.json as { id: string; types: string[] }
  t.equal(created.status, 201)
  t.match(created.json, {
    ...request,
    id: /^[0-9a-f-]{36}$/,
    enabled: true,
    apiVersion: 'default',
    transportType: 'HTTP',
    liveMode: false,
    createdTime: /^\d{4}-.*Z$/
  })
  t.ok(created.headers.get('x-request-id'))
  t.notMatch(JSON.stringify(created.json), /whk_/, 'the signing secret is shown in the dashboard only')
  t.same((await call('GET', `/webhooks/${webhook.id}`)).json, webhook)
  t.same((await call('GET', '/webhooks')).json, [webhook])
  const changed = await call('PATCH', `/webhooks/${webhook.id}`, { types: ['refund.failed'] })
  t.match(changed.json, { types: ['refund.failed'], address: request.address, enabled: true })
  const deleted = await call('DELETE', `/webhooks/${webhook.id}`)
  t.match([deleted.status, deleted.json, deleted.headers.get('content-type')], [204, undefined, null])
  t.match(await call('GET', `/webhooks/${webhook.id}`), { status: 404, json: { type: 'not_found' } })
  t.same((await call('GET', '/webhooks')).json, [])
})

t.test('a web page whose domain resolves to this machine is refused', async (t) => {
  const { river, close } = await start()
  t.teardown(close)
  const { port } = new URL(river.url)
  const statusOf = async (host: string): Promise<number | undefined> => {
    const asking = get({
      port,
      host: '127.0.0.1',
      path: '/webhooks',
      agent: false,
      headers: { host, authorization: `Bearer ${river.apiKey}` }
    })
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    answer.resume()
    return answer.statusCode
  }
  for (const host of [
    'attacker.example',
    `attacker.example:${port}`,
    '127.0.0.1.attacker.example',
    'localhost.attacker.example'
  ])
    t.equal(await statusOf(host), 403, host)
  for (const host of ['localhost', `LocalHost:${port}`, `127.0.0.1:${port}`, '[::1]'])
    t.equal(await statusOf(host), 200, host)
})

t.test('valid webhooks are accepted, and errors say why others are not', async (t) => {
  const rig = await start()
  t.teardown(() => rig.close())
  const refused = async (body: unknown): Promise<unknown[]> => {
    const { status, json } = await rig.call('POST', '/webhooks', body)
    const { type, errors } = json as Errors
    return [status, type, errors[0]?.code, errors[0]?.parameter]
  }
  const oauth = { tokenEndPoint: 'https://a.example/', clientID: 'c', clientSecret: 's' }
  t.same(await refused({ types: ['a'] }), [400, 'bad_request', 'missing_parameter', 'address'])
  t.same(await refused({ ...request, address: 'ftp://a' }), [400, 'bad_request', 'invalid_parameter', 'address'])
  t.same(await refused({ ...request, types: 'a' }), [400, 'bad_request', 'invalid_parameter', 'types'])
  for (const pattern of ['*', 'order.*', 'order.*.failed'])
    t.same(
      await refused({ ...request, types: ['a', pattern] }),
      [400, 'bad_request', 'invalid_parameter', 'types'],
      'only names'
    )
  t.same(await refused({ ...request, enabled: 'yes' }), [400, 'bad_request', 'invalid_parameter', 'enabled'])
  t.same(await refused({ ...request, apiVersion: 'v1' }), [400, 'bad_request', 'invalid_parameter', 'apiVersion'])
  t.same(await refused({ ...request, transportType: 'OAUTH' }), [400, 'bad_request', 'missing_parameter', 'oauth'])
  t.same(await refused({ ...request, transportType: 'OAUTH', oauth: { ...oauth, clientSecret: undefined } }), [
    400,
    'bad_request',
    'missing_parameter',
    'oauth.clientSecret'
  ])
  t.same(await refused({ ...request, oauth }), [400, 'bad_request', 'invalid_parameter', 'oauth'])
  t.same(await refused({ ...request, transportType: 'OAUTH', oauth, authentication: { username: 'u' } }), [
    400,
    'bad_request',
    'invalid_parameter',
    'authentication'
  ])
  t.same(await refused({ ...request, authentication: { username: 1 } }), [
    400,
    'bad_request',
    'invalid_parameter',
    'authentication.username'
  ])
  t.same(await refused([]), [400, 'bad_request', 'invalid_body', undefined])
  for (const name of ['username', 'userName']) {
    const { status, json } = await rig.call('POST', '/webhooks', {
      ...request,
      authentication: { [name]: 'u', password: 'p' }
    })
    t.equal(status, 201)
    t.match(
      json,
      { authentication: { username: 'u', password: 'p' } },
      `${name} is understood, and credentials are returned unmasked`
    )
  }
})

t.test('a PATCH changes only the given fields; credentials are removed with their transport', async (t) => {
  const rig = await start()
  t.teardown(() => rig.close())
  const { id } = rig.river.addWebhook({ ...request, enabled: false, authentication: { username: 'u', password: 'p' } })
  const oauth = { tokenEndPoint: 'https://a.example/', clientID: 'c', clientSecret: 's' }
  t.match((await rig.call('PATCH', `/webhooks/${id}`, { apiVersion: '2021-12-13' })).json, {
    enabled: false,
    authentication: { username: 'u' }
  })
  const changed = (await rig.call('PATCH', `/webhooks/${id}`, { transportType: 'OAUTH', oauth })).json as object
  t.match(changed, { transportType: 'OAUTH', oauth: { ...oauth, grantType: 'password' }, enabled: false })
  t.notOk('authentication' in changed)
})

t.test('keys, methods and paths', async (t) => {
  const rig = await start()
  t.teardown(() => rig.close())
  t.match(await rig.call('GET', '/webhooks', undefined, 'sk_test_other'), {
    status: 401,
    json: { type: 'unauthorized' }
  })
  t.match(await rig.call('PUT', '/webhooks'), { status: 405, json: { type: 'method_not_allowed' } })
  t.match(await rig.call('GET', '/orders'), { status: 404 })
  t.match(await rig.call('GET', '/events/none'), { status: 404 })
  t.match(await rig.call('GET', '/webhooks/%ZZ'), { status: 404 }, 'an id that cannot be decoded is an unknown one')
  const live = await start({ liveMode: true })
  t.teardown(() => live.close())
  t.match((await live.call('POST', '/webhooks', request)).json, { liveMode: true })
  t.match(
    [rig.river.apiKey, live.river.apiKey],
    [/^sk_test_[0-9a-f-]{36}$/, /^sk_live_[0-9a-f-]{36}$/],
    'the key cannot be guessed'
  )
  t.equal((await live.river.emit('order.accepted')).liveMode, true)
})

t.test('webhooks are filtered by type, by a group, or by several types', async (t) => {
  const rig = await start()
  t.teardown(() => rig.close())
  for (const types of [['order.accepted'], ['order.charge.failed', 'refund.failed'], ['sku.created']])
    rig.river.addWebhook({ ...request, types })
  const count = async (query: string): Promise<number> =>
    ((await rig.call('GET', `/webhooks?${query}`)).json as unknown[]).length
  t.equal(await count('type=order.accepted'), 1)
  t.equal(await count('type=order.*'), 2)
  t.equal(await count('types=order.accepted,sku.created'), 2)
  t.equal(await count('types=order.accepted&types=sku.created'), 2)
  t.equal((await rig.call('GET', '/webhooks?type=a&types=b')).status, 400)
  t.equal(
    (await rig.call('GET', `/webhooks?types=${Array.from({ length: 21 }, (_, index) => `t${index}`).join()}`)).status,
    400
  )
  t.equal(
    (await rig.call('GET', `/webhooks?types=${Array.from({ length: 20 }, (_, index) => `t${index}`).join()}`)).status,
    200
  )
})

t.test('events: pages in both directions, filters, and the horizon', async (t) => {
  const clock = createClock(new Date('2026-02-01T00:00:00Z'))
  const rig = await start({ clock })
  t.teardown(() => rig.close())
  const ids: string[] = []
  for (let index = 0; index < 25; index += 1) {
    ids.unshift(rig.river.list(index % 2 === 0 ? 'order.accepted' : 'refund.failed').id)
    await clock.advance(60_000)
  }
  const page = async (query: string) =>
    (await rig.call('GET', `/events?${query}`)).json as { hasMore: boolean; data: { id: string; type: string }[] }
  const first = await page('')
  t.same([first.hasMore, first.data.map(({ id }) => id)], [true, ids.slice(0, 10)], 'ten, newest first')
  const second = await page(`limit=20&startingAfter=${ids[9] ?? ''}`)
  t.same([second.hasMore, second.data.map(({ id }) => id)], [false, ids.slice(10)])
  const back = await page(`limit=5&endingBefore=${ids[10] ?? ''}`)
  t.same([back.hasMore, back.data.map(({ id }) => id)], [true, ids.slice(5, 10)])
  t.equal((await page('limit=100&type=refund.*')).data.length, 12)
  t.equal((await page('limit=100&types=refund.failed,order.accepted')).data.length, 25)
  t.equal(
    (await page('limit=100&createdTime[gte]=2026-02-01T00:10:00Z&createdTime[lt]=2026-02-01T00:20:00Z')).data.length,
    10
  )
  t.equal(
    (await page('limit=100&createdTime[gt]=2026-02-01T00:10:00Z&createdTime[lte]=2026-02-01T00:20:00Z')).data.length,
    10
  )
  t.equal((await page('createdTime=2026-02-01T00:10:00Z')).data.length, 1)
  for (const query of [
    'limit=0',
    'limit=101',
    'startingAfter=unknown',
    'createdTime[gt]=soon',
    'type=a&types=b',
    `types=${'a,'.repeat(19)}a`
  ]) {
    t.equal((await rig.call('GET', `/events?${query}`)).status, 400, query)
  }
  t.match((await rig.call('GET', `/events/${ids[0] ?? ''}`)).json, { id: ids[0], type: 'order.accepted' })
  await clock.advance(30 * 24 * 3_600_000)
  t.equal((await page('')).data.length, 0, 'they are listed for 30 days')
})

t.test('the options for undocumented behaviour', async (t) => {
  const rig = await start({
    dialect: {
      webhooksAs: 'data',
      createStatus: 200,
      userSpelling: 'userName',
      eventsOrder: 'oldest',
      typesEncoding: 'repeated'
    }
  })
  t.teardown(() => rig.close())
  const { status, json } = await rig.call('POST', '/webhooks', {
    ...request,
    authentication: { username: 'u', password: 'p' }
  })
  t.equal(status, 200)
  t.match(json, { authentication: { userName: 'u', password: 'p' } })
  t.match((await rig.call('GET', '/webhooks')).json, { data: [{ address: request.address }] })
  const [one, two] = [2000, 1000].map((ms, index) =>
    rig.river.list(index === 0 ? 'a' : 'b', { createdTime: new Date(Date.now() - ms).toISOString() })
  )
  const list = async (query: string) =>
    ((await rig.call('GET', `/events?${query}`)).json as { data: { id: string }[] }).data.map(({ id }) => id)
  t.same(await list(''), [one?.id, two?.id])
  t.same(await list('types=a,b'), [], 'parsed as one odd type')
  t.same(await list('types=a&types=b'), [one?.id, two?.id])
})

t.test('faults, each for the requested number of calls', async (t) => {
  const rig = await start()
  t.teardown(() => rig.close())
  const { river, call } = rig
  river.faults.next({ status: 429, retryAfter: 7 }, 2)
  const limited = await call('GET', '/webhooks')
  t.match(limited, { status: 429, json: { type: 'too_many_requests' } })
  t.equal(limited.headers.get('retry-after'), '7')
  t.equal((await call('GET', '/events')).status, 429)
  t.equal((await call('GET', '/webhooks')).status, 200)
  river.faults.next('cut-before', 1, { method: 'POST' })
  await t.rejects(call('POST', '/webhooks', request))
  t.equal(river.webhooks.length, 0, 'it did not take effect')
  river.faults.next('cut-after', 1, { method: 'POST', path: '/webhooks' })
  await t.rejects(call('POST', '/webhooks', request))
  t.equal(river.webhooks.length, 1, 'it did')
  river.faults.next({ status: 503 }, 1, { method: 'GET', path: '/events', skip: 1 })
  t.same([(await call('GET', '/events')).status, (await call('GET', '/events')).status], [200, 503])
  river.faults.next('malformed')
  await t.rejects(call('GET', '/webhooks'), SyntaxError)
  river.faults.next('html')
  await t.rejects(call('GET', '/webhooks'), SyntaxError)
  t.same(
    river.calls.map(({ method, status }) => [method, status]),
    [
      ['GET', 429],
      ['GET', 429],
      ['GET', 200],
      ['POST', undefined],
      ['POST', undefined],
      ['GET', 200],
      ['GET', 503],
      ['GET', 200],
      ['GET', 502]
    ]
  )
})

t.test('more calls than the limit are refused until the next second, and do not take effect', async (t) => {
  const clock = createClock()
  const rig = await start({ clock, rateLimit: 2 })
  t.teardown(() => rig.close())
  const create = async (): Promise<number> => (await rig.call('POST', '/webhooks', request)).status
  t.equal((await rig.call('GET', '/webhooks', undefined, 'sk_test_other')).status, 401, 'another key is not counted')
  t.same([await create(), await create(), await create()], [201, 201, 429])
  const limited = await rig.call('GET', '/webhooks')
  t.match(limited, { status: 429, json: { type: 'too_many_requests' } })
  t.equal(limited.headers.get('retry-after'), '1')
  await clock.advance(1000)
  t.equal(((await rig.call('GET', '/webhooks')).json as unknown[]).length, 2)
})
