import Stripe from 'stripe'
import t from 'tap'

import { stripe } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'

// Risk: payments that Stripe reports, or one source for all endpoints of a receiver.

const secret = 'whsec_test_secret'
const id = 'evt_1MqqbKLt4dXK03v5qaIbiNCC'
const body = JSON.stringify({
  id,
  object: 'event',
  api_version: '2026-01-28',
  created: 1_680_064_028,
  data: { object: { id: 'in_1', object: 'invoice', customer_name: 'Zoë' } },
  livemode: false,
  type: 'invoice.paid'
})
const source = stripe()
const sdk = new Stripe('sk_test_none')
const bytes = Buffer.from(body)

t.test('it meets the contract of a source', (t) =>
  sourceContract(t, source, [{ body, secret, events: [{ id, type: 'invoice.paid' }] }])
)

t.test("Stripe's signatures are accepted, together with those of other schemes, and the event is read", async (t) => {
  const at = new Date()
  const timestamp = Math.floor(at.getTime() / 1_000)
  const header = sdk.webhooks.generateTestHeaderString({ payload: body, secret, timestamp })
  const { verify } = source.verifier(['whsec_old', secret])
  for (const value of [header, header.replace(',', `,v0=${'0'.repeat(64)},`), `${header},v1=${'0'.repeat(64)}`]) {
    const request = { headers: { 'stripe-signature': value }, body: bytes }
    t.match(verify(request, at, 300_000), { ok: true, secret: 2, signedAt: new Date(timestamp * 1_000) })
    t.same(source.read(request), {
      ok: true,
      event: { ...(JSON.parse(body) as object), createdTime: '2023-03-29T04:27:08.000Z', liveMode: false }
    })
  }
  const old = sdk.webhooks.generateTestHeaderString({ payload: body, secret, timestamp, scheme: 'v0' })
  t.match(verify({ headers: { 'stripe-signature': old }, body: bytes }, at, 300_000), {
    ok: false,
    reason: 'malformed_header',
    detail: /no signature of the form v1=<SHA256 in hex>/
  })
})

t.test('Stripe accepts our signatures', async (t) => {
  const headers = source.sign({ body: bytes, secret, at: new Date() })
  t.equal(sdk.webhooks.constructEvent(body, headers['Stripe-Signature']!, secret).id, id)
  t.throws(() => sdk.webhooks.constructEvent(`${body} `, headers['Stripe-Signature']!, secret))
})

t.test('a thin event has its time as text, and no object', async (t) => {
  const thin = {
    id: 'evt_test_65R',
    object: 'v2.core.event',
    type: 'v2.core.account.updated',
    created: '2025-01-31T12:00:00.000Z',
    livemode: true,
    related_object: { id: 'acct_1', type: 'v2.core.account' }
  }
  t.match(source.read({ headers: {}, body: Buffer.from(JSON.stringify(thin)) }), {
    ok: true,
    event: { id: thin.id, createdTime: thin.created, liveMode: true }
  })
})

t.test('one source per receiver, unless it is named', async (t) => {
  t.equal(stripe(), source)
  t.equal(stripe({ name: 'stripe-uk' }).name, 'stripe-uk')
  t.throws(() => stripe({ nmae: 'x' } as never), { message: /stripe: unknown option "nmae"; did you mean "name"\?/ })
})
