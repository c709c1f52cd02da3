import t from 'tap'

import type { WebhookChanges, WebhookRequest } from '../../../../src/source/digital-river/api/models.ts'
import { rig, webhook } from './api-server.ts'

const address = 'https://shop.example/webhooks/digital-river'
const oauth = {
  tokenEndPoint: 'https://shop.example/token',
  clientID: 'c',
  clientSecret: 's',
  userName: 'u',
  password: 'p'
}
const authentication = { username: 'shop', password: 'p' }

t.test('the five operations are sent as documented', async (t) => {
  const { client, seen } = await rig(t, ({ method, path }) => {
    if (method === 'DELETE') return { status: 204 }
    if (method === 'POST') return { status: 201, body: webhook() }
    return { body: path === '/webhooks' ? [] : webhook() }
  })
  const request: WebhookRequest = { address, types: ['order.accepted'], enabled: false, authentication }
  t.match(await client.webhooks.create(request), { id: 'wh-1' })
  t.match(await client.webhooks.retrieve('wh-1'), { id: 'wh-1' })
  t.match(await client.webhooks.update('wh-1', { enabled: true }), { id: 'wh-1' })
  await client.webhooks.delete('wh-1')
  const sent = seen.filter(({ path, method }) => path !== '/webhooks' || method === 'POST')
  t.strictSame(
    sent.map(({ method, path, body }) => [method, path, body]),
    [
      ['POST', '/webhooks', request],
      ['GET', '/webhooks/wh-1', undefined],
      ['PATCH', '/webhooks/wh-1', { enabled: true }],
      ['DELETE', '/webhooks/wh-1', undefined]
    ]
  )
  t.equal(seen.find(({ method }) => method === 'PATCH')?.headers['content-type'], 'application/json')
})

t.test('a PATCH has only the changes: nothing is enabled again or reset by accident', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: webhook() }))
  const changes = {
    types: ['a', 'b'],
    enabled: undefined,
    oauth: undefined,
    authentication: undefined
  } as unknown as WebhookChanges
  await client.webhooks.update('wh-1', changes)
  t.strictSame(seen[0]?.body, { types: ['a', 'b'] })
})

t.test('any 2xx is a success for create and delete, with any body of a delete', async (t) => {
  for (const status of [200, 201, 202]) {
    const { client } = await rig(t, ({ method }) => (method === 'GET' ? { body: [] } : { status, body: webhook() }))
    t.match(await client.webhooks.create({ address, types: ['a'] }), { id: 'wh-1' })
    const odd = await rig(t, () => ({ status, body: 'gone' }))
    await odd.client.webhooks.delete('wh-1')
  }
})

t.test('a list is a bare array or in data, and further pages are read if there are any', async (t) => {
  for (const body of [[webhook()], { data: [webhook()] }, { hasMore: false, data: [webhook()] }]) {
    const { client } = await rig(t, () => ({ body }))
    t.match(await client.webhooks.list(), [{ id: 'wh-1' }])
  }
  const none = await rig(t, () => ({ body: { hasMore: false } }))
  t.strictSame(await none.client.webhooks.list(), [])
  const paged = await rig(t, ({ query }) =>
    query.get('startingAfter') === 'wh-1'
      ? { body: { hasMore: false, data: [webhook({ id: 'wh-2' })] } }
      : { body: { hasMore: true, data: [webhook()] } }
  )
  t.strictSame(
    (await paged.client.webhooks.list()).map(({ id }) => id),
    ['wh-1', 'wh-2']
  )
})

t.test('an answer with 100 webhooks, the maximum, may be incomplete: the next ones are requested', async (t) => {
  const account = Array.from({ length: 201 }, (_, n) => webhook({ id: `wh-${n}` }))
  const paged = await rig(t, ({ query }) => {
    const start = account.findIndex(({ id }) => id === query.get('startingAfter')) + 1
    return { body: account.slice(start, start + 100) }
  })
  t.equal((await paged.client.webhooks.list()).length, 201)
  t.equal(paged.seen.length, 3)
  for (const [count, calls] of [
    [99, 1],
    [100, 2],
    [101, 1]
  ] as const) {
    const whole = await rig(t, () => ({ body: account.slice(0, count) }))
    t.equal((await whole.client.webhooks.list()).length, count, 'without pages, the list is complete')
    t.equal(whole.seen.length, calls)
  }
  const strict = await rig(t, ({ query }) =>
    query.has('startingAfter')
      ? { status: 400, body: { errors: [{ parameter: 'startingAfter' }] } }
      : { body: account.slice(0, 100) }
  )
  t.equal((await strict.client.webhooks.list()).length, 100, 'a refused parameter is no error')
})

t.test('both spellings of the user name are read; a missing field is no error', async (t) => {
  const read = async (fields: Record<string, unknown>) =>
    (await rig(t, () => ({ body: webhook(fields) }))).client.webhooks.retrieve('wh-1')
  t.strictSame((await read({ authentication: { username: 'u', password: 'p' } })).authentication, {
    username: 'u',
    password: 'p'
  })
  t.strictSame((await read({ authentication: { userName: 'u' } })).authentication, { username: 'u' })
  t.strictSame((await read({ authentication: {} })).authentication, undefined)
  t.strictSame((await read({ oauth: { ...oauth, userName: undefined, username: 'v' } })).oauth, {
    ...oauth,
    userName: 'v'
  })
  t.strictSame((await read({ oauth: { tokenEndPoint: 't' } })).oauth, {
    tokenEndPoint: 't',
    clientID: '',
    clientSecret: ''
  })
  t.strictSame(await read({ types: undefined, address: undefined, enabled: undefined }), {
    id: 'wh-1',
    address: '',
    types: [],
    enabled: true,
    apiVersion: 'default',
    transportType: 'HTTP'
  })
  t.match(await read({ enabled: false, liveMode: false, createdTime: 'c', updatedTime: 'u', transportType: 'SMTP' }), {
    enabled: false,
    liveMode: false,
    createdTime: 'c',
    updatedTime: 'u',
    transportType: undefined
  })
})

t.test('an answer without a webhook is an error, not an empty webhook', async (t) => {
  for (const body of ['', 'OK', '<html>', 'null', '[]', '"id"', {}, { id: 7 }, { id: '' }]) {
    const { client } = await rig(t, () => ({ body, headers: { 'x-request-id': 'r-1' } }))
    await t.rejects(
      client.webhooks.retrieve('wh-1'),
      { name: 'DigitalRiverApiError', code: 'RIVERHOOK_API_ANSWER' },
      JSON.stringify(body)
    )
  }
  for (const body of ['', 'null', '7', { data: 7 }, [null], [{ address }]]) {
    const { client } = await rig(t, () => ({ body }))
    await t.rejects(client.webhooks.list(), { code: 'RIVERHOOK_API_ANSWER', path: '/webhooks' }, JSON.stringify(body))
  }
})

t.test('an invalid value is refused before it is sent, with field and rule', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: [] }))
  const create = (fields: Record<string, unknown>) => () => client.webhooks.create({ address, types: ['a'], ...fields })
  const refused = (call: () => Promise<unknown>, message: RegExp) =>
    t.rejects(call(), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  await refused(create({ address: undefined }), /lacks "address"/)
  await refused(create({ address: 'shop.example' }), /"address" must be an http or https URL/)
  await refused(create({ types: undefined }), /lacks "types"/)
  await refused(create({ types: [] }), /"types"/)
  await refused(create({ types: ['a', 'a'] }), /"types" must NOT have duplicate/)
  await refused(create({ types: [''] }), /"types.0"/)
  for (const pattern of ['*', 'order.*', 'order.*.failed']) {
    await refused(create({ types: [pattern] }), /"types.0" must be the name of an event type, not a pattern/)
    await refused(() => client.webhooks.update('wh-1', { types: ['a', pattern] }), /"types.1" must be the name/)
  }
  await refused(create({ enabeld: true }), /"enabeld" is unknown; did you mean "enabled"/)
  await refused(create({ enabled: 'yes' }), /"enabled" must be boolean/)
  await refused(create({ apiVersion: '2021' }), /"apiVersion" must be default, latest or a date/)
  await refused(create({ transportType: 'http' }), /"transportType" must be HTTP or OAUTH/)
  await refused(create({ authentication: { username: 'u' } }), /lacks "authentication.password"/)
  await refused(create({ authentication: { userName: 'u', password: 'p' } }), /authentication/)
  await refused(create({ transportType: 'OAUTH', authentication }), /"authentication" is only for the transport HTTP/)
  await refused(create({ transportType: 'OAUTH' }), /needs "oauth"/)
  await refused(create({ oauth }), /"oauth" is only for the transport OAUTH/)
  await refused(create({ transportType: 'HTTP', oauth }), /"oauth" is only for the transport OAUTH/)
  await refused(create({ transportType: 'OAUTH', oauth, authentication }), /exclude each other/)
  for (const field of ['tokenEndPoint', 'clientID', 'clientSecret']) {
    await refused(
      create({ transportType: 'OAUTH', oauth: { ...oauth, [field]: undefined } }),
      new RegExp(`lacks "oauth.${field}"`)
    )
  }
  await refused(() => client.webhooks.update('wh-1', {}), /it is empty/)
  await refused(
    () => client.webhooks.update('wh-1', { enabled: undefined } as unknown as WebhookChanges),
    /it is empty/
  )
  await refused(() => client.webhooks.update('wh-1', { transportType: 'HTTP', oauth }), /"oauth" is only for/)
  await refused(
    () => client.webhooks.update('wh-1', { transportType: 'OAUTH', authentication }),
    /"authentication" is only for/
  )
  await refused(() => client.webhooks.list({ type: 'a', types: ['b'] }), /"type" or "types", not both/)
  await refused(() => client.webhooks.list({ types: [] }), /"types"/)
  await refused(() => client.webhooks.list({ types: ['a,b'] }), /without white space or comma/)
  await refused(() => client.webhooks.list({ types: Array.from({ length: 21 }, (_, n) => `t${n}`) }), /"types".*20/)
  t.equal(seen.length, 0)
})

t.test('OAUTH is sent as given; a change of its fields needs no transport', async (t) => {
  const { client, seen } = await rig(t, ({ method }) => ({
    body: method === 'GET' ? [] : webhook({ transportType: 'OAUTH', oauth })
  }))
  t.strictSame((await client.webhooks.create({ address, types: ['a'], transportType: 'OAUTH', oauth })).oauth, oauth)
  await client.webhooks.update('wh-1', { oauth })
  t.strictSame(seen[1]?.body, { address, types: ['a'], transportType: 'OAUTH', oauth })
  t.strictSame(seen[2]?.body, { oauth })
})

t.test('an id is one segment of the path, with any characters: a delete never reaches the list', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: webhook() }))
  await client.webhooks.delete('a/../b?c#d')
  t.equal(seen[0]?.path, '/webhooks/a%2F..%2Fb%3Fc%23d')
  for (const id of ['', '.', '..', undefined as unknown as string]) {
    await t.rejects(client.webhooks.delete(id), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  }
  t.equal(seen.length, 1)
})
