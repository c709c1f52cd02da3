import { createHmac } from 'node:crypto'

import Fastify from 'fastify'
import t from 'tap'

import { createRiverhook } from '../../src/index.ts'
import { acceptCookies, Sessions } from '../../src/admin/session.ts'
import { Tokens } from '../../src/admin/tokens.ts'
import { logIn, ofThePage, openDoor, tokenOf } from './door.ts'

const log = { error: () => undefined } as never

t.test('logging in with a token begins a session; logging out ends it in the browser', async (t) => {
  const { token, line } = tokenOf('read', 'operate')
  const knock = await openDoor(t, { tokens: line })
  const { cookie, setCookie } = await logIn(knock, token)
  t.match(setCookie, /^riverhook_session=[\w.%-]+; Max-Age=43200; Path=\/ops\/; HttpOnly; SameSite=Strict$/)
  t.notMatch(setCookie, token)
  const answer = await knock({ headers: { ...ofThePage, cookie: `theme=dark; ${cookie}; other=1` } })
  t.match(answer.json(), { operator: { name: 'alice', scopes: ['read', 'operate'], via: 'session' }, canLogIn: true })
  const left = Date.parse(answer.json<{ operator: { expiresAt: string } }>().operator.expiresAt) - Date.now()
  t.ok(left > 11.9 * 3_600_000 && left <= 12 * 3_600_000)
  const out = await knock({ method: 'DELETE', headers: { ...ofThePage, cookie } })
  t.match(out.headers['set-cookie'], /^riverhook_session=; Max-Age=0; Path=\/ops\//)
})

// Risk: the log does not show who was in, or a flood of wrong tokens fills the disk.
t.test('the beginning and the end of a session are in the audit log; failed logins are not', async (t) => {
  const { token, line } = tokenOf('read', 'operate')
  const riverhook = createRiverhook({ inbox: 'memory:', secrets: 'whk_a' })
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  const knock = await openDoor(t, { tokens: line, riverhook })
  for (let failed = 0; failed < 3; failed += 1)
    await knock({ method: 'POST', headers: ofThePage, body: { token: tokenOf('read').token } })
  const { cookie } = await logIn(knock, token)
  await knock({ method: 'DELETE', headers: ofThePage })
  await knock({ method: 'DELETE', headers: { ...ofThePage, cookie } })
  const { entries } = await riverhook.inbox.audits({ limit: 9 })
  t.match(entries, [
    { action: 'session.end', actor: 'alice', via: 'session', target: 'read,operate' },
    { action: 'session.begin', actor: 'alice', via: 'session', peer: '127.0.0.1', requestId: String }
  ])
  t.equal(entries.length, 2)
})

t.test('the cookie is Secure, except on loopback without TLS in front', async (t) => {
  const { token, line } = tokenOf('read')
  const knock = await openDoor(t, { tokens: line, hosts: ['ops.example.com'] })
  for (const host of ['localhost:8081', '127.0.0.1:8081', '[::1]:8081', 'app.localhost'])
    t.notMatch((await logIn(knock, token, { host })).setCookie, /Secure/, host)
  for (const host of ['ops.example.com', '10.0.0.5:8081', '127.0.0.1:8081'])
    t.match((await logIn(knock, token, { host, origin: 'https://ops.example.com' })).setCookie, /; Secure/, host)
  t.match((await logIn(knock, token, { host: '10.0.0.5' })).setCookie, /; Secure/)
})

t.test('a session works on every replica with the line, and ends with its token, its time or its scope', async (t) => {
  const { token, line } = tokenOf('read', 'operate')
  let now = 0
  let lines = [line]
  const replica = () =>
    new Sessions(
      new Tokens(() => lines, log),
      () => '',
      () => now
    )
  const [one, other] = [replica(), replica()]
  const server = Fastify()
  await acceptCookies(server)
  const request = { server, raw: { headers: { host: 'localhost' } }, headers: {} } as never
  const cookie = one.begin(token, request)?.cookie.split(';', 1)[0] ?? ''
  const found = () => other.find({ server, headers: { cookie } } as never)
  t.match(found(), { name: 'alice', via: 'session' })
  lines = [line, tokenOf('read').line]
  t.ok(found(), 'another token is added')
  lines = [line.replace('read,operate', 'read')]
  t.same([...(found()?.scopes ?? [])], ['read'], 'a scope was taken away')
  lines = [line.replace('read,operate', 'read,operate,erase')]
  t.same([...(found()?.scopes ?? [])], ['read', 'operate'], 'a new scope needs a new session')
  lines = [line.replace('alice', 'mallory')]
  t.notOk(found(), 'the line has another name')
  lines = [tokenOf('read').line]
  t.notOk(found(), 'the token was removed')
  lines = [line]
  now = 12 * 3_600_000 - 1
  t.ok(found())
  now += 1
  t.notOk(found(), 'after 12 hours')
})

t.test('a forged cookie is no session, and no error', async (t) => {
  const { token, line } = tokenOf('read')
  const knock = await openDoor(t, { tokens: line })
  const { cookie } = await logIn(knock, token)
  const [content = '', signature = ''] = cookie.slice('riverhook_session='.length).split('.')
  const [id] = JSON.parse(Buffer.from(content, 'base64url').toString()) as [string]
  const claim = (...value: unknown[]) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const greedy = claim(id, 'alice', ['read', 'erase'], Date.now() + 1e6)
  const signedBy = (key: string) => createHmac('sha256', key).update(greedy).digest('base64url')
  const forged = [
    '',
    '.',
    content,
    `${content}.`,
    `${content}.${signature}.`,
    `${content}.${signature.slice(0, -2)}`,
    `${content}.${'A'.repeat(43)}`,
    `${greedy}.${signature}`,
    `${greedy}.${signedBy('')}`,
    `${greedy}.${signedBy(line.split('sha256:')[1] ?? '')}`,
    `${claim('__proto__', 'alice', ['read'], 9e15)}.${signature}`,
    `${claim(id, 'alice', 'read', 9e15)}.${signature}`,
    `${claim(id, 'alice', ['read'], '9e15')}.${signature}`,
    `${Buffer.from('null').toString('base64url')}.${signature}`,
    `${Buffer.from('{').toString('base64url')}.${signature}`,
    'x'.repeat(10_000)
  ]
  for (const value of forged) {
    const answer = await knock({ headers: { ...ofThePage, cookie: `riverhook_session=${value}` } })
    t.equal(answer.statusCode, 200, value.slice(0, 100))
    t.equal(answer.json<{ operator: unknown }>().operator, null)
  }
})

t.test('a proxy that is trusted may prefix the path of the cookie, and no other peer', async (t) => {
  const { token, line } = tokenOf('read')
  const knock = await openDoor(t, {
    tokens: line,
    prefix: '',
    proxy: { header: 'x-forwarded-user', from: ['10.1.0.0/16'] }
  })
  const pathFrom = async (from: string, prefix: string) => {
    const answer = await knock({
      method: 'POST',
      headers: { ...ofThePage, 'x-forwarded-prefix': prefix },
      body: { token },
      from
    })
    return / Path=([^;]+)/.exec(String(answer.headers['set-cookie']))?.[1]
  }
  t.equal(await pathFrom('10.1.2.3', '/team/ops/'), '/team/ops/')
  t.equal(await pathFrom('10.2.2.3', '/team/ops'), '/')
  t.equal(await pathFrom('10.1.2.3', '/a; Domain=evil.example'), '/')
  t.equal(await pathFrom('10.1.2.3', '//evil.example'), '/')
})

t.test('without tokens there is no login here', async (t) => {
  const knock = await openDoor(t, { authenticate: () => undefined })
  t.equal((await knock({ method: 'POST', headers: ofThePage, body: { token: 'x' } })).statusCode, 400)
  t.match((await knock()).json(), { canLogIn: false })
  t.equal((await knock({ method: 'DELETE', headers: ofThePage })).headers['set-cookie'], undefined)
})
