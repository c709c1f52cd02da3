// The load generator: a separate process, the same for every contestant. It keeps 64 connections busy, each with one
// request at a time, and signs beforehand, so that its work is small compared with the server's.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { eventBody, idOffset } from '../body.ts'
import { AnswerReader } from './answer-reader.ts'
import { schemes, type SchemeName } from './scheme.ts'

export interface LoadOrder {
  readonly port: number
  readonly path: string
  readonly scheme: SchemeName
  readonly bodyBytes: number
  readonly connections: number
  readonly warmUpMs: number
  readonly measuredMs: number
  /** Text that an answer must contain besides a 2xx status; empty for none. */
  readonly expected: string
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The first answer that was not as expected, and how many there were, the warm-up included. */
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

/** Sent when the warm-up is over and the measured part starts. */
const measuring = 'measuring'

process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result))
})

async function run(order: LoadOrder): Promise<LoadResult> {
  const body = eventBody(order.bodyBytes)
  const connections = await Promise.all(Array.from({ length: order.connections }, () => open(order, body)))
  let refused = 0
  let firstRefusal = ''
  const drive = async (batch: readonly Signed[]) => {
    const driven = await exchange(connections, batch, order.expected)
    refused += driven.refused
    firstRefusal ||= driven.firstRefusal
    return driven
  }

  // The warm-up also finds how many requests to sign for the measured part.
  const warmUntil = performance.now() + order.warmUpMs
  let warm = await drive(sign(order.scheme, body, 2_000))
  while (performance.now() < warmUntil) warm = await drive(sign(order.scheme, body, 2_000))
  const batch = sign(order.scheme, body, Math.max(1_000, Math.round((warm.perSecond * order.measuredMs) / 1000)))
  process.send?.(measuring)
  const measured = await drive(batch)

  for (const { socket } of connections) socket.destroy()
  const sorted = measured.latencies.sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return {
    requests: sorted.length,
    perSecond: measured.perSecond,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    refused,
    firstRefusal
  }
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

async function open(order: LoadOrder, body: Buffer): Promise<Connection> {
  const [sample] = sign(order.scheme, body, 1) as [Signed]
  const start =
    `POST ${order.path} HTTP/1.1\r\nHost: 127.0.0.1:${order.port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n`
  const head = `${start}${sample.lines}\r\n`
  const socket = connect(order.port, '127.0.0.1')
  socket.setNoDelay(true)
  await once(socket, 'connect')
  return {
    socket,
    request: Buffer.concat([Buffer.from(head, 'latin1'), body]),
    linesOffset: start.length,
    bodyOffset: head.length,
    sentAt: 0
  }
}

/** Sends every signed request once, each connection its next one as soon as the last is answered. */
async function exchange(connections: readonly Connection[], batch: readonly Signed[], expected: string) {
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
        if (status < 200 || status > 299 || !text.includes(expected)) {
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
  const perSecond = batch.length / ((performance.now() - startedAt) / 1000)
  return { latencies, perSecond, refused, firstRefusal }
}
