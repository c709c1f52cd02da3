import { isValidSlackRequest } from '@slack/bolt/dist/receivers/verify-request.js'
import t from 'tap'

import { slack } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: the messages of a workspace, and the right to receive any, which depends on the challenge.

const secret = '8f742231b10e8888abcd99yyyzzz85a5'
const source = slack()
const id = 'Ev0PV52K25'
const event = {
  token: 'Jhj5dZrVaK7ZwHHjRyZWjbDl',
  team_id: 'T061EG9R6',
  api_app_id: 'A0PNCHHK2',
  event: {
    type: 'app_mention',
    user: 'U061F7AUR',
    text: '<@U0LAN0Z89> is it „url_verification“?',
    channel: 'C0LAN2Q65'
  },
  type: 'event_callback',
  event_id: id,
  event_time: 1_515_449_522
}
const challenge = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P'
const bodies = {
  event: JSON.stringify(event),
  challenge: JSON.stringify({ token: event.token, challenge, type: 'url_verification' }),
  rateLimit: JSON.stringify({
    token: event.token,
    type: 'app_rate_limited',
    team_id: 'T123456',
    minute_rate_limited: 1_518_467_820,
    api_app_id: 'A123456'
  })
}
const rateLimit = { id: 'app_rate_limited:T123456:1518467820', type: 'app_rate_limited' }

t.test('it meets the contract of a source', (t) =>
  sourceContract(
    t,
    source,
    [
      { body: bodies.event, secret, events: [{ id, type: 'app_mention' }] },
      { body: bodies.rateLimit, secret, events: [rateLimit] },
      { body: bodies.challenge, secret, events: [] }
    ],
    { requests: 300 }
  )
)

// From https://docs.slack.dev/authentication/verifying-requests-from-slack
t.test('the published vector is accepted', async (t) => {
  const body = Buffer.from(
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
  )
  const at = new Date(1_531_420_618_000)
  const headers = {
    'X-Slack-Request-Timestamp': '1531420618',
    'X-Slack-Signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503'
  }
  t.same(source.sign({ body, secret, at }), headers)
  const request = { headers: lowered(headers), body }
  t.match(source.verifier([secret]).verify(request, at, 1_000), { ok: true, secret: 1, signedAt: at })
})

t.test('Bolt accepts our signatures, and refuses another body', async (t) => {
  const { 'X-Slack-Signature': signature = '', 'X-Slack-Request-Timestamp': time } = source.sign({
    body: Buffer.from(bodies.event),
    secret,
    at: new Date()
  })
  const headers = { 'x-slack-signature': signature, 'x-slack-request-timestamp': Number(time) }
  t.ok(isValidSlackRequest({ signingSecret: secret, body: bodies.event, headers }))
  t.notOk(isValidSlackRequest({ signingSecret: secret, body: `${bodies.event} `, headers }))
})

t.test('the challenge is answered, a retry is a duplicate, a changed body is refused', async (t) => {
  const { riverhook, deliver, settled, refused } = receiverOf(t, { source, secrets: ['the one before', secret] })
  const seen: unknown[] = []
  riverhook.from(source).on('app_mention', ({ id, createdTime, payload }) => {
    seen.push([id, createdTime, payload.event.user])
  })
  riverhook.from(source).on('app_rate_limited', ({ id, payload }) => {
    seen.push([id, payload.minute_rate_limited])
  })
  await riverhook.start()
  const send = (text: string, signed = text, more = {}) => {
    const headers = source.sign({ body: Buffer.from(signed), secret, at: new Date() })
    return deliver({ ...headers, ...more }, Buffer.from(text))
  }
  t.match(await send(bodies.challenge), { status: 200, body: challenge })
  t.match(await send(bodies.challenge, `${bodies.challenge} `), { status: 401 })
  t.match(await send(bodies.event), { status: 200, body: '' })
  await settled(1)
  t.match(await send(bodies.rateLimit), { status: 200 })
  await settled(2)
  t.match(await send(bodies.event, bodies.event, { 'X-Slack-Retry-Num': '1' }), { status: 200 })
  t.match(await send(bodies.event.replace('U061', 'U062'), bodies.event), { status: 401 })
  t.match(await send('{"type":"event_callback","event_id":"Ev1"}'), { status: 400 })
  t.same(seen, [
    [id, '2018-01-08T22:12:02.000Z', 'U061F7AUR'],
    [rateLimit.id, 1_518_467_820]
  ])
  t.match(refused.at(-1), /no "type" that the source finds/)
})

t.test('one source per receiver, unless it is named', async (t) => {
  t.equal(slack(), source)
  t.equal(slack({ name: 'slack-support' }).name, 'slack-support')
  t.throws(() => slack({ nmae: 'x' } as never), { message: /slack: unknown option "nmae"; did you mean "name"\?/ })
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'slack', { RIVERHOOK_SECRETS: secret })
  )
  await riverhook.start()
  const body = Buffer.from(bodies.event)
  t.match(await deliver(source.sign({ body, secret, at: new Date() }), body), { status: 200 })
  await settled(1)
  t.match(logged, [/C0LAN2Q65.*somebody needs us/])
})

function lowered(given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
}
