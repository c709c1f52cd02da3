// The load generator: a separate process, the same for every contestant. It keeps connections to each contestant open,
// and loads one of them at a time: each connection has one request under way. It signs beforehand, so that its work is
// small compared with the server's.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { eventBody, idOffset } from '../body.ts'
import { quantile } from '../statistics.ts'
import { AnswerReader } from './answer-reader.ts'
import { schemes, type SchemeName } from './scheme.ts'

/** A server to connect to. The answer to it is `opened`. */
export interface Target {
  readonly key: string
  readonly port: number
  readonly path: string
  readonly scheme: SchemeName
  readonly bodyBytes: number
  readonly connections: number
  /** Text that an answer must contain besides a 2xx status; empty for none. */
  readonly expected: string
}

/** How many requests to send to which target. The answer to it is a `LoadResult`. */
export interface Drive {
  readonly key: string
  readonly requests: number
}

export type LoadOrder = { readonly open: Target } | { readonly drive: Drive }

export interface LoadResult {
  readonly requests: number
  readonly ms: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The first answer that was not as expected, and how many there were. */
  readonly refused: number
  readonly firstRefusal: string
}

interface Signed {
  readonly id: string
  readonly lines: string
}

interface Connection {
  readonly socket: Socket
  /** A whole request; the signed lines and the id are overwritten for each one. */
  readonly request: Buffer
  readonly linesOffset: number
  readonly bodyOffset: number
  sentAt: number
}

interface Opened {
  readonly target: Target
  readonly body: Buffer
  /** Of these, a server may have closed some, because it has waited too long for the next request. */
  readonly connections: Connection[]
}

const opened = new Map<string, Opened>()

process.on('message', (order: LoadOrder) => {
  void ('open' in order ? open(order.open) : drive(order.drive)).then((result) => process.send?.(result))
})

async function open(target: Target): Promise<{ readonly opened: string }> {
  const body = eventBody(target.bodyBytes)
  const connections = await Promise.all(Array.from({ length: target.connections }, () => connectTo(target, body)))
  opened.set(target.key, { target, body, connections })
  return { opened: target.key }
}

async function drive({ key, requests }: Drive): Promise<LoadResult> {
  const to = opened.get(key)
  if (to === undefined) throw new Error(`No connection to ${key}`)
  const { target, body, connections } = to
  for (const [index, { socket }] of connections.entries())
    if (socket.destroyed || !socket.writable || !socket.readable) connections[index] = await connectTo(target, body)
  return exchange(to, sign(target.scheme, body, requests))
}

/** Signs `count` events, each with a separate random id, the hardest case for an index. */
function sign(scheme: SchemeName, body: Buffer, count: number): Signed[] {
  const at = Math.floor(Date.now() / 1000)
  return Array.from({ length: count }, () => {
    const id = randomUUID()
    body.write(id, idOffset, 'latin1')
    return { id, lines: schemes[scheme].lines(id, at, body) }
  })
}

async function connectTo(target: Target, body: Buffer): Promise<Connection> {
  const [sample] = sign(target.scheme, body, 1) as [Signed]
  const start =
    `POST ${target.path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n`
  const head = `${start}${sample.lines}\r\n`
  const socket = connect(target.port, '127.0.0.1')
  socket.setNoDelay(true)
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  return {
    socket,
    request: Buffer.concat([Buffer.from(head, 'latin1'), body]),
    linesOffset: start.length,
    bodyOffset: head.length,
    sentAt: 0
  }
}

/** Sends every signed request once, each connection its next one as soon as the last is answered. */
async function exchange({ target, connections }: Opened, batch: readonly Signed[]): Promise<LoadResult> {
  const latencies = new Float64Array(batch.length)
  let sent = 0
  let answered = 0
  let refused = 0
  let firstRefusal = ''
  const startedAt = performance.now()

  await new Promise<void>((resolve, reject) => {
    const send = (connection: Connection) => {
      const signed = batch[sent]
      if (signed === undefined) return
      sent += 1
      connection.request.write(signed.lines, connection.linesOffset, 'latin1')
      connection.request.write(signed.id, connection.bodyOffset + idOffset, 'latin1')
      connection.sentAt = performance.now()
      connection.socket.write(connection.request)
    }
    for (const connection of connections) {
      const reader = new AnswerReader((status, text) => {
        latencies[answered] = performance.now() - connection.sentAt
        answered += 1
        if (status < 200 || status > 299 || !text.includes(target.expected)) {
          refused += 1
          firstRefusal ||= `${status} ${text}`
        }
        if (answered === batch.length) resolve()
        else send(connection)
      })
      connection.socket.removeAllListeners()
      connection.socket.on('data', (chunk) => {
        reader.push(chunk)
      })
      connection.socket.on('error', reject)
      connection.socket.on('close', () => {
        reject(new Error('the server closed a connection'))
      })
      send(connection)
    }
  })
  const ms = performance.now() - startedAt
  return {
    requests: batch.length,
    ms,
    perSecond: batch.length / (ms / 1000),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    refused,
    firstRefusal
  }
}
