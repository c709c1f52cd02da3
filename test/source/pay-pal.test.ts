import { sign, type KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import t from 'tap'

import { payPal, type PayPalSource } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { fakeNetwork, makeCertificate, type Network } from './certificate.ts'
import { payPalRequest } from './pay-pal-request.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: a payment that is not noticed, or a forged one. PayPal's library for Node only asks PayPal whether a request is
// valid, so the test uses a request of its library for Java.

const webhook = '1JE4291016473214C'
const address = 'https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-8079afec'
const certificate = makeCertificate('messageverificationcerts.paypal.com')
const at = new Date()
const toleranceMs = 262_800_000
const captured = {
  id: 'WH-58D329510W468432D-8HN650336L201105X',
  event_version: '1.0',
  create_time: '2026-02-14T21:50:07.940Z',
  resource_type: 'capture',
  resource_version: '2.0',
  event_type: 'PAYMENT.CAPTURE.COMPLETED',
  summary: 'Zoë paid',
  resource: { id: '27M47624FP291604U', status: 'COMPLETED', amount: { currency_code: 'EUR', value: '7.47' } }
}
const body = Buffer.from(JSON.stringify(captured))

interface Sent {
  readonly id?: string
  readonly time?: string
  readonly webhook?: string
  readonly key?: KeyObject
  readonly headers?: Readonly<Record<string, string>>
}

/** Signs by PayPal's documentation. */
function headersOf(bytes: Uint8Array, sent: Sent = {}): Record<string, string> {
  const { id = '69cd13f0-d67a-11e5-baa3-778b53f4ae55', time = at.toISOString(), key = certificate.privateKey } = sent
  const text = `${id}|${time}|${sent.webhook ?? webhook}|${crc32(bytes)}`
  return {
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign('RSA-SHA256', Buffer.from(text), key).toString('base64'),
    'paypal-cert-url': address,
    'paypal-auth-algo': 'SHA256withRSA',
    ...sent.headers
  }
}

const known: Network = {
  [address]: certificate.pem,
  [payPalRequest.headers['paypal-cert-url']]: payPalRequest.certificate
}
const payments = (network: Network = known): PayPalSource => payPal({ fetch: fakeNetwork(network).fetch })

async function verify(source: PayPalSource, sent: Sent = {}, now = at, ids = [webhook]): Promise<unknown> {
  const request = { method: 'POST', url: '/', headers: headersOf(body, sent), body }
  return source.verifier(ids).verify(request, now, toleranceMs)
}

t.test("the contract, with the request of PayPal's own test, and its certificate", (t) =>
  sourceContract(
    t,
    payments(),
    [
      {
        body: payPalRequest.body,
        headers: payPalRequest.headers,
        secret: payPalRequest.webhook,
        at: payPalRequest.at,
        events: [{ id: 'WH-7MU294299R542214K-4N1831857K851783H', type: 'PAYMENTS.PAYMENT.CREATED' }]
      },
      {
        body,
        headers: headersOf(body),
        secret: webhook,
        at,
        events: [{ id: captured.id, type: captured.event_type }]
      }
    ],
    { requests: 100, toleranceMs }
  )
)

t.test('a payment goes to its handler; sent again it is a duplicate, changed it is refused', async (t) => {
  const source = payments()
  const { riverhook, deliver, settled, refused } = receiverOf(t, { source, secrets: webhook })
  const paid: unknown[] = []
  riverhook.from(source).on('PAYMENT.CAPTURE.*', (event, { headers }) => {
    paid.push([event.type, event.createdTime, event.resource['id'], headers])
  })
  await riverhook.start()
  t.match(await deliver(headersOf(body), body), { status: 202, body: /accepted/ })
  await settled(1)
  t.same(paid, [['PAYMENT.CAPTURE.COMPLETED', '2026-02-14T21:50:07.940Z', '27M47624FP291604U', {}]])
  // PayPal does not say whether a retry is signed again: both ways it is the same event.
  const fourDays = new Date(at.getTime() - 4 * 86_400_000).toISOString()
  const threeDays = new Date(at.getTime() - 3 * 86_400_000).toISOString()
  for (const sent of [{}, { time: threeDays }, { id: 'd938e770-8046-11e6-8103-6b62a8a99ac4' }])
    t.match(await deliver(headersOf(body, sent), body), { status: 202, body: /duplicate/ })
  t.match(await deliver(headersOf(body, { time: fourDays }), body), { status: 401 })
  t.match(await deliver(headersOf(body), Buffer.from(String(body).replace('7.47', '0.01'))), { status: 401 })
  t.equal(paid.length, 1)
  t.match(refused, [/is 34\d{4}\.\d s old/, /matches none of the 1 configured webhook ids with this body/])
})

t.test('only certificates of PayPal are fetched, once, and only if everything else is right', async (t) => {
  const { fetch, asked } = fakeNetwork(known)
  const source = payPal({ fetch })
  const path = '/v1/notifications/certs/CERT-360caa42'
  for (const url of [
    `http://api.paypal.com${path}`,
    `https://api.paypal.com.evil.example${path}`,
    `https://paypal.com${path}`,
    `https://www.paypal.com${path}`,
    `https://evil-api.paypal.com${path}`,
    `https://user@api.paypal.com${path}`,
    `https://api.paypal.com:8443${path}`,
    `https://api.paypal.com${path}?x`,
    `https://api.paypal.com${path}/../x`,
    'https://api.paypal.com/v1/notifications/certs/',
    'https://api.paypal.com/v1/invoicing/CERT-360caa42',
    ''
  ])
    t.match(await verify(source, { headers: { 'paypal-cert-url': url } }), {
      ok: false,
      detail: /not one of the provider: it was not fetched/
    })
  for (const algorithm of ['SHA1withRSA', 'sha256withrsa', ''])
    t.match(await verify(source, { headers: { 'paypal-auth-algo': algorithm } }), {
      ok: false,
      reason: 'malformed_header',
      detail: /is not SHA256withRSA/
    })
  t.same(asked, [])
  await Promise.all([verify(source), verify(source)])
  t.match(await verify(source), { ok: true, secret: 1, signedAt: at })
  t.same(asked, [address])
  for (const host of ['api-m.paypal.com', 'api.sandbox.paypal.com', 'api-m.sandbox.paypal.com'])
    t.match(await verify(source, { headers: { 'paypal-cert-url': `https://${host}${path}` } }), {
      detail: `the certificate at ${host} is not there (status 404)`
    })
})

t.test('a certificate must be in the name of PayPal, and valid now', async (t) => {
  const { privateKey } = certificate
  for (const name of ['evil.example', 'paypal.com.evil.example', 'evilpaypal.com', 'x.paypal.com evil.example'])
    t.match(await verify(payments({ [address]: makeCertificate(name, { privateKey }).pem })), {
      ok: false,
      detail: /is not in the name of the provider/
    })
  const to = new Date('2025-01-01')
  const old = makeCertificate(certificate.name, { to, privateKey }).pem
  t.match(await verify(payments({ [address]: old })), { ok: false, detail: /is valid from .* to Jan {2}1/ })
})

t.test('one signature fits one request only: parts cannot be moved over the separator', async (t) => {
  const source = payments()
  const [id, time] = ['69cd13f0', at.toISOString()]
  for (const sent of [
    { id: `${id}|${time}`, time },
    { id, time: `${time}|${webhook}` },
    { id: `${id} `, time }
  ])
    t.match(await verify(source, sent), { ok: false, reason: 'malformed_header', detail: /holds "\|" or white space/ })
  t.match(await verify(source, { time: 'today' }), { ok: false, reason: 'unreadable_time' })
  t.match(source.precheck?.({ method: 'POST', url: '/', headers: {}, body }), { ok: false, reason: 'no_header' })
})

t.test('an event of another webhook is refused; one of several webhooks is named', async (t) => {
  const source = payments()
  t.match(await verify(source, { webhook: '4JH86294D6297924G' }), { ok: false, detail: /none of the 1 configured/ })
  t.match(await verify(source, {}, at, ['4JH86294D6297924G', webhook]), { ok: true, secret: 2 })
})

t.test('a certificate that cannot be fetched is answered 500, so that PayPal sends again', async (t) => {
  const network: Record<string, string | number> = { [address]: 503 }
  const { deliver, riverhook } = receiverOf(t, { source: payments(network), secrets: webhook })
  await riverhook.start()
  t.match(await deliver(headersOf(body), body), { status: 500 })
  network[address] = certificate.pem
  t.match(await deliver(headersOf(body), body), { status: 202 })
})

t.test("secrets are ids of webhooks, and the simulator's only on request", async (t) => {
  const invalid = (message: RegExp) => ({ code: 'RIVERHOOK_SOURCE_SECRET', message })
  for (const id of ['WH-1', `${webhook}|`, 'A'.repeat(51)])
    t.throws(() => payments().verifier([webhook, id]), invalid(/number 2 is not the id of a webhook of PayPal/))
  t.throws(() => payments().verifier(['WEBHOOK_ID']), invalid(/anybody could send events/))
  t.throws(() => payments().verifier([]), invalid(/no signing secret/))
  const simulated = payPal({ name: 'mock', simulator: true, fetch: fakeNetwork(known).fetch })
  t.match(await verify(simulated, { webhook: 'WEBHOOK_ID' }, at, [webhook, 'WEBHOOK_ID']), { ok: true, secret: 2 })
  t.throws(() => payPal({ fetsh: fetch } as never), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /did you mean "fetch"/
  })
})

t.test('the config on its page runs', async (t) => {
  const { fetch: before } = globalThis
  t.teardown(() => {
    globalThis.fetch = before
  })
  const capture = { status: 'COMPLETED', amount: { value: '7.47', currency_code: 'EUR' }, custom_id: 'order 7' }
  globalThis.fetch = fakeNetwork({
    ...known,
    'https://api-m.paypal.com/v1/oauth2/token': '{"access_token":"t"}',
    'https://api-m.paypal.com/v2/payments/captures/27M47624FP291604U': JSON.stringify(capture)
  }).fetch
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'pay-pal', { RIVERHOOK_SECRETS: webhook })
  )
  await riverhook.start()
  t.match(await deliver(headersOf(body), body), { status: 202 })
  await settled(1)
  t.match(logged, [/order 7.*7\.47.*paid/])
})
