import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

import { DigitalRiverClient, type DigitalRiverClientOptions } from '../../../../src/source/digital-river/api/client.ts'

/** A request as the test server received it. */
export interface Seen {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The JSON of the body; undefined without one. */
  readonly body: unknown
}

/** An answer; `hang`: never; `stall`: half a body and no more; `cut`: the connection ends. */
export type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | 'hang'
  | 'stall'
  | 'cut'

export const apiKey = 'sk_test_4f8a1c0e77b94d21'

export interface Rig {
  readonly client: DigitalRiverClient
  readonly url: string
  /** All requests so far. */
  readonly seen: Seen[]
  /** The delays between the client's attempts, in milliseconds. The test client does not really wait. */
  readonly waits: number[]
}

/** A client, and a server that answers it over real HTTP. */
export async function rig(
  t: Test,
  answer: (seen: Seen, number: number) => Reply,
  options: DigitalRiverClientOptions = {}
): Promise<Rig> {
  const seen: Seen[] = []
  const waits: number[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
      const text = Buffer.concat(chunks).toString()
      const body: unknown = text === '' ? undefined : JSON.parse(text)
      const one = { method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers, body }
      seen.push(one)
      const reply = answer(one, seen.length)
      if (reply === 'hang') return
      if (reply === 'cut') return void request.socket.destroy()
      if (reply === 'stall') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        return void response.write('{"id": ')
      }
      const content = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
      response.end(content)
    })
  })
  const url = await listen(t, server)
  const wait = (ms: number) => {
    waits.push(ms)
    return Promise.resolve()
  }
  const client = new DigitalRiverClient({ apiKey, apiUrl: url, environment: {}, random: () => 0.5, wait, ...options })
  return { client, url, seen, waits }
}

export async function listen(t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const webhook = (fields: Record<string, unknown> = {}) => ({
  id: 'wh-1',
  address: 'https://shop.example/webhooks/digital-river',
  types: ['order.accepted'],
  enabled: true,
  apiVersion: 'default',
  transportType: 'HTTP',
  ...fields
})
