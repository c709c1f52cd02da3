import { RiverhookError } from '../index.ts'
import type * as server from '../server/server.ts'

/**
 * The server, loaded when a command starts one: it needs Fastify, which a host installs itself, as a peer. Some
 * package managers leave peers out.
 * @throws {RiverhookError} RIVERHOOK_CLI_FASTIFY
 */
export async function importServer(): Promise<typeof server> {
  try {
    import.meta.resolve('fastify')
  } catch (cause) {
    throw new RiverhookError(
      'RIVERHOOK_CLI_FASTIFY',
      'Fastify is not installed, and this command needs it. Run: npm install fastify',
      { cause }
    )
  }
  return import('../server/server.ts')
}
