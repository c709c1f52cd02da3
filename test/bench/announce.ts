import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Reports the port of this server process to the bench. */
export function announce(server: Server): void {
  process.send?.({ port: (server.address() as AddressInfo).port })
}
