import { RiverhookError } from '../index.ts'
import type * as server from '../server/server.ts'

/**
 * Loads the server when a command starts one. It needs Fastify, a peer dependency, which some package managers do not
 * install.
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
