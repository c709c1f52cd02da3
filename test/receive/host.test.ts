import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'

import fastifyRawBody from 'fastify-raw-body'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t from 'tap'

import riverhook, { digitalRiver } from '../../src/index.ts'
import { event, listen, post, secret, signatureHeaders, startReceiver } from './receiver.ts'
import { keyOf } from '../event-keys.ts'

// Risk for a merchant: a service that worked before the plugin was mounted.

/** A host with its own parser, error handler, hooks, serializers and decorators. */
function opinionated(app: FastifyInstance): void {
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    done(null, { parsedByHost: JSON.parse(String(body)) as unknown })
  })
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => {
    done(null, String(body).split(','))
  })
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ hosts: (error as Error).message }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ hosts: 'nothing here' }))
  app.setReplySerializer((payload) => JSON.stringify({ wrapped: payload }))
  app.addHook('onSend', async (_request, reply, payload) => {
    void reply.header('x-host', 'yes')
    return payload
  })
  app.decorateRequest('merchant', 'acme')
  app.post('/own', async (request) => ({ got: request.body, merchant: request.getDecorator('merchant') }))
  app.post('/fails', async () => {
    throw new Error('as always')
  })
}

t.test(
  'a host with its own parsers, error handler, hooks and serializer is unchanged, and so is the plugin',
  async (t) => {
    const { app, url } = await listen(await startReceiver(t, {}, opinionated))
    const plain = Fastify()
    opinionated(plain)
    t.teardown(() => plain.close())
    const without = await plain.listen({ port: 0, host: '127.0.0.1' })
    const requests: [string, string, Record<string, string>][] = [
      ['/own', '{"a": 1}', {}],
      ['/own', 'a,b', { 'content-type': 'text/csv' }],
      ['/own', 'x', { 'content-type': 'text/plain' }],
      ['/own', '{', {}],
      ['/fails', '{}', {}],
      ['/nowhere', '{}', {}]
    ]
    for (const [path, body, headers] of requests) {
      const [mounted, alone] = [
        await post(new URL(path, url).href, Buffer.from(body), headers),
        await post(without + path, Buffer.from(body), headers)
      ]
      t.same(
        [mounted.status, mounted.body, mounted.headers.get('x-host')],
        [alone.status, alone.body, alone.headers.get('x-host')],
        path
      )
    }
    const body = Buffer.from(`  ${event({ id: 'e1' }).toString()}\n`)
    const accepted = await post(url, body)
    t.same([accepted.status, accepted.body], [202, { id: 'e1', status: 'accepted' }], 'our answer is not wrapped')
    t.equal(accepted.headers.get('x-host'), 'yes', 'the host’s hooks run for our route like for any other')
    t.ok(Buffer.from((await app.riverhook.inbox.event(keyOf('e1')))!.body).equals(body))
    t.match((await post(url, Buffer.from('{}'))).body, { statusCode: 400, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE' })
    t.match((await post(url, event(), { 'content-type': 'text/csv' })).body, { statusCode: 415 })
  }
)

t.test('a host that registers fastify-raw-body for all its routes works', async (t) => {
  const { app, url } = await listen(
    await startReceiver(t, {}, async (app) => {
      await app.register(fastifyRawBody, { global: true, encoding: false, runFirst: true })
      app.post('/own', async (request) => ({ raw: Buffer.from(request.rawBody ?? '').toString(), body: request.body }))
    })
  )
  const own = await post(`${new URL(url).origin}/own`, Buffer.from('{"a":  1}'))
  t.same(own.body, { raw: '{"a":  1}', body: { a: 1 } })
  const body = Buffer.from(`\n${event({ id: 'e1' }).toString()} `)
  t.equal((await post(url, body)).status, 202)
  t.ok(Buffer.from((await app.riverhook.inbox.event(keyOf('e1')))!.body).equals(body))
})

t.test('a host without a parser keeps Fastify’s own JSON parser', async (t) => {
  const { url } = await listen(await startReceiver(t, {}, (app) => app.post('/own', async (request) => request.body)))
  t.same((await post(`${new URL(url).origin}/own`, Buffer.from('{"a":1}'))).body, { a: 1 })
})

t.test('a hook of the host that refuses is answered as on its other routes, with any error code', async (t) => {
  const { url, lines } = await listen(
    await startReceiver(t, {}, (app) => {
      app.setErrorHandler((error: Error & { code?: string; statusCode?: number }, _request, reply) =>
        reply.code(error.statusCode ?? 500).send({ handledBy: 'host', code: error.code })
      )
      // The codes of @fastify/jwt, @fastify/basic-auth, @fastify/csrf-protection, @fastify/under-pressure, of
      // Fastify's own body parser, and of Node.
      const refuse = (at: string) => async (request: FastifyRequest) => {
        const [where, status, code] = String(request.headers['x-refuse']).split(' ')
        if (where === at) throw Object.assign(new Error('no'), { statusCode: Number(status), code })
      }
      app.addHook('onRequest', refuse('onRequest'))
      app.addHook('preParsing', refuse('preParsing'))
      app.addHook('preValidation', refuse('preValidation'))
      app.addHook('preHandler', refuse('preHandler'))
      app.get('/webhooks/digital-river', async () => ({ own: 'page' }))
    })
  )
  const refusals: [number, string][] = [
    [401, 'FST_JWT_NO_AUTHORIZATION_IN_HEADER'],
    [401, 'FST_BASIC_AUTH_MISSING_OR_BAD_AUTHORIZATION_HEADER'],
    [403, 'FST_CSRF_INVALID_TOKEN'],
    [503, 'FST_UNDER_PRESSURE'],
    [413, 'FST_ERR_CTP_BODY_TOO_LARGE'],
    [415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE'],
    [429, 'ECONNRESET'],
    [418, 'RIVERHOOK_RECEIVE_FAULT']
  ]
  for (const where of ['onRequest', 'preParsing', 'preValidation', 'preHandler']) {
    for (const [status, code] of refusals) {
      t.match(
        await post(url, event(), { 'x-refuse': `${where} ${status} ${code}` }),
        { status, body: { handledBy: 'host', code } },
        `${where} ${code}`
      )
    }
  }
  t.notOk(
    lines.some(({ endpoint, code }) => endpoint !== undefined && code !== undefined),
    'none of them is logged as our refusal'
  )
  t.same(await (await fetch(url)).json(), { own: 'page' })
  t.equal((await post(url, event())).status, 202)
})

t.test(
  'a hook of the host refuses a handshake, for which Fastify calls no body parser: the host answers',
  async (t) => {
    const source = {
      ...digitalRiver(),
      methods: ['GET'],
      greet: ({ method }: { readonly method: string }) =>
        method === 'GET' ? { status: 200, body: 'hello' } : undefined
    }
    const { url } = await listen(
      await startReceiver(t, { source }, (app) => {
        app.addHook('preHandler', async (request) => {
          if (request.headers['x-refuse'] !== undefined)
            throw Object.assign(new Error('no'), { statusCode: 429, code: 'TOO_MANY' })
        })
      })
    )
    const headers = { 'content-type': 'application/json' }
    t.equal((await fetch(url, { headers })).status, 200)
    t.equal((await fetch(url, { headers: { ...headers, 'x-refuse': 'yes' } })).status, 429)
  }
)

t.test(
  'a hook of the host that throws a value other than an Error is answered as on other routes, never 2xx',
  async (t) => {
    const thrown: unknown[] = ['no', 7, { statusCode: 403, reason: 'no' }, { reason: 'no' }, Buffer.from('no'), null]
    for (const hasHandler of [false, true]) {
      const { app } = await startReceiver(t, {}, (app) => {
        if (hasHandler)
          app.setErrorHandler(async (error, _request, reply) =>
            reply.code(418).send({ handledBy: 'host', got: typeof error })
          )
        for (const stage of ['onRequest', 'preParsing', 'preValidation', 'preHandler']) {
          app.addHook(stage as 'onRequest', async (request) => {
            const [where, at] = String(request.headers['x-refuse']).split(' ')
            if (where === stage) throw thrown[Number(at)]
          })
        }
        app.post('/own', async () => 'reached')
      })
      for (const stage of ['onRequest', 'preParsing', 'preValidation', 'preHandler']) {
        for (const [at, value] of thrown.entries()) {
          const send = async (url: string) => {
            const { statusCode, body } = await app.inject({
              method: 'POST',
              url,
              payload: event(),
              headers: { 'content-type': 'application/json', 'x-refuse': `${stage} ${at}` }
            })
            return { statusCode, body }
          }
          const ours = await send('/webhooks/digital-river')
          t.same(ours, await send('/own'), `${stage} ${String(value)}`)
          t.ok(ours.statusCode >= 400)
        }
      }
    }
  }
)

t.test(
  'a hook of the host that replaces or reads the body is a 500 with the reason, never an empty body',
  async (t) => {
    const replacements: unknown[] = [{ parsed: true }, 'text', null, undefined, 7, Buffer.alloc(0), new Uint8Array(3)]
    for (const basicAuth of [undefined, { username: 'u', password: 'p' }]) {
      const receiver = await listen(
        await startReceiver(t, basicAuth === undefined ? {} : { basicAuth }, (app) => {
          app.addHook('onRequest', async (request) => {
            if (request.headers['x-read'] === 'yes') await buffer(request.raw)
          })
          app.addHook('preValidation', async (request) => {
            const at = Number(request.headers['x-replace'] ?? -1)
            if (at >= 0) request.body = replacements[at]
          })
        })
      )
      const authorization = basicAuth && `Basic ${btoa('u:p')}`
      const cases = [...replacements.map((_value, at) => ({ 'x-replace': String(at) })), { 'x-read': 'yes' }]
      for (const headers of cases) {
        t.match(
          await post(receiver.url, event(), { authorization, ...headers }),
          { status: 500, body: { code: 'RIVERHOOK_RECEIVE_FAULT' } },
          JSON.stringify(headers)
        )
        t.match(receiver.lines.at(-1), {
          level: 50,
          reason:
            'x-read' in headers
              ? /body was read before it reached Riverhook/
              : /hook of the host replaced request\.body/
        })
      }
      t.match(await receiver.app.riverhook.inbox.stats(), { events: 0, quarantined: 0 })
      t.equal((await post(receiver.url, event(), { authorization })).status, 202)
    }
  }
)

t.test('a hook that replaces the body by an empty stream or one of objects is a 500 with the reason', async (t) => {
  const { app, lines } = await startReceiver(t, {}, (app) => {
    app.addHook('preParsing', async (request) =>
      Readable.from(request.headers['x-stream'] === 'empty' ? [] : [{ parsed: true }])
    )
  })
  const body = event()
  for (const [stream, reason] of [
    ['empty', /empty stream in place of the body/],
    ['objects', /stream of objects in place of the body/]
  ] as const) {
    const answer = await app.inject({
      method: 'POST',
      url: '/webhooks/digital-river',
      payload: body,
      headers: { 'content-type': 'application/json', 'x-stream': stream }
    })
    t.match(answer.json(), { statusCode: 500, code: 'RIVERHOOK_RECEIVE_FAULT' }, stream)
    t.match(lines.at(-1), { level: 50, reason })
  }
})

t.test('with a slow hook of the host, ackTimeout counts from the arrival of the request', async (t) => {
  const { app } = await startReceiver(t, { ackTimeout: 20 }, (app) => {
    app.addHook('onRequest', async () => {
      await setTimeout(40)
    })
  })
  const body = event()
  const answer = await app.inject({
    method: 'POST',
    url: '/webhooks/digital-river',
    payload: body,
    headers: { 'content-type': 'application/json', ...signatureHeaders(body) }
  })
  t.match(answer.json(), { statusCode: 503, code: 'RIVERHOOK_INBOX_DEADLINE' })
})

t.test('mounted under a prefix of a scope or a registration, the log and the inbox have the full path', async (t) => {
  const lines: Record<string, unknown>[] = []
  const app = Fastify({
    logger: {
      level: 'info',
      stream: {
        write: (line: string) => {
          lines.push(JSON.parse(line) as Record<string, unknown>)
        }
      }
    }
  })
  t.teardown(() => app.close())
  const seen: unknown[] = []
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    seen.push([method, url, config?.riverhook, (schema as { hide?: true } | undefined)?.hide])
  })
  const options = { secrets: secret, inbox: 'memory:' }
  await app.register(
    async (inner) => {
      await inner.register(riverhook, { ...options, path: '/hooks', prefix: '/dr', logLevel: 'warn' })
      t.teardown(() => inner.close())
      inner.get('/own', async () => inner.riverhook.inbox.event(keyOf('e1')))
    },
    { prefix: '/v1' }
  )
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.equal((await post(`${url}/v1/dr/hooks`, event({ id: 'e1' }))).status, 202)
  t.match(await (await fetch(`${url}/v1/own`)).json(), { endpoint: '/v1/dr/hooks' })
  t.equal((await post(`${url}/v1/dr/hooks`, event(), { 'DigitalRiver-Signature': undefined })).status, 401)
  t.match(
    lines.find(({ code }) => code === 'RIVERHOOK_RECEIVE_UNAUTHENTICATED'),
    { endpoint: '/v1/dr/hooks' }
  )
  t.same(
    seen,
    [
      ['POST', '/v1/dr/hooks', true, true],
      ['GET', '/v1/own', undefined, undefined],
      ['HEAD', '/v1/own', undefined, undefined]
    ],
    'only POST is accepted, and marked'
  )
  await t.rejects(
    async () => {
      await Fastify().register(riverhook, { ...options, prefix: 'v1' })
    },
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /"prefix"/ }
  )
})

t.test('other methods at the path stay the host’s: routes before and after, and its own 404', async (t) => {
  const { app, url } = await startReceiver(t, {}, (app) =>
    app.get('/webhooks/digital-river', async () => ({ own: 'page' }))
  ).then(async (receiver) => {
    receiver.app.put('/webhooks/digital-river', async () => ({ own: 'put' }))
    return listen(receiver)
  })
  t.same(await (await fetch(url)).json(), { own: 'page' })
  t.same(await (await fetch(url, { method: 'PUT' })).json(), { own: 'put' })
  t.equal((await fetch(url, { method: 'DELETE' })).status, 404)
  t.equal((await app.inject({ method: 'POST', url: '/webhooks/digital-river' })).statusCode, 401)
})
