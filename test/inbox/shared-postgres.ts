import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { asUser, environment } from '../environment.ts'

const keeper = fileURLToPath(new URL('postgres-keeper.ts', import.meta.url))

/**
 * The PostgreSQL that all test files of this run share: to make one costs more than most files do. The first one that
 * asks starts it.
 * @returns its address, and how to say that it is not needed any more
 */
export async function sharePostgres(): Promise<{ readonly address: string; release(): void }> {
  // All files of a run are started by the same process.
  const path = join(tmpdir(), `riverhook-postgres-${process.ppid}.sock`)
  const socket = await connect(path).catch(async (error: unknown) => {
    // What a keeper left that was killed, of an earlier run.
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') rmSync(path, { force: true })
    await startKeeper(path)
    return connect(path)
  })
  const [address] = (await once(createInterface({ input: socket }), 'line')) as [string]
  if (!address.startsWith('postgres://')) throw new Error(`no PostgreSQL: ${address}`)
  socket.unref()
  return { address, release: () => socket.destroy() }
}

async function connect(path: string): Promise<Socket> {
  const socket = createConnection(path)
  await once(socket, 'connect')
  return socket
}

/** Resolves when one listens: this one, or another file's that was faster. */
async function startKeeper(path: string): Promise<void> {
  const child = spawn(...asUser(process.execPath, [keeper, path]), {
    detached: true,
    env: environment({}),
    stdio: ['ignore', 'pipe', 'ignore']
  })
  child.unref()
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  child.stdout.destroy()
}
