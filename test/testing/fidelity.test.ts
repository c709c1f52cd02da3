import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'

import { createDigitalRiver, sign } from '../../src/testing/index.ts'

// Compares the simulator with published facts about the provider, not with our own code.

/** The fields of the official PHP SDK's models. */
const sdk = {
  Webhook: [
    'id',
    'createdTime',
    'updatedTime',
    'types',
    'apiVersion',
    'enabled',
    'address',
    'transportType',
    'oauth',
    'authentication'
  ],
  WebhookRequest: ['types', 'apiVersion', 'enabled', 'address', 'transportType', 'oauth', 'authentication'],
  WebhookOauth: ['tokenEndPoint', 'userName', 'password', 'clientID', 'clientSecret', 'grantType'],
  WebhookRequestAuthentication: ['username', 'password'],
  Errors: ['type', 'errors'],
  Error: ['code', 'parameter', 'message'],
  ListEventsResponse: ['hasMore', 'data'],
  Event: ['id', 'createdTime', 'digitalRiverVersion', 'data', 'liveMode', 'type']
}
/** Documented by the provider, and unknown to the SDK. */
const documented = { Webhook: ['liveMode'], Event: ['digitalriverVersion', 'webhookIds', 'pendingWebhooks'] }
const errorTypes = [
  'bad_request',
  'not_found',
  'request_timeout',
  'unauthorized',
  'conflict',
  'internal_server_error',
  'too_many_requests',
  'method_not_allowed',
  'not_acceptable',
  'forbidden',
  'bad_gateway',
  'service_unavailable',
  'gateway_timeout'
]

t.test("the SDK's fields are accepted and returned", async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const headers = { authorization: `Bearer ${river.apiKey}`, 'content-type': 'application/json' }
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(river.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return (await answer.json()) as Record<string, unknown>
  }
  const within = (object: unknown, allowed: readonly string[]): void => {
    t.same(
      Object.keys(object as object).filter((name) => !allowed.includes(name)),
      [],
      'no unknown field'
    )
  }
  const basic = {
    types: ['order.accepted'],
    apiVersion: '2021-12-13',
    enabled: false,
    address: 'https://a.example/',
    transportType: 'HTTP',
    authentication: { username: 'u', password: 'p' }
  }
  const oauth = {
    tokenEndPoint: 'https://a.example/',
    userName: 'u',
    password: 'p',
    clientID: 'c',
    clientSecret: 's',
    grantType: 'password'
  }
  const { authentication: _none, ...plain } = basic
  for (const request of [basic, { ...plain, transportType: 'OAUTH', oauth }]) {
    within(request, sdk.WebhookRequest)
    const webhook = await call('POST', '/webhooks', request)
    t.match(webhook, request, 'the fields are returned unchanged')
    within(webhook, [...sdk.Webhook, ...documented.Webhook])
    t.same(
      sdk.Webhook.filter((name) => !(name in webhook)),
      [request.transportType === 'HTTP' ? 'oauth' : 'authentication']
    )
    if ('oauth' in webhook) t.same(Object.keys(webhook['oauth'] as object).sort(), [...sdk.WebhookOauth].sort())
    if ('authentication' in webhook)
      t.same(Object.keys(webhook['authentication'] as object).sort(), [...sdk.WebhookRequestAuthentication].sort())
    t.match(await call('PATCH', `/webhooks/${String(webhook['id'])}`, { enabled: true }), { ...request, enabled: true })
  }
  const refused = await call('POST', '/webhooks', {})
  within(refused, sdk.Errors)
  for (const error of refused['errors'] as object[]) within(error, sdk.Error)
  for (const status of [400, 401, 403, 404, 405, 406, 408, 409, 429, 500, 502, 503, 504]) {
    river.faults.next({ status })
    t.ok(errorTypes.includes(String((await call('GET', '/webhooks'))['type'])), String(status))
  }
  river.list('order.accepted')
  const listed = await call('GET', '/events')
  t.same(Object.keys(listed).sort(), [...sdk.ListEventsResponse].sort())
  for (const event of listed['data'] as object[]) within(event, [...sdk.Event, ...documented.Event])
})

t.test("the signature equals the one that the provider's Salesforce connector computes", async (t) => {
  // The connector splits the header at comma and space, signs the first part, a full stop and the raw body with the
  // token as text, and compares the Base64 with the second part.
  const { promise, resolve } = Promise.withResolvers<{ header: string; body: Buffer }>()
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.end()
      resolve({ header: String(request.headers['digitalriver-signature']), body: Buffer.concat(chunks) })
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.teardown(() => receiver.close())
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const { id } = river.addWebhook({
    address: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    types: ['order.accepted']
  })
  await river.emit('order.accepted', { data: { object: { note: 'Größe €' } } })
  const { header, body } = await promise
  const [timestamp = '', signature] = header.split(', ')
  t.equal(
    signature,
    createHmac('sha256', river.secretsOf(id)[0] ?? '')
      .update(`${timestamp}.`)
      .update(body)
      .digest('base64')
  )

  const signed =
    sign({ body: 'x', secret: ['whk_old', 'whk_new'], at: new Date(1_700_000_000_000) })['DigitalRiver-Signature'] ?? ''
  const hmac = (secret: string): string => createHmac('sha256', secret).update('1700000000.x').digest('base64')
  t.same(signed.split(', '), ['1700000000', hmac('whk_old'), hmac('whk_new')])
})
