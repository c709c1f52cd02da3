import '@shopify/shopify-api/adapters/web-api'

import { createHash, createHmac } from 'node:crypto'
import { shopifyApi } from '@shopify/shopify-api'
import t from 'tap'

import { shopify } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'

// Risk: the orders of a shop, or the wrong shop for an order.

const secret = 'hush'
const id = 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043'
const body = '{"id":820982911946154508,"total_price":"403.00","customer":{"first_name":"Zoë"}}'
const headers = {
  'X-Shopify-Shop-Domain': 'example.myshopify.com',
  'X-Shopify-API-Version': '2026-01',
  'X-Shopify-Event-Id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
  'X-Shopify-Triggered-At': '2026-01-31T12:00:00.123456789Z'
}
const source = shopify()
const bytes = Buffer.from(body)

t.test('it meets the contract of a source', (t) =>
  sourceContract(t, source, [{ body, headers, secret, events: [{ id, type: 'orders/create' }] }])
)

t.test('Shopify accepts our signatures, and refuses another body', async (t) => {
  const { webhooks } = shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    hostName: 'example.com',
    isEmbeddedApp: false,
    apiVersion: '2026-01' as never,
    logger: { log: () => undefined }
  })
  const signed = { ...headers, ...source.sign({ body: bytes, secret, at: new Date(), id, type: 'orders/create' }) }
  const rawRequest = new Request('https://example.com/', { method: 'POST', headers: signed, body })
  t.match(await webhooks.validate({ rawBody: body, rawRequest }), {
    valid: true,
    webhookId: id,
    eventId: headers['X-Shopify-Event-Id'],
    domain: 'example.myshopify.com'
  })
  t.match(await webhooks.validate({ rawBody: `${body} `, rawRequest }), { valid: false, reason: 'invalid_hmac' })
})

t.test("Shopify's signatures are accepted and read", async (t) => {
  const hmac = createHmac('sha256', secret).update(body).digest('base64')
  const request = {
    headers: lowered({
      ...headers,
      'X-Shopify-Hmac-SHA256': hmac,
      'X-Shopify-Topic': 'orders/create',
      'X-Shopify-Webhook-Id': id
    }),
    body: bytes
  }
  t.match(source.verifier([secret]).verify(request, new Date(), 1), { ok: true, secret: 1 })
  t.same(source.read(request), {
    ok: true,
    event: {
      id,
      type: 'orders/create',
      createdTime: '2026-01-31T12:00:00.123456789Z',
      shop: 'example.myshopify.com',
      eventId: headers['X-Shopify-Event-Id'],
      apiVersion: '2026-01',
      payload: JSON.parse(body)
    }
  })
  const digest = createHash('sha256').update(body).digest('hex')
  t.match(shopify({ id: 'digest' }).read(request), { ok: true, event: { id: digest } })
  const { 'x-shopify-topic': _topic, ...rest } = request.headers
  t.match(source.read({ headers: rest, body: bytes }), {
    ok: false,
    message: 'The request lacks the header "X-Shopify-Topic", which is the "type" of the Event'
  })
})

function lowered(given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
}
