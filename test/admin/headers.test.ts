import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import Fastify from 'fastify'
import t from 'tap'

import { admin } from '../../src/admin/index.ts'
import { createRiverhook } from '../../src/index.ts'
import { openDoor, tokenOf, bearer } from './door.ts'

const policy =
  "default-src 'none';script-src 'self';style-src 'self';connect-src 'self';img-src 'self';base-uri 'self';form-action 'none';frame-ancestors 'none';require-trusted-types-for 'script';trusted-types 'none'"

const wanted = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
  'cache-control': 'no-store'
}

t.test('every answer has the headers, errors too', async (t) => {
  const knock = await openDoor(t, { tokens: tokenOf('read').line })
  const answers = {
    200: await knock(),
    401: await knock({ headers: bearer('x') }),
    403: await knock({ method: 'DELETE' }),
    404: await knock({ path: 'no-such-route' }),
    415: await knock({
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' },
      body: 'x'
    }),
    413: await knock({
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: { token: 'x'.repeat(70_000) }
    }),
    400: await knock({ method: 'POST', headers: { 'sec-fetch-site': 'same-origin' }, body: '{' })
  }
  for (const [status, answer] of Object.entries(answers)) {
    t.equal(answer.statusCode, Number(status), answer.body)
    t.match(answer.headers, wanted, status)
    t.equal(answer.headers['strict-transport-security'], undefined, 'the domain belongs to the host')
    if (status !== '200') t.same(Object.keys(answer.json<object>()), ['statusCode', 'code', 'error', 'message'], status)
  }
})

t.test('a host that sets a policy and allows all origins changes nothing here', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cors, { origin: true, credentials: true })
  await app.register(helmet, { enableCSPNonces: true, contentSecurityPolicy: { directives: { 'script-src': ['*'] } } })
  const riverhook = createRiverhook({ inbox: 'memory:', secrets: 'whk_a' })
  await app.register(admin, { prefix: '/ops', riverhook, authenticate: () => ({ name: 'bob', scopes: ['read'] }) })
  app.get('/', () => 'host')
  const { headers } = await app.inject({ url: '/ops/api/v1/session' })
  t.match(headers, wanted)
  t.same(
    Object.keys(headers).filter((name) => name.startsWith('access-control-')),
    []
  )
  const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  t.equal((await app.inject({ url: '/ops/api/v1/session', headers: evil })).statusCode, 403)
  t.match((await app.inject('/')).headers['content-security-policy'], /script-src \*/, 'the host keeps its own')
})

t.test('a body that would change prototypes is refused', async (t) => {
  const knock = await openDoor(t, { tokens: tokenOf('read').line })
  const headers = { 'sec-fetch-site': 'same-origin' }
  for (const body of ['{"__proto__":{"token":"x"}}', '{"constructor":{"prototype":{"token":"x"}}}'])
    t.equal((await knock({ method: 'POST', headers, body })).statusCode, 400, body)
})
