import { EventName, Paddle } from '@paddle/paddle-node-sdk'
import { createHmac } from 'node:crypto'
import t from 'tap'

import { paddle } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: a payment that Paddle reports, lost or handled twice.

const secret = 'pdl_ntfset_01gkdqn3x3mzmfvqmkvb1m4wvt_vJkLW3hnJBnJOq7xyQMDVvTQNQmPqXcX'
const id = 'evt_01hv8wptq8987qeep44cyrewp9'
const data = { id: 'txn_01hv8wptq8987qeep44cyrewp9', status: 'completed', customer_id: 'ctm_01', items: [] }
const body = JSON.stringify({
  event_id: id,
  event_type: 'transaction.completed',
  occurred_at: '2024-04-12T10:18:49.621022Z',
  notification_id: 'ntf_01hv8wptvbkr7xxc8nn5zw15zf',
  data: { ...data, custom_data: { name: 'Zoë' } }
})
const source = paddle()
const bytes = Buffer.from(body)

t.test('it meets the contract of a source', (t) =>
  sourceContract(t, source, [{ body, secret, events: [{ id, type: 'transaction.completed' }] }], { requests: 500 })
)

t.test("Paddle's library accepts our signatures, and refuses another body or secret", async (t) => {
  const { 'Paddle-Signature': signature = '' } = source.sign({ body: bytes, secret, at: new Date() })
  const library = new Paddle('none').webhooks
  t.equal(await library.isSignatureValid(body, secret, signature), true)
  t.equal(await library.isSignatureValid(`${body} `, secret, signature), false)
  t.equal(await library.isSignatureValid(body, `${secret}x`, signature), false)
})

t.test('a header with two signatures during a rotation; an old time', async (t) => {
  const at = new Date()
  const time = String(Math.floor(at.getTime() / 1_000))
  const signature = createHmac('sha256', secret).update(`${time}:${body}`).digest('hex')
  const { verify } = source.verifier([secret])
  const request = { headers: { 'paddle-signature': `ts=${time};h1=${'0'.repeat(64)};h1=${signature}` }, body: bytes }
  t.match(verify(request, at, 1_000), { ok: true, secret: 1 })
  t.match(verify(request, new Date(at.getTime() + 10_000), 5_000), { ok: false, reason: 'clock' })
})

t.test("the types are those of Paddle's library", async (t) => {
  t.same(source.types, Object.values(EventName).sort())
})

t.test('a retry is a duplicate, a changed body is refused', async (t) => {
  const { riverhook, deliver, settled } = receiverOf(t, { source, secrets: secret })
  const seen: unknown[] = []
  riverhook.from(source).on('transaction.completed', (event) => {
    seen.push([event.id, event.createdTime, event.data.customer_id])
  })
  await riverhook.start()
  const send = (text: string, signed = text) =>
    deliver(source.sign({ body: Buffer.from(signed), secret, at: new Date() }), Buffer.from(text))
  t.match(await send(body), { status: 200, body: '' })
  await settled(1)
  t.match(await send(body), { status: 200 })
  t.match(await send(body.replace('ctm_01', 'ctm_02'), body), { status: 401 })
  t.match(await send('{"event_id":"evt_2","event_type":"transaction.completed","data":null}'), { status: 400 })
  t.same(seen, [[id, '2024-04-12T10:18:49.621022Z', 'ctm_01']])
})

t.test('one source per receiver, unless it is named', async (t) => {
  t.equal(paddle(), source)
  t.equal(paddle({ name: 'paddle-eu' }).name, 'paddle-eu')
  t.throws(() => paddle({ nmae: 'x' } as never), { message: /paddle: unknown option "nmae"; did you mean "name"\?/ })
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'paddle', { RIVERHOOK_SECRETS: secret })
  )
  await riverhook.start()
  t.match(await deliver(source.sign({ body: bytes, secret, at: new Date() }), bytes), { status: 200 })
  await settled(1)
  t.match(logged, [/ctm_01.*grant access/])
})
