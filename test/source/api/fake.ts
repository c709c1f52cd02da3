import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface FakeAnswer {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** Undefined: no body. */
  readonly body?: unknown
}

/** A provider's API on loopback, with a record of its calls. */
export async function startApi(t: Test, answer: (call: Call) => FakeAnswer) {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api.invalid')
      const call = { method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers, body }
      calls.push(call)
      const { status = 200, headers = {}, body: sent } = answer(call)
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(sent === undefined ? undefined : JSON.stringify(sent))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}
