import { once } from 'node:events'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'

import { BoundedLog } from '../../src/server/bounded-log.ts'
import type { ServerConfig } from '../../src/options/environment.ts'
import { createServer } from '../../src/server/server.ts'
import { event, signatureHeaders } from '../receive/receiver.ts'

// Risk for an operator: a request without an answer, a log that does not show a wrong address, and a server that
// unknown senders can fill up.

/** A server in this process, and a function that sends text over a connection to it. */
async function serverHere(t: Test, config: Partial<ServerConfig> = {}) {
  const app = await createServer({
    host: '127.0.0.1',
    port: 0,
    logLevel: 'silent',
    warnings: [],
    options: { secrets: 'whk_a', inbox: 'memory:' },
    ...config
  })
  t.teardown(() => app.close())
  const lines: { readonly keys: Record<string, unknown>; readonly msg: string }[] = []
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  app.log.warn = (keys: unknown, msg?: string) => {
    lines.push({ keys: keys as Record<string, unknown>, msg: String(msg) })
  }
  const send = async (text: string): Promise<string> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(text)
    return (await buffer(socket)).toString()
  }
  return { app, url, lines, send }
}

t.test('an invalid request, or one to another path, gets an error of the usual shape', async (t) => {
  const { url, send } = await serverHere(t)
  const bad = { statusCode: 400, code: 'RIVERHOOK_RECEIVE_BAD_REQUEST', error: 'Bad Request' }
  t.match(await (await fetch(`${url}/%zz`)).json(), bad)
  const answer = await send('NONSENSE\r\n\r\n')
  t.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), bad)
})

t.test(
  'every other method at an endpoint is 405, with or without a body, and needs no route or content type',
  async (t) => {
    const { send } = await serverHere(t)
    for (const method of METHODS.filter((name) => name !== 'POST')) {
      for (const body of [
        '',
        'content-type: \r\ncontent-length: 2\r\n',
        'content-type: application/json\r\ncontent-length: 2\r\n'
      ]) {
        const answer = await send(
          `${method} /webhooks/digital-river HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${body}\r\n${body === '' ? '' : '{}'}`
        )
        t.match(answer, /^HTTP\/1\.1 405 .*\r\nallow: POST\r\n/s, method)
        // The answer to a HEAD has no body.
        if (method !== 'HEAD')
          t.match(
            JSON.parse(answer.split('\r\n\r\n')[1] ?? ''),
            { statusCode: 405, code: 'RIVERHOOK_RECEIVE_METHOD', error: 'Method Not Allowed' },
            method
          )
      }
    }
  }
)

t.test('endpoints are recognised like the router does: encoded, as an absolute URL, with a parameter', async (t) => {
  const { send, lines } = await serverHere(t)
  const path = '/webhooks/digital-river'
  for (const [url, get, post] of [
    [path.replace('d', '%64'), 405, 401],
    [`http://x${path}`, 405, 401],
    [`${path}?a=b`, 405, 401],
    [`${path};session=topsecret`, 404, 404],
    [`${path}/`, 404, 404],
    [`${path}%2F`, 404, 404]
  ] as const) {
    for (const [method, status] of [
      ['GET', get],
      ['POST', post]
    ] as const) {
      t.match(
        await send(`${method} ${url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
        new RegExp(`^HTTP/1\\.1 ${status} `),
        `${method} ${url}`
      )
    }
  }
  t.notMatch(JSON.stringify(lines), 'topsecret')
})

t.test(
  'one request is answered once, even if it continues after its answer, and a pending answer is not replaced',
  async (t) => {
    const { send } = await serverHere(t)
    const body = event({ id: 'e1' })
    const signed = Object.entries(signatureHeaders(body, 'whk_a'))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
    const head = (path: string, framing: string): string =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${framing}\r\n`
    const cases = [
      [404, `${head('/nowhere', 'transfer-encoding: chunked\r\n')}ZZZ\r\nZZZ\r\n`],
      [404, `${head('/nowhere', 'content-length: 2\r\n')}{}and more\r\n\r\n`],
      [400, `${head('/webhooks/digital-river', 'transfer-encoding: chunked\r\n')}ZZZ\r\nZZZ\r\n`],
      [
        202,
        `${head('/webhooks/digital-river', `${signed}content-length: ${body.length}\r\n`)}${body.toString()}and more\r\n\r\n`
      ]
    ] as const
    for (const [status, text] of cases) {
      const answer = await send(text)
      t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      t.equal(answer.split('HTTP/1.1').length - 1, 1, `${status}: one answer`)
    }
  }
)

t.test('a request to another path is logged without its query, at a limited rate', async (t) => {
  const { url, lines } = await serverHere(t)
  await fetch(`${url}/webhooks/digital-river/?token=topsecret`, { method: 'POST', body: 'x' })
  t.match(lines, [
    {
      keys: {
        method: 'POST',
        path: '/webhooks/digital-river/',
        status_code: 404,
        endpoints: ['/webhooks/digital-river']
      },
      msg: /nothing is served at this path/
    }
  ])
  t.notMatch(JSON.stringify(lines), 'topsecret')
  await fetch(`${url}/${'a'.repeat(5_000)}`)
  t.ok(JSON.stringify(lines.at(-1)).length < 500)
  for (const _each of Array.from({ length: 30 })) await fetch(`${url}/scan`)
  t.equal(lines.length, 10)
  let now = 0
  const told: (number | undefined)[] = []
  const log = new BoundedLog({ lines: 2, everyMs: 1_000, clock: () => now })
  for (now of [0, 1, 2, 3, 1_000, 1_001])
    log.log(({ left_out }) => {
      told.push(left_out)
    })
  t.same(told, [undefined, undefined, 2, undefined])
})

t.test('an incomplete request is cut off in time, and so is one connection too many', async (t) => {
  const { url, send, app, lines } = await serverHere(t, { requestTimeout: 50, maxConnections: 1 })
  // Without an end of the head: unless the server ends it, this test never finishes.
  t.match(await send('POST /webhooks/digital-river HTTP/1.1\r\nhost: x\r\n'), /^HTTP\/1\.1 400 /)
  const held = connect(Number(new URL(url).port), '127.0.0.1')
  await once(app.server, 'connection')
  held.on('error', () => undefined)
  const refused = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined)
  await once(refused, 'close')
  held.destroy()
  t.match(lines.at(-1), { keys: { max_connections: 1 }, msg: /RIVERHOOK_MAX_CONNECTIONS/ })
})
