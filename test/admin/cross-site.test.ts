import t from 'tap'

import { bearer, logIn, ofThePage, openDoor, tokenOf, type Knock } from './door.ts'

const own = 'ops.example.com'
const json = { 'content-type': 'application/json' }

/** An act with the operator's cookie, as another page can make the browser send it. */
const attacks: Readonly<Record<string, Record<string, string>>> = {
  'a form of another site': {
    'sec-fetch-site': 'cross-site',
    origin: 'https://evil.example',
    'content-type': 'application/x-www-form-urlencoded'
  },
  'a form with JSON in text/plain': {
    'sec-fetch-site': 'cross-site',
    origin: 'https://evil.example',
    'content-type': 'text/plain'
  },
  'fetch of another site': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example', ...json },
  'a sibling subdomain': { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com', ...json },
  'another port of this host': { 'sec-fetch-site': 'same-site', origin: `https://${own}:8443`, ...json },
  'a sandboxed frame': { 'sec-fetch-site': 'cross-site', origin: 'null', ...json },
  'a link or a bookmark': { 'sec-fetch-site': 'none', ...json },
  'two values': { 'sec-fetch-site': 'same-origin, cross-site', ...json },
  'an unknown value': { 'sec-fetch-site': '', ...json },
  'an old browser: another origin': { origin: 'https://evil.example', ...json },
  'an old browser: the null origin': { origin: 'null', ...json },
  'an old browser: a sibling': { origin: 'https://blog.example.com', ...json },
  'an old browser: a name that begins with ours': { origin: `https://${own}.evil.example`, ...json },
  'an old browser: a name that ends with ours': { origin: `https://evil-${own}`, ...json },
  'an old browser: our name as the user': { origin: `https://${own}@evil.example`, ...json },
  'an old browser: another port': { origin: `https://${own}:8443`, ...json },
  'an old browser: an extension': { origin: `chrome-extension://${own}`, ...json },
  'neither header': json,
  'neither header, and a token that is none': { ...json, authorization: 'Bearer x' },
  'the right origin as a form': { origin: `https://${own}`, 'content-type': 'application/x-www-form-urlencoded' },
  'the right origin without a type': { origin: `https://${own}`, 'content-type': '' },
  'a type that only begins alike': { ...ofThePage, 'content-type': 'application/jsonp' }
}

t.test('an act with a cookie is refused unless our own page sends it', async (t) => {
  const { token, line } = tokenOf('read', 'operate')
  const knock = await openDoor(t, { tokens: line, hosts: [own], authenticate: () => undefined })
  const { cookie } = await logIn(knock, token, { host: own })
  for (const [name, headers] of Object.entries(attacks)) {
    const answer = await knock({ method: 'POST', headers: { host: own, cookie, ...headers }, body: { token } })
    t.ok([401, 403, 415].includes(answer.statusCode), `${name}: ${answer.statusCode}`)
    t.equal(answer.headers['set-cookie'], undefined, name)
  }
  const deleting = { method: 'DELETE', headers: { host: own, cookie, 'sec-fetch-site': 'cross-site' } } as const
  t.equal((await knock(deleting)).statusCode, 403, 'DELETE')
  const good: Record<string, Record<string, string>> = {
    'our page': { ...ofThePage, origin: `https://${own}` },
    'our page in an old browser': { origin: `https://${own}` },
    'our page on the default port': { origin: `https://${own}:443` }
  }
  for (const [name, headers] of Object.entries(good)) {
    const answer = await knock({ method: 'POST', headers: { host: own, cookie, ...headers }, body: { token } })
    t.equal(answer.statusCode, 200, name)
  }
})

t.test('reading with a cookie is refused to other sites too', async (t) => {
  const { token, line } = tokenOf('read')
  const knock = await openDoor(t, { tokens: line })
  const { cookie } = await logIn(knock, token)
  const statusWith = async (headers: Record<string, string>) =>
    (await knock({ headers: { cookie, ...headers } })).statusCode
  t.equal(await statusWith({ 'sec-fetch-site': 'cross-site' }), 403)
  t.equal(await statusWith({ 'sec-fetch-site': 'same-site' }), 403)
  t.equal(await statusWith({ origin: 'https://evil.example' }), 403)
  t.equal(await statusWith({ origin: 'null' }), 403)
  t.equal(await statusWith({ 'sec-fetch-site': 'none' }), 200, 'typed into the address bar')
  t.equal(await statusWith(ofThePage), 200)
  t.equal(await statusWith({}), 200, 'a program, or an old browser')
})

t.test('the login of a proxy and of the host are protected like a cookie', async (t) => {
  const byProxy = await openDoor(t, { proxy: { header: 'x-forwarded-user', from: ['127.0.0.1'] } })
  const byHost = await openDoor(t, { authenticate: () => ({ name: 'bob', scopes: ['operate'] }) })
  const evil = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  for (const knock of [byProxy, byHost])
    for (const headers of [evil, {}, { ...evil, ...bearer('x') }, { ...bearer('x'), cookie: 'sid=1' }]) {
      const user = { 'x-forwarded-user': 'bob', ...headers } as Record<string, string>
      t.equal((await knock({ method: 'DELETE', headers: user })).statusCode, 403, JSON.stringify(headers))
    }
  const program = { 'x-forwarded-user': 'bob', ...bearer('of-the-host') }
  t.equal((await byHost({ method: 'DELETE', headers: program })).statusCode, 200, 'a program with a token of the host')
})

t.test('a token in a header needs none of that', async (t) => {
  const { token, line } = tokenOf('operate')
  const knock = await openDoor(t, { tokens: line })
  t.equal((await knock({ method: 'DELETE', headers: bearer(token) })).statusCode, 200)
  t.equal((await knock({ method: 'DELETE', headers: { ...bearer(token), origin: 'null' } })).statusCode, 200)
})

// Risk: DNS rebinding. The page of the attacker has a name that leads to this machine, and is of the same origin then.
t.test('only listed names, localhost and addresses are answered', async (t) => {
  const knock = await openDoor(t, {
    authenticate: () => ({ name: 'dev', scopes: ['read'] }),
    hosts: ['Ops.example.com']
  })
  const statusOf = async (host: string, more: Knock['headers'] = {}) =>
    (await knock({ headers: { host, ...more } })).statusCode
  for (const host of [
    'localhost',
    'LOCALHOST:80',
    'localhost.',
    'x.localhost:1',
    '127.0.0.1:8081',
    '[::1]:8081',
    '10.0.0.1',
    'ops.example.com:443',
    'ops.example.com.'
  ])
    t.equal(await statusOf(host), 200, host)
  for (const host of [
    'evil.example',
    'evil.example:8081',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    'ops.example.com.evil.example',
    'a.ops.example.com',
    'localhost@evil.example',
    ' ',
    '[::1',
    '2130706433',
    '0x7f000001'
  ])
    t.equal(await statusOf(host), 421, host)
  t.equal(await statusOf('evil.example', { 'x-forwarded-host': 'localhost' }), 421, 'a forwarded name does not count')
  const { headers } = await knock({ headers: { host: 'evil.example' } })
  t.match(headers, { 'x-content-type-options': 'nosniff', 'content-security-policy': /default-src 'none'/ })
})
