import { lookup } from 'node:dns/promises'

/**
 * The address to listen on. For `localhost` Fastify makes a second server where the name has a second address, and
 * what bounds and ends the first one does not hold for it: only the first address is taken, as for any other name.
 */
export async function listenAddress(
  host: string,
  resolve: (name: string) => Promise<{ readonly address: string }> = lookup
): Promise<string> {
  return host === 'localhost' ? (await resolve(host)).address : host
}
