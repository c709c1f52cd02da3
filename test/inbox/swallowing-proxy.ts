import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface SwallowingProxy {
  /** The database's address through the proxy. */
  readonly url: string
  /** Stops all traffic on the open connections, in both directions, without closing them. New ones work. */
  swallow(): void
}

/** A proxy in front of a database that can stop forwarding, as in a network partition or when a machine is lost. */
export async function swallowingProxy(t: Pick<Test, 'teardown'>, address: string): Promise<SwallowingProxy> {
  const url = new URL(address)
  const target = { host: url.hostname, port: Number(url.port) }
  const open = new Set<Socket>()
  const silent = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target)
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      open.add(from)
      from.on('data', (data) => {
        if (!silent.has(from)) to.write(data)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        open.delete(from)
        if (!silent.has(from)) to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    swallow: () => {
      for (const socket of open) silent.add(socket)
    }
  }
}
