import { createHash, createHmac } from 'node:crypto'
import t from 'tap'

import { zoom } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: the recordings of meetings, and the endpoint, which Zoom disables unless its token is confirmed. Zoom has no
// library that verifies: its sample (https://github.com/zoom/webhook-sample) is copied in `asZoomSigns` and
// `asZoomConfirms`.

const secret = 'Q1zR9x-0dTmEVFR3Vdxqkg'
const source = zoom()
const event = JSON.stringify({
  payload: {
    account_id: 'AAAAAABBBB',
    object: { duration: 60, start_time: '2021-07-13T21:44:51Z', topic: 'Zoë’s Meeting', id: '1234567890', type: 2 }
  },
  event_ts: 1_626_230_691_572,
  event: 'meeting.started'
})
const id = createHash('sha256').update(event).digest('hex')
const plainToken = 'qgg8vlvZRS6UYooatFL8Aw'
const challenge = JSON.stringify({
  payload: { plainToken },
  event_ts: 1_654_503_849_680,
  event: 'endpoint.url_validation'
})

function asZoomSigns(body: string, key: string, at: Date): Record<string, string> {
  const time = String(Math.floor(at.getTime() / 1_000))
  const signature = `v0=${createHmac('sha256', key).update(`v0:${time}:${body}`).digest('hex')}`
  return { 'x-zm-request-timestamp': time, 'x-zm-signature': signature }
}

function asZoomConfirms(key: string): object {
  return { plainToken, encryptedToken: createHmac('sha256', key).update(plainToken).digest('hex') }
}

t.test('it meets the contract of a source', (t) =>
  sourceContract(
    t,
    source,
    [
      { body: event, secret, events: [{ id, type: 'meeting.started' }] },
      { body: challenge, secret, events: [] }
    ],
    { requests: 300 }
  )
)

t.test('our signatures equal those of Zoom', async (t) => {
  const at = new Date()
  t.same(source.sign({ body: Buffer.from(event), secret, at }), asZoomSigns(event, secret, at))
})

t.test('the token is confirmed with the secret that matched; a retry is a duplicate', async (t) => {
  const { riverhook, deliver, settled } = receiverOf(t, { source, secrets: ['the new secret', secret] })
  const seen: unknown[] = []
  riverhook.from(source).on('meeting.*', { name: 'meetings' }, ({ id, type, createdTime, payload }) => {
    seen.push([id, type, createdTime, payload.object?.['topic']])
  })
  await riverhook.start()
  const send = (body: string, key = secret, signed = body) =>
    deliver(asZoomSigns(signed, key, new Date()), Buffer.from(body))
  for (const key of [secret, 'the new secret']) {
    const { status, headers, body } = await send(challenge, key)
    t.match({ status, headers }, { status: 200, headers: { 'content-type': /^application\/json/ } })
    t.same(JSON.parse(body), asZoomConfirms(key))
  }
  t.match(await send(challenge, 'a wrong secret'), { status: 401 })
  // Zoom accepts only 200 and 204.
  t.match(await send(event), { status: 200, body: '' })
  await settled(1)
  t.match(await send(event), { status: 200 })
  t.match(await send(event.replace('Zoë', 'Eve'), secret, event), { status: 401 })
  t.same(seen, [[id, 'meeting.started', '2021-07-14T02:44:51.572Z', 'Zoë’s Meeting']])
})

t.test('without a signature check there is no secret to confirm a token with', async (t) => {
  const request = { method: 'POST', url: '/', headers: {}, body: Buffer.from(challenge) }
  t.same(source.answer?.({ request, secret: undefined, events: [] }), { status: 200 })
})

t.test('one source per receiver, unless it is named', async (t) => {
  t.equal(zoom(), source)
  t.equal(zoom({ name: 'zoom-rooms' }).name, 'zoom-rooms')
  t.throws(() => zoom({ nmae: 'x' } as never), { message: /zoom: unknown option "nmae"; did you mean "name"\?/ })
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'zoom', { RIVERHOOK_SECRETS: secret })
  )
  await riverhook.start()
  const body = event.replace('meeting.started', 'recording.completed')
  t.match(await deliver(asZoomSigns(body, secret, new Date()), Buffer.from(body)), { status: 200 })
  await settled(1)
  t.match(logged, [/Zoë.*fetch the recording/])
})
