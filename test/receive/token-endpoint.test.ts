import { createHmac, randomBytes } from 'node:crypto'

import fc from 'fast-check'
import t, { type Test } from 'tap'

import type { RiverhookOptions, TokenEndpointOptions } from '../../src/index.ts'
import { IssuedTokens } from '../../src/receive/authenticate/issued-tokens.ts'
import { FailedLogins } from '../../src/receive/token-endpoint/failed-logins.ts'
import { createClock, createDigitalRiver, retrySchedules } from '../../src/testing/index.ts'
import { binaryText } from '../binary-text.ts'
import { freePort } from '../free-port.ts'
import { event, listen, post, secret, startReceiver, type Receiver } from './receiver.ts'
import { startWebReceiver } from './web-receiver.ts'

// Risk: an event from a stranger, or a provider that gets no token and disables the webhook.

const [oldKey = '', newKey = ''] = [1, 2].map(() => randomBytes(32).toString('base64'))
const machine = { clientID: 'river & co', clientSecret: 'a+b/c=d:e%2F 1234567' }
const person = {
  clientID: 'river',
  clientSecret: 'person-secret-0123456789',
  userName: 'ü:ser',
  password: 'pass wörd&'
}
const clients = [machine, person]
const basicOf = (id: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`
})
/** As RFC 6749, 2.3.1, encodes it. */
const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
const basic = ({ clientID, clientSecret } = machine): Record<string, string> =>
  basicOf(encoded(clientID), encoded(clientSecret))
const machineForm = { grant_type: 'client_credentials' }
const personForm = { grant_type: 'password', username: person.userName, password: person.password }

interface TokenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function fetchToken(
  { url }: Pick<Receiver, 'url'>,
  fields: Record<string, string> | string,
  headers: Record<string, string> = {}
): Promise<TokenAnswer> {
  const answer = await fetch(new URL('/oauth/token', url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString()
  })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
}

async function tokenFrom(receiver: Receiver): Promise<string> {
  const { body } = await fetchToken(receiver, machineForm, basic())
  return String(body['access_token'])
}

/** Sends an event without a signature. */
async function sendWith(receiver: Receiver, token: string): Promise<{ status: number; challenge: string | null }> {
  const unsigned = { 'DigitalRiver-Signature': undefined, authorization: `Bearer ${token}` }
  const { status, headers } = await post(receiver.url, event(), unsigned)
  return { status, challenge: headers.get('www-authenticate') }
}

async function start(
  t: Test,
  given: Partial<TokenEndpointOptions> = {},
  options: RiverhookOptions = {}
): Promise<Receiver> {
  const tokenEndpoint = { clients, keys: oldKey, ...given }
  return listen(await startReceiver(t, { secrets: undefined, tokenEndpoint, ...options }))
}

const challenge = 'Bearer realm="riverhook"'
const invalidToken = `${challenge}, error="invalid_token"`

t.test('a token is given for each grant and each way of sending the client, and opens the endpoint', async (t) => {
  const receiver = await start(t)
  const inForm = ({ clientID, clientSecret }: typeof machine) => ({ client_id: clientID, client_secret: clientSecret })
  const ways: [string, Record<string, string>, Record<string, string>][] = [
    ['encoded header', machineForm, basic()],
    ['plain header', machineForm, basicOf(machine.clientID, machine.clientSecret)],
    ['header, and its id in the form', { ...machineForm, client_id: machine.clientID }, basic()],
    ['form', { ...machineForm, ...inForm(machine), scope: 'any', audience: 'any', empty: '' }, {}],
    ['password, header', personForm, basic(person)],
    ['password, form', { ...personForm, ...inForm(person) }, {}]
  ]
  for (const [name, form, headers] of ways) {
    const { status, headers: answered, body } = await fetchToken(receiver, form, headers)
    t.match({ status, body }, { status: 200, body: { token_type: 'Bearer', expires_in: 900 } }, name)
    t.equal(answered.get('cache-control'), 'no-store')
    t.same(await sendWith(receiver, String(body['access_token'])), { status: 202, challenge: null }, name)
  }
  t.same(await sendWith(receiver, 'abc'), { status: 401, challenge: invalidToken })
  const without = await post(receiver.url, event(), { 'DigitalRiver-Signature': undefined })
  t.same([without.status, without.headers.get('www-authenticate')], [401, challenge])
  const log = JSON.stringify(receiver.lines)
  for (const hidden of [oldKey, machine.clientSecret, person.clientSecret, person.password, 'eyJ'])
    t.notOk(log.includes(hidden), 'the log holds no secret and no token')
  t.match(
    receiver.lines.find(({ msg }) => msg === 'token issued'),
    { client: machine.clientID }
  )
})

t.test('with signing secrets, the token and the signature must both be valid', async (t) => {
  const receiver = await start(t, {}, { secrets: secret })
  const token = await tokenFrom(receiver)
  t.equal((await sendWith(receiver, token)).status, 401)
  t.equal((await post(receiver.url, event())).status, 401)
  t.equal((await post(receiver.url, event(), { authorization: `Bearer ${token}` })).status, 202)
})

t.test('each mistake is answered with the error that RFC 6749 prescribes', async (t) => {
  const receiver = await start(t)
  const json = { 'content-type': 'application/json' }
  const cases: [string | Record<string, string>, Record<string, string>, number, string][] = [
    [machineForm, {}, 401, 'invalid_client'],
    [machineForm, basicOf('river', 'wrong'), 401, 'invalid_client'],
    [machineForm, { authorization: 'Bearer abc' }, 401, 'invalid_client'],
    [{ ...machineForm, client_id: machine.clientID }, {}, 401, 'invalid_client'],
    [{ ...machineForm, client_id: person.clientID, client_secret: machine.clientSecret }, {}, 401, 'invalid_client'],
    [{}, basic(), 400, 'invalid_request'],
    ['grant_type=', basic(), 400, 'invalid_request'],
    ['grant_type=password&grant_type=password', basic(person), 400, 'invalid_request'],
    ['grant_type=password&username=%ff', basic(person), 400, 'invalid_request'],
    [{ ...machineForm, client_secret: machine.clientSecret }, basic(), 400, 'invalid_request'],
    [{ ...machineForm, client_id: person.clientID }, basic(), 400, 'invalid_request'],
    [{ grant_type: 'password', username: person.userName }, basic(person), 400, 'invalid_request'],
    ['{"grant_type":"client_credentials"}', { ...basic(), ...json }, 400, 'invalid_request'],
    [{ grant_type: 'refresh_token' }, basic(), 400, 'unsupported_grant_type'],
    [personForm, basic(), 400, 'unauthorized_client'],
    [machineForm, basic(person), 400, 'unauthorized_client'],
    [{ ...personForm, password: 'wrong' }, basic(person), 400, 'invalid_grant'],
    ['<a/>', { 'content-type': 'text/xml' }, 415, 'invalid_request'],
    [`a=${'b'.repeat(9_000)}`, basic(), 413, 'invalid_request']
  ]
  for (const [form, headers, status, error] of cases) {
    const answer = await fetchToken(receiver, form, headers)
    t.match({ status: answer.status, error: answer.body['error'] }, { status, error }, JSON.stringify([form, error]))
    t.match(answer.body['error_description'], /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
    t.equal(answer.headers.get('cache-control'), 'no-store')
    if (error === 'invalid_client') t.match(answer.headers.get('www-authenticate'), /^Basic realm=/)
  }
  const get = await fetch(new URL('/oauth/token', receiver.url))
  t.not(get.status, 200, 'only POST')
  await receiver.app.riverhook.drain()
  t.match(await fetchToken(receiver, machineForm, basic()), {
    status: 503,
    body: { error: 'temporarily_unavailable' }
  })
})

t.test('replicas accept each other, also during a rotation of the keys; after it the old tokens end', async (t) => {
  const lists = [[oldKey], [oldKey]]
  const [one, two] = await Promise.all([0, 1].map((at) => start(t, { keys: () => Promise.resolve(lists[at] ?? []) })))
  if (one === undefined || two === undefined) throw new Error('both have started')
  const tokens = new Set<string>()
  // Each replica gets each list some time before or after the other one.
  for (const keys of [
    [oldKey, newKey],
    [newKey, oldKey]
  ]) {
    for (const at of [0, 1]) {
      lists[at] = keys
      for (const replica of [one, two]) tokens.add(await tokenFrom(replica))
      for (const token of tokens)
        for (const replica of [one, two]) t.equal((await sendWith(replica, token)).status, 202)
    }
  }
  lists[0] = [newKey]
  const statuses = await Promise.all([...tokens].map(async (token) => (await sendWith(one, token)).status))
  t.ok(statuses.includes(401) && statuses.includes(202), 'tokens of the old key alone are refused')
  t.ok(one.lines.some(({ reason }) => reason === 'the bearer token is signed with none of the keys'))
})

t.test('a token ends with its lifetime, its client, and at the endpoint that it is for', async (t) => {
  const now = new Date('2026-01-01T00:00:00Z')
  const options = { path: '/live', keys: oldKey, lifetime: 60_000, clients }
  const tokens = new IssuedTokens(options)
  const { token, seconds } = await tokens.issue(machine.clientID, now)
  t.equal(seconds, 60)
  const judge = (judged: IssuedTokens, given: string, laterMs = 0) =>
    judged.judge(given, new Date(now.getTime() + laterMs))
  t.same(await judge(tokens, token), { ok: true })
  t.same(await judge(tokens, token, 110_000), { ok: true }, 'the clocks of replicas may differ by a minute')
  const [head = '', payload = '', signature = ''] = token.split('.')
  const forge = (fields: object, claims: object, key = oldKey): string => {
    const part = (text: string, more: object) =>
      Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(text, 'base64url').toString()), ...more })).toString(
        'base64url'
      )
    const text = `${part(head, fields)}.${part(payload, claims)}`
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  }
  t.same(await judge(tokens, forge({}, {})), { ok: true }, 'the forgery itself is right')
  const refused: [string, RegExp, IssuedTokens?, number?][] = [
    [token, /has expired/, tokens, 121_000],
    [token, /another endpoint/, new IssuedTokens({ ...options, path: '/test' })],
    [token, /client that is not configured/, new IssuedTokens({ ...options, clients: [person] })],
    [token, /none of the keys/, new IssuedTokens({ ...options, keys: newKey })],
    [`${head}.${payload}.`, /not issued here/],
    [`${head}.${payload}.${signature.slice(1)}x`, /not issued here/],
    [forge({}, {}, newKey), /not issued here/],
    [forge({ alg: 'none' }, {}), /not issued here/],
    [forge({ alg: 'HS512' }, {}), /not issued here/],
    [forge({ typ: 'JWT' }, {}), /not issued here/],
    [forge({ kid: undefined }, {}), /none of the keys/],
    [forge({}, { iss: 'other' }), /not issued here/],
    [forge({}, { exp: undefined }), /not issued here/],
    [forge({}, { sub: undefined }), /not issued here/],
    ['a.b.c', /not issued here/],
    ['x'.repeat(3_000), /not issued here/],
    [`${head}.${payload}.${'x'.repeat(3_000)}`, /not issued here/]
  ]
  for (const [given, reason, judged = tokens, laterMs] of refused) {
    t.match(await judge(judged, given, laterMs), { ok: false, reason, isTokenInvalid: true }, given.slice(0, 200))
  }
})

t.test('wrong keys stop the start, and a function that fails later is an internal error', async (t) => {
  const open = (keys: TokenEndpointOptions['keys']) =>
    startReceiver(t, { secrets: undefined, tokenEndpoint: { clients, keys } })
  for (const keys of [() => [], () => ['short'], () => Promise.resolve([oldKey, 7] as string[])]) {
    const receiver = await open(keys)
    await t.rejects(Promise.resolve(receiver.app.ready()), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /"tokenEndpoint\.keys": (the list has no key|key number \d must be) .*endpoint \/webhooks/
    })
  }
  const receiver = await listen(
    await open(() => {
      throw new Error('vault is sealed')
    })
  )
  t.match(await fetchToken(receiver, machineForm, basic()), { status: 500, body: { error: 'server_error' } })
  let isSealed = false
  const keys = (): string[] => {
    if (isSealed) throw new Error('vault is sealed')
    return [oldKey]
  }
  const sealed = await start(t, { keys })
  const token = await tokenFrom(sealed)
  isSealed = true
  t.equal((await sendWith(sealed, token)).status, 500)
  // Risk: a stranger's requests exhaust the quota of the user's key store, and with it the real sender's.
  for (const strange of ['a.b.c', `${token.split('.', 1)[0] ?? ''}.e30.x`])
    t.equal((await sendWith(sealed, strange)).status, 401, 'the function was not called')
})

t.test(
  'failed logins are limited by address: answered 429 and not logged, while the client gets its tokens',
  async (t) => {
    const receiver = await start(t)
    const statuses: number[] = []
    for (let n = 0; n < 14; n += 1)
      statuses.push((await fetchToken(receiver, machineForm, basicOf('river', 'x'))).status)
    t.same(statuses, [...Array<number>(10).fill(401), ...Array<number>(4).fill(429)])
    const limited = await fetchToken(receiver, { ...personForm, password: 'x' }, basic(person))
    t.match(limited, { status: 429, body: { error: 'invalid_client' } })
    t.match(limited.headers.get('retry-after'), /^\d+$/)
    t.equal((await fetchToken(receiver, machineForm, basic())).status, 200)
    t.equal(receiver.lines.filter(({ code }) => code === 'RIVERHOOK_TOKEN_CLIENT').length, 10)
    t.equal(receiver.lines.filter(({ msg }) => msg.startsWith('login failed too often')).length, 1)
    const logins = new FailedLogins()
    for (let n = 0; n < 20_000; n += 1) logins.add(`2001:db8::${n.toString(16)}`, 100_000)
    t.equal(logins.add('2001:db8::ffff:1', 100_000).count, 10_001, 'the memory for addresses is limited')
    t.match(logins.add('2001:db8::ffff:1', 160_000), { count: 1, secondsLeft: 60 })
  }
)

t.test('no body and no header but the right ones give a token, and none is an internal error', async (t) => {
  const receiver = await start(t)
  const name = fc.oneof(
    fc.constantFrom('grant_type', 'client_id', 'client_secret', 'username', 'password', '__proto__', 'constructor'),
    binaryText()
  )
  const value = fc.oneof(
    fc.constantFrom('client_credentials', 'password', machine.clientID, person.clientID, person.userName),
    binaryText()
  )
  const form = fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((fields) => Buffer.from(new URLSearchParams(fields).toString()))
  const body = fc.oneof(form, fc.uint8Array({ maxLength: 500 }).map(Buffer.from), fc.string().map(Buffer.from))
  const header = fc.oneof(
    fc.constant(undefined),
    fc.base64String({ maxLength: 200 }).map((text) => `Basic ${text}`),
    fc.tuple(value, value).map(([id, given]) => basicOf(id, given)['authorization']),
    fc.constantFrom('Basic', 'Basic ===', 'Bearer x', `Basic ${'A'.repeat(9_000)}`)
  )
  const type = fc.constantFrom(
    'application/x-www-form-urlencoded',
    'application/json',
    'APPLICATION/X-WWW-FORM-URLENCODED; a'
  )
  const url = new URL('/oauth/token', receiver.url)
  const overHttp = async (headers: Record<string, string>, bytes: Buffer) => {
    const answer = await fetch(url, { method: 'POST', headers, body: Uint8Array.from(bytes) })
    return { status: answer.status, body: await answer.text() }
  }
  const directly = (headers: Record<string, string>, bytes: Buffer) =>
    receiver.app.riverhook.receive({ method: 'POST', url: url.pathname, headers, body: bytes })
  for (const [send, numRuns] of [
    [overHttp, 40],
    [directly, 1_000]
  ] as const)
    await fc.assert(
      fc.asyncProperty(body, header, type, async (bytes, authorization, contentType) => {
        const given = authorization === undefined ? {} : { authorization }
        const answer = await send({ 'content-type': contentType, ...given }, bytes)
        if (answer.status < 400 || answer.status >= 500 || answer.body.includes('access_token'))
          throw new Error(`${answer.status} ${answer.body}`)
      }),
      { numRuns }
    )
})

t.test('the web adapter serves it, and another path for each of two endpoints', async (t) => {
  const live = { path: '/live', tokenEndpoint: { path: '/live/token', clients: [machine], keys: oldKey } }
  const test = { path: '/test', tokenEndpoint: { path: '/test/token', clients: [person], keys: oldKey } }
  const receiver = await startWebReceiver(t, { endpoints: [live, { ...test, mode: 'test' }] })
  const origin = await receiver.app.listen()
  const ask = async (path: string) =>
    fetch(`${origin}${path}`, { method: 'POST', headers: basic(), body: new URLSearchParams(machineForm) })
  const { access_token: token } = (await (await ask('/live/token')).json()) as { access_token: string }
  t.equal((await ask('/test/token')).status, 401, 'a client of the other endpoint')
  t.equal((await sendWith({ ...receiver, url: `${origin}/live` }, token)).status, 202)
  t.equal((await sendWith({ ...receiver, url: `${origin}/test` }, token)).status, 401)
  t.ok(receiver.lines.some(({ reason }) => reason === 'the bearer token was issued for another endpoint'))
  t.equal((await fetch(`${origin}/live/token`)).status, 405)
})

t.test('below a prefix, registered with the provider, which fetches its token and sends the event', async (t) => {
  for (const [client, tokenClient] of [
    [person, 'basic'],
    [machine, 'form']
  ] as const) {
    const river = await createDigitalRiver({ dialect: { tokenClient } })
    t.teardown(() => river.close())
    const handled = Promise.withResolvers<string>()
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const path = '/v1/webhooks/digital-river'
    const { app } = await startReceiver(t, {
      prefix: '/v1',
      secrets: undefined,
      tokenEndpoint: { clients: [client], keys: oldKey },
      register: { address: `${origin}${path}`, apiKey: river.apiKey, apiUrl: river.url }
    } as RiverhookOptions)
    app.riverhook.on('order.accepted', ({ id }) => {
      handled.resolve(id)
    })
    await app.listen({ port, host: '127.0.0.1' })
    await app.riverhook.syncRegistration(path)
    const grantType = client === person ? 'password' : 'client_credentials'
    const oauth = { tokenEndPoint: `${origin}/v1/oauth/token`, ...client, grantType }
    t.match(river.webhooks, [{ transportType: 'OAUTH', oauth }])
    t.match(await app.riverhook.syncRegistration(path, { dryRun: true }), { lines: [] })
    const { id } = await river.emit('order.accepted')
    t.equal(await handled.promise, id)
  }
})

t.test('the simulated provider keeps its token until it expires, and fetches another one after a 401', async (t) => {
  const clock = createClock()
  const river = await createDigitalRiver({ clock })
  t.teardown(() => river.close())
  let keys = [oldKey]
  const receiver = await start(t, { keys: () => keys })
  const { url } = receiver
  const oauth = { tokenEndPoint: new URL('/oauth/token', url).href, ...person }
  river.addWebhook({ address: url, types: ['order.accepted'], transportType: 'OAUTH', oauth })
  const issued = (): number => receiver.lines.filter(({ msg }) => msg === 'token issued').length
  const statuses = (): unknown[] => river.attempts.map(({ status }) => status)
  await river.emit('order.accepted')
  await river.emit('order.accepted')
  t.same([statuses(), issued()], [[202, 202], 1])
  await clock.advance(900_000)
  await river.emit('order.accepted')
  t.same([statuses(), issued()], [[202, 202, 202], 2], 'the token had expired')
  keys = [newKey]
  await river.emit('order.accepted')
  await clock.advance(retrySchedules.test[0])
  t.same([statuses().slice(3), issued()], [[401, 202], 3], 'the key of the token had been removed')
})
