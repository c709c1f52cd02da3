import Fastify from 'fastify'
import rateLimit from '@fastify/rate-limit'
import t from 'tap'

import { admin } from '../../src/admin/index.ts'
import { createRiverhook } from '../../src/index.ts'
import { bearer, ofThePage, openDoor, tokenOf, type Knock } from './door.ts'

const codes = async (count: number, ask: () => Promise<{ statusCode: number }>) => {
  const found: number[] = []
  for (let index = 0; index < count; index += 1) found.push((await ask()).statusCode)
  return found
}
const wrong = `rha_${'x'.repeat(43)}`

t.test('after 10 failed logins a peer is answered 429, and is logged twice', async (t) => {
  const { token, line } = tokenOf('read')
  const log: string[] = []
  const knock = await openDoor(t, { tokens: line, log })
  const fail = (more: Knock = {}) => knock({ headers: bearer(wrong), ...more })
  const failIn = () => knock({ method: 'POST', headers: ofThePage, body: { token: wrong } })
  t.same(await codes(5, fail), Array(5).fill(401))
  t.same(await codes(5, failIn), Array(5).fill(401), 'both ways count together')
  const refused = await fail()
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { code: 'RIVERHOOK_ADMIN_RATE', message: /try again in \d+ s/ })
  t.ok(Number(refused.headers['retry-after']) > 50 && Number(refused.headers['retry-after']) <= 60)
  t.equal((await failIn()).statusCode, 429)
  const spoofed = { ...bearer(wrong), 'x-forwarded-for': '10.9.9.9' }
  t.equal((await fail({ headers: spoofed })).statusCode, 429, 'a forwarded address does not count')
  t.equal((await fail({ from: '10.9.9.9' })).statusCode, 401, 'another peer is not concerned')
  t.equal((await knock({ headers: bearer(token) })).statusCode, 200, 'nor is a right token')
  t.equal(log.filter((line) => line.includes('login failed')).length, 3)
  t.notMatch(log.join(''), wrong)
})

t.test('peers of one IPv6 network count as one', async (t) => {
  const knock = await openDoor(t, { tokens: tokenOf('read').line })
  let host = 0
  await codes(10, () => knock({ headers: bearer(wrong), from: `2001:db8::${(host += 1)}` }))
  t.equal((await knock({ headers: bearer(wrong), from: '2001:db8::ffff' })).statusCode, 429)
  t.equal((await knock({ headers: bearer(wrong), from: '2001:db8:0:1::1' })).statusCode, 401)
})

t.test('a request without a login is no failed login, nor is an old cookie', async (t) => {
  const knock = await openDoor(t, { tokens: tokenOf('read').line })
  t.same(await codes(12, () => knock()), Array(12).fill(200))
  const cookie = 'riverhook_session=old.old'
  t.same(await codes(12, () => knock({ headers: { cookie } })), Array(12).fill(200))
})

t.test('exceptions that the host makes for its own limits do not apply', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(rateLimit, { max: 1000, allowList: ['127.0.0.1'] })
  const riverhook = createRiverhook({ inbox: 'memory:', secrets: 'whk_a' })
  await app.register(admin, { prefix: '/ops', riverhook, tokens: tokenOf('read').line })
  const ask = () => app.inject({ url: '/ops/api/v1/session', headers: bearer(wrong) })
  t.same(await codes(12, ask), [...Array<number>(10).fill(401), 429, 429])
})
