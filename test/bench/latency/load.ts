// Sends signed requests at a fixed rate, whether or not they are answered, as providers do: a request that finds no
// free connection opens another one, up to a limit.
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import { setTimeout as delay } from 'node:timers/promises'

import { eventBody, idOffset } from '../body.ts'
import { AnswerReader } from '../receive/answer-reader.ts'
import { schemes } from '../receive/scheme.ts'

export interface Order {
  readonly port: number
  readonly path: string
  readonly perSecond: number
  readonly ms: number
  readonly bodyBytes: number
  readonly mostConnections: number
}

export interface Loaded {
  /** For each answer: the id, the status, and when its request was sent and it was read, on the machine's clock. */
  readonly answers: readonly (readonly [string, number, number, number])[]
  /** Requests for which there was no connection: not sent. */
  readonly unsent: number
  /** Requests that had no answer after `giveUpMs`, as the provider sees it, and those that were not even connected. */
  readonly givenUp: number
  readonly notConnected: number
}

interface Signed {
  readonly id: string
  readonly request: Buffer
}

interface Connection {
  readonly socket: Socket
  /** `sentAt`: undefined until the connection is open. */
  current: { readonly id: string; sentAt: number | undefined; readonly givesUp: NodeJS.Timeout } | undefined
}

/** After this time, Digital River ends a request. */
const giveUpMs = 3_000

process.on('message', (order: Order | 'cpu') => {
  if (order !== 'cpu') void load(order).then((loaded) => process.send?.(loaded))
})

async function load(order: Order): Promise<Loaded> {
  const { port, perSecond, mostConnections } = order
  const all = sign(order)
  const answers: (readonly [string, number, number, number])[] = []
  const free: Connection[] = []
  let connections = 0
  let unsent = 0
  let givenUp = 0
  let notConnected = 0
  const startedAt = now()
  let next = 0
  while (next < all.length) {
    const due = Math.min(all.length, Math.floor(((now() - startedAt) * perSecond) / 1_000))
    for (; next < due; next += 1) send(all[next] as Signed)
    // Not a busy loop, which would take a core from the server.
    await delay(1)
  }
  while (answers.length + unsent + givenUp + notConnected < all.length) await delay(10)
  for (const { socket } of free) socket.destroy()
  return { answers, unsent, givenUp, notConnected }

  function send({ id, request }: Signed): void {
    const connection = free.pop() ?? open()
    if (connection === undefined) {
      unsent += 1
      return
    }
    const { socket } = connection
    const givesUp = setTimeout(() => socket.destroy(), giveUpMs)
    connection.current = { id, sentAt: socket.connecting ? undefined : now(), givesUp }
    socket.write(request)
  }

  function open(): Connection | undefined {
    if (connections >= mostConnections) return undefined
    connections += 1
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    const connection: Connection = { socket, current: undefined }
    const reader = new AnswerReader((status) => {
      const { current } = connection
      if (current?.sentAt === undefined) return
      clearTimeout(current.givesUp)
      answers.push([current.id, status, current.sentAt, now()])
      connection.current = undefined
      free.push(connection)
    })
    socket.on('connect', () => {
      if (connection.current !== undefined) connection.current.sentAt = now()
    })
    socket.on('data', (chunk) => {
      reader.push(chunk)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      connections -= 1
      const { current } = connection
      clearTimeout(current?.givesUp)
      if (current !== undefined && current.sentAt === undefined) notConnected += 1
      else if (current !== undefined) givenUp += 1
      const index = free.indexOf(connection)
      if (index !== -1) free.splice(index, 1)
    })
    return connection
  }
}

/** Signs all requests beforehand, so that the work of this process is small. */
function sign({ port, path, perSecond, ms, bodyBytes }: Order): readonly Signed[] {
  const body = eventBody(bodyBytes)
  const at = Math.floor(Date.now() / 1000)
  return Array.from({ length: Math.round((perSecond * ms) / 1_000) }, () => {
    const id = randomUUID()
    body.write(id, idOffset, 'latin1')
    const head =
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n${schemes['digital-river'].lines(id, at, body)}\r\n`
    return { id, request: Buffer.concat([Buffer.from(head, 'latin1'), body]) }
  })
}

/** Milliseconds of the machine's monotonic clock, which all processes share. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
