import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

import pg from 'pg'
import type { Test } from 'tap'

/**
 * Stands in for PgBouncer: answers the start of a connection itself, with its own session number, and passes messages
 * to a session of the server. In transaction mode all clients share one session, each until its transaction ends.
 * @returns the address of the database through it
 */
export async function standInPooler(t: Test, database: string, mode: 'session' | 'transaction'): Promise<string> {
  const sockets = new Set<{ destroy(): void }>()
  const shared = mode === 'transaction' ? connectBackend(database) : undefined
  const listener = createServer({ noDelay: true }, (client) => {
    sockets.add(client)
    client.on('error', () => undefined)
    serve(client, shared ?? connectBackend(database), sockets).catch(() => client.destroy())
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    listener.close()
    const backend = await shared
    backend?.stream.destroy()
  })
  const url = new URL(database)
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`
  return url.href
}

/** A session of the server, and the client that has it. */
interface Backend {
  readonly stream: Socket
  turn: Promise<unknown>
}

async function connectBackend(database: string): Promise<Backend> {
  const client = new pg.Client({ connectionString: database })
  client.on('error', () => undefined)
  await client.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.removeAllListeners('data')
  return { stream, turn: Promise.resolve() }
}

async function serve(client: Socket, connecting: Promise<Backend>, sockets: Set<{ destroy(): void }>): Promise<void> {
  const requests = messages(client, true)
  await requests.next()
  const backend = await connecting
  sockets.add(backend.stream)
  client.write(
    Buffer.concat([message('R', int32(0)), message('K', int32(4711), int32(1)), message('Z', Buffer.from('I'))])
  )
  for (;;) {
    const first = await requests.next()
    if (first.done === true || first.value[0] === 0x58) break
    const { promise: turn, resolve: end } = Promise.withResolvers<undefined>()
    const before = backend.turn
    backend.turn = turn
    await before
    const answers = messages(backend.stream, false)
    let request: IteratorResult<Buffer, undefined> = first
    // Until the server is idle again, outside of a transaction.
    for (let isIdle = false; !isIdle && request.done !== true; request = isIdle ? request : await requests.next()) {
      backend.stream.write(request.value)
      // A simple query or a Sync is answered. Messages before a Sync are not answered separately.
      if (request.value[0] !== 0x51 && request.value[0] !== 0x53) continue
      for (let state = ''; state === ''; ) {
        const { value } = await answers.next()
        if (value === undefined) break
        client.write(value)
        if (value[0] === 0x5a) state = value.toString('latin1', 5)
        isIdle = state === 'I'
      }
    }
    await answers.return(undefined)
    end(undefined)
  }
  client.end()
}

/** The messages received on a socket. The first one of a client has no type byte. */
async function* messages(socket: Socket, isStart: boolean): AsyncGenerator<Buffer, undefined> {
  let bytes = Buffer.alloc(0)
  let offset = isStart ? 0 : 1
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= offset + 4 && bytes.length >= offset + bytes.readInt32BE(offset)) {
      const length = offset + bytes.readInt32BE(offset)
      yield bytes.subarray(0, length)
      bytes = bytes.subarray(length)
      offset = 1
    }
  }
  return undefined
}

function message(letter: string, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(letter), int32(content.length + 4), content])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
