import { lookup } from 'node:dns/promises'

/**
 * The address to listen on. If `localhost` has a second address, Fastify would start a second server, to which the
 * limits and the shutdown of the first do not apply. So only the first address is used, as for any other name.
 */
export async function listenAddress(
  host: string,
  resolve: (name: string) => Promise<{ readonly address: string }> = lookup
): Promise<string> {
  return host === 'localhost' ? (await resolve(host)).address : host
}
