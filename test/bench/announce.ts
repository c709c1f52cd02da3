import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Tells the bench which port this server process got. */
export function announce(server: Server): void {
  process.send?.({ port: (server.address() as AddressInfo).port })
}
