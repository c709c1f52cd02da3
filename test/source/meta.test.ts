import { createHash, createHmac } from 'node:crypto'
import t from 'tap'

import { meta } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: customers' messages, and the endpoint, which Meta accepts only after a check. Meta's own library for Node.js
// verifies nothing, so this test implements the algorithm of its documentation.

const secret = 'd1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6'
const source = meta({ verifyToken: 'a verify token' })
const message = (id: string) => ({
  field: 'messages',
  value: { messaging_product: 'whatsapp', messages: [{ from: '16315551181', id, type: 'text', text: { body: 'Zoë' } }] }
})
const body = JSON.stringify({
  object: 'whatsapp_business_account',
  entry: [{ id: '102290129340398', time: 1_739_321_024, changes: [message('wamid.1'), message('wamid.2')] }]
})
const page = JSON.stringify({
  object: 'page',
  entry: [
    {
      id: 12_345_678_901_234_567_890n.toString(),
      time: 1_458_692_752_478,
      messaging: [{ sender: { id: '1' }, timestamp: 1_458_692_752_478, message: { mid: 'mid.1', text: 'hello' } }]
    }
  ]
})
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const part = (id: string): string =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '102290129340398', time: 1_739_321_024, changes: [message(id)] }]
  })

function asMetaSigns(text: string, key = secret): Record<string, string> {
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(text).digest('hex')}` }
}

t.test('it meets the contract of a source', (t) =>
  sourceContract(
    t,
    source,
    [
      {
        body,
        secret,
        events: [
          { id: digestOf(part('wamid.1')), type: 'whatsapp_business_account.messages' },
          { id: digestOf(part('wamid.2')), type: 'whatsapp_business_account.messages' }
        ]
      }
    ],
    { requests: 300 }
  )
)

t.test('our signatures equal those of Meta', async (t) => {
  t.same(source.sign({ body: Buffer.from(body), secret, at: new Date() }), {
    'X-Hub-Signature-256': asMetaSigns(body)['x-hub-signature-256']
  })
})

t.test('every change and message is an event; a retry is a duplicate; a changed body is refused', async (t) => {
  const { riverhook, deliver, settled } = receiverOf(t, { source, secrets: secret })
  const seen: unknown[] = []
  riverhook.from(source).on('*', { name: 'all' }, ({ type, account, createdTime, payload }) => {
    seen.push([type, account, createdTime, payload['messages'] ?? payload['message']])
  })
  await riverhook.start()
  const send = (text: string, signed = text) => deliver(asMetaSigns(signed), Buffer.from(text))
  t.match(await send(body), { status: 200 })
  t.match(await send(page), { status: 200 })
  await settled(3)
  t.match(await send(body), { status: 200 })
  t.match(await send(body.replace('Zoë', 'Eve'), body), { status: 401 })
  t.match(await deliver(asMetaSigns(body, 'another'), Buffer.from(body)), { status: 401 })
  t.match(seen, [
    ['whatsapp_business_account.messages', '102290129340398', '2025-02-12T00:43:44.000Z', [{ id: 'wamid.1' }]],
    ['whatsapp_business_account.messages', '102290129340398', '2025-02-12T00:43:44.000Z', [{ id: 'wamid.2' }]],
    ['page.messaging', '12345678901234567890', '2016-03-23T00:25:52.478Z', { mid: 'mid.1' }]
  ])
  t.equal((await riverhook.inbox.stats()).events, 3)
})

t.test('the check of the endpoint: only the right verify token gets its challenge back', async (t) => {
  const { riverhook, deliver } = receiverOf(t, { source, secrets: secret })
  await riverhook.start()
  const ask = (query: Record<string, string>) =>
    deliver({}, Buffer.alloc(0), { method: 'GET', url: `/hooks?${new URLSearchParams(query).toString()}` })
  const right = { 'hub.mode': 'subscribe', 'hub.verify_token': 'a verify token', 'hub.challenge': '1158201444' }
  t.match(await ask(right), { status: 200, body: '1158201444' })
  for (const wrong of [{ 'hub.verify_token': 'another' }, { 'hub.mode': 'x' }, { 'hub.challenge': 'x'.repeat(2_000) }])
    t.match(await ask({ ...right, ...wrong }), { status: 403 })
  t.match(await ask({}), { status: 403 })
  const unset = { method: 'GET', url: '/?hub.mode=subscribe&hub.verify_token=&hub.challenge=1' }
  t.match(meta().greet?.({ ...unset, headers: {}, body: Buffer.alloc(0) }, { secrets: [] }), { status: 403 })
})

t.test('one source per receiver, unless it has options', async (t) => {
  t.equal(meta(), meta())
  t.equal(meta({ name: 'instagram' }).name, 'instagram')
  t.throws(() => meta({ verifytoken: 'x' } as never), { message: /meta: unknown option "verifytoken"/ })
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'meta', { RIVERHOOK_SECRETS: secret, META_VERIFY_TOKEN: 'token' })
  )
  await riverhook.start()
  t.match(await deliver(asMetaSigns(body), Buffer.from(body)), { status: 200 })
  await settled(2)
  t.match(logged, [/16315551181.*message/, /16315551181.*message/])
})
