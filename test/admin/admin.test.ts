import Fastify from 'fastify'
import t from 'tap'

import { admin } from '../../src/admin/index.ts'
import { riverhook } from '../../src/index.ts'
import { startAdmin } from './rig.ts'

t.test('without a login, the API does not start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(riverhook, { inbox: 'memory:', secrets: 'whk_a' })
  await t.rejects(Promise.resolve(app.register(admin, { prefix: '/ops' })), { code: 'RIVERHOOK_ADMIN_NO_LOGIN' })
})

t.test('a mistake in the options, or no receiver: it does not start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const authenticate = () => undefined
  await t.rejects(Promise.resolve(app.register(admin, { authenticate })), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /register the receiver first/
  })
})

t.test('GET session names the operator that the host names, with an async login too', async (t) => {
  const { call } = await startAdmin(t)
  t.same(await (await call('session')).json(), { operator: null, canLogIn: false })
  t.same(await (await call('session', { scopes: ['read', 'operate'] })).json(), {
    operator: { name: 'alice', scopes: ['read', 'operate'], via: 'host' },
    canLogIn: false
  })
  const late = await startAdmin(t, { authenticate: async () => ({ name: 'bob', scopes: ['erase'] }) })
  t.match(await (await late.call('session')).json(), { operator: { name: 'bob', scopes: ['erase'] } })
})

t.test('a login that fails, or answers something else, refuses the request', async (t) => {
  const wrong: unknown[] = [
    true,
    'alice',
    {},
    { name: 'alice' },
    { name: '', scopes: ['read'] },
    { name: 'a'.repeat(201), scopes: ['read'] },
    { name: 'alice', scopes: 'read' },
    { name: 'alice', scopes: ['read', 'admin'] },
    { name: 'alice', scopes: ['toString'] }
  ]
  for (const value of wrong) {
    const { call } = await startAdmin(t, { authenticate: () => value as never })
    const answer = await call('session')
    t.equal(answer.status, 500, JSON.stringify(value))
    t.match(await answer.json(), {
      code: 'RIVERHOOK_ADMIN_FAULT',
      message: 'The login failed; the log has the details'
    })
  }
  for (const authenticate of [
    () => {
      throw new Error('secret of the host')
    },
    () => Promise.reject(new Error('secret of the host'))
  ]) {
    const { call } = await startAdmin(t, { authenticate })
    const answer = await call('session')
    t.equal(answer.status, 500)
    t.notMatch(await answer.text(), /secret/)
  }
})

t.test('a login that throws 401, as jwtVerify() does, means: not logged in', async (t) => {
  const { call } = await startAdmin(t, {
    authenticate: () => {
      throw Object.assign(new Error('no token'), { statusCode: 401 })
    }
  })
  t.same(await (await call('session')).json(), { operator: null, canLogIn: false })
})

t.test('a path or method without a route is answered 404 in the common form, before its body is read', async (t) => {
  const { call } = await startAdmin(t)
  for (const method of ['GET', 'POST', 'DELETE', 'PATCH']) {
    const answer = await call('no-such-route', { method, scopes: ['read'] })
    t.equal(answer.status, 404)
    t.match(await answer.json(), { statusCode: 404, code: 'RIVERHOOK_ADMIN_NOT_FOUND', error: 'Not Found' })
  }
  t.equal((await call('session', { method: 'PATCH' })).status, 404)
})

t.test('the validator, the serialiser and the error handler of the host are not used', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const refuse = () => {
    throw new Error('a schema of another language')
  }
  app.setValidatorCompiler(refuse)
  app.setSerializerCompiler(refuse)
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send('host'))
  await app.register(riverhook, { inbox: 'memory:', secrets: 'whk_a' })
  await app.register(admin, { prefix: '/ops', authenticate: () => ({ name: 'alice', scopes: ['read'] }) })
  t.equal((await app.inject('/ops/api/v1/session')).statusCode, 200)
  t.equal((await app.inject('/ops/api/v1/nothing')).statusCode, 404)
})
