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
 * The PostgreSQL that all test files of this run share. Starting one takes longer than most files. The first caller
 * starts it.
 * @returns its address, and a function that releases it
 */
export async function sharePostgres(): Promise<{ readonly address: string; release(): void }> {
  // All files of a run have the same parent process.
  const path = join(tmpdir(), `riverhook-postgres-${process.ppid}.sock`)
  const socket = await connect(path).catch(async (error: unknown) => {
    // Left behind by a killed keeper of an earlier run.
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

/** Resolves when a keeper listens: this one, or a faster one of another file. */
async function startKeeper(path: string): Promise<void> {
  const child = spawn(...asUser(process.execPath, [keeper, path]), {
    detached: true,
    env: environment({}),
    stdio: ['ignore', 'pipe', 'ignore']
  })
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  // Not before: the output of a keeper that fails closes before its exit is known, and then nothing would be awaited.
  child.unref()
  child.stdout.destroy()
}
