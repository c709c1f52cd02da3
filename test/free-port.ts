import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** A port of this machine that was free a moment ago, for a program that must be given its port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
