import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

import { certificate, key } from './certificate.ts'

/** A request received by a target. */
export interface Arrived {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A service that receives forwarded events. */
export interface Target {
  readonly url: string
  readonly port: number
  readonly arrived: readonly Arrived[]
  /** The number of connections that were opened. */
  readonly connections: readonly Socket[]
}

type Answer = (response: ServerResponse, arrived: Arrived, request: IncomingMessage) => unknown

/** A real server on this machine. Default answer: 204. @param options `https`: with the test certificate */
export async function startTarget(
  t: Test,
  answer: Answer = (response) => response.writeHead(204).end(),
  { https = false } = {}
) {
  const arrived: Arrived[] = []
  const connections: Socket[] = []
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void buffer(request).then((body) => {
      const one = { method: request.method, url: request.url, headers: request.headers, body }
      arrived.push(one)
      answer(response, one, request)
    })
  }
  const server = https ? createHttpsServer({ cert: certificate, key }, onRequest) : createServer(onRequest)
  server.on('connection', (socket: Socket) => {
    connections.push(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    url: https ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    port,
    arrived,
    connections
  } satisfies Target
}

/** The headers of a request with one value each, as verifying libraries expect them. */
export function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
