import fastifyRawBody from 'fastify-raw-body'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'

import { event, listen, post, startReceiver } from './receiver.ts'

// What a merchant would lose: a service that worked before the plugin was mounted.

/** A host with opinions: its own parser, error handler, hooks, serializers and decorators. */
function opinionated(app: FastifyInstance): void {
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    done(null, { parsedByHost: JSON.parse(String(body)) as unknown })
  })
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => { done(null, String(body).split(',')) })
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ hosts: (error as Error).message }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ hosts: 'nothing here' }))
  app.setReplySerializer((payload) => JSON.stringify({ wrapped: payload }))
  app.addHook('onSend', async (_request, reply, payload) => {
    void reply.header('x-host', 'yes')
    return payload
  })
  app.decorateRequest('merchant', 'acme')
  app.post('/own', async (request) => ({ got: request.body, merchant: request.getDecorator('merchant') }))
  app.post('/fails', async () => { throw new Error('as always') })
}

t.test('a host with its own parsers, error handler, hooks and serializer stays as it was, and so do we', async (t) => {
  const { app, url } = await listen(await startReceiver(t, {}, opinionated))
  const plain = Fastify()
  opinionated(plain)
  t.teardown(() => plain.close())
  const without = await plain.listen({ port: 0, host: '127.0.0.1' })
  const requests: [string, string, Record<string, string>][] = [
    ['/own', '{"a": 1}', {}], ['/own', 'a,b', { 'content-type': 'text/csv' }], ['/own', 'x', { 'content-type': 'text/plain' }],
    ['/own', '{', {}], ['/fails', '{}', {}], ['/nowhere', '{}', {}]
  ]
  for (const [path, body, headers] of requests) {
    const [mounted, alone] = [await post(new URL(path, url).href, Buffer.from(body), headers), await post(without + path, Buffer.from(body), headers)]
    t.same([mounted.status, mounted.body, mounted.headers.get('x-host')], [alone.status, alone.body, alone.headers.get('x-host')], path)
  }
  const body = Buffer.from(`  ${event({ id: 'e1' }).toString()}\n`)
  const accepted = await post(url, body)
  t.same([accepted.status, accepted.body], [202, { id: 'e1', status: 'accepted' }], 'our answer is not wrapped')
  t.equal(accepted.headers.get('x-host'), 'yes', 'the host’s hooks see our route like any other')
  t.ok(Buffer.from((await app.riverhook.inbox.event('e1'))!.body).equals(body))
  t.match((await post(url, Buffer.from('{}'))).body, { statusCode: 400, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE' })
  t.match((await post(url, event(), { 'content-type': 'text/csv' })).body, { statusCode: 415 })
})

t.test('a host that registers fastify-raw-body for all its routes', async (t) => {
  const { app, url } = await listen(await startReceiver(t, {}, async (app) => {
    await app.register(fastifyRawBody, { global: true, encoding: false, runFirst: true })
    app.post('/own', async (request) => ({ raw: Buffer.from(request.rawBody ?? '').toString(), body: request.body }))
  }))
  const own = await post(`${new URL(url).origin}/own`, Buffer.from('{"a":  1}'))
  t.same(own.body, { raw: '{"a":  1}', body: { a: 1 } })
  const body = Buffer.from(`\n${event({ id: 'e1' }).toString()} `)
  t.equal((await post(url, body)).status, 202)
  t.ok(Buffer.from((await app.riverhook.inbox.event('e1'))!.body).equals(body))
})

t.test('a host that has nothing keeps Fastify’s own JSON parser', async (t) => {
  const { url } = await listen(await startReceiver(t, {}, (app) => app.post('/own', async (request) => request.body)))
  t.same((await post(`${new URL(url).origin}/own`, Buffer.from('{"a":1}'))).body, { a: 1 })
})

t.test('a hook of the host that says no answers as on its other routes, and a method that it serves at our path stays its own', async (t) => {
  const { url } = await listen(await startReceiver(t, {}, (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-limit'] === undefined) return
      void reply.header('retry-after', '7')
      throw Object.assign(new Error('slow down'), { statusCode: Number(request.headers['x-limit']) })
    })
    app.get('/webhooks/digital-river', async () => ({ own: 'page' }))
  }))
  for (const status of [429, 503]) {
    const answer = await post(url, event(), { 'x-limit': String(status) })
    t.match(answer, { status, body: { message: 'slow down' } })
    t.equal(answer.headers.get('retry-after'), '7')
  }
  t.same(await (await fetch(url)).json(), { own: 'page' })
  t.equal((await fetch(url, { method: 'PUT' })).status, 405)
  t.equal((await post(url, event())).status, 202)
})

t.test('mounted under a prefix', async (t) => {
  const { app, url } = await listen(await startReceiver(t, {}, async (app) => {
    const { default: riverhook } = await import('../../src/index.ts')
    await app.register(async (inner) => {
      await inner.register(riverhook, { path: '/hooks', secrets: 'whk_0f8fad5b-d9cb-469f-a165-70867728950e', inbox: 'memory:' })
    }, { prefix: '/v1' })
  }))
  t.equal((await post(`${new URL(url).origin}/v1/hooks`, event())).status, 202)
  t.equal((await app.riverhook.inbox.stats()).events, 0, 'two instances in two contexts do not share')
})
