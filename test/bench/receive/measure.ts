import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startChild, type Child } from '../child.ts'
import type { Contestant } from './contestants.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { schemes } from './scheme.ts'

export interface Round extends LoadResult {
  /** The server's CPU time for one request, all its threads together: less shaken by other work on the machine. */
  readonly cpuMicros: number
}

export type Measured = Pick<Contestant, 'file' | 'scheme' | 'args' | 'expected'>

export interface Load {
  readonly bodyBytes: number
  readonly connections: number
  readonly warmUpMs: number
  readonly measuredMs: number
}

const path = '/webhooks'

/** Starts the contestant's server, lets the load generator at it, and ends both. */
export async function measure(contestant: Measured, load: Load): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
  const server = startChild(contestant.file, [path, schemes[contestant.scheme].secret, ...contestant.args(folder)])
  try {
    const { port } = (await server.message()) as { port: number }
    const generator = startChild('receive/load.ts')
    try {
      const { bodyBytes, connections, warmUpMs, measuredMs } = load
      const order: LoadOrder = {
        port,
        path,
        scheme: contestant.scheme,
        bodyBytes,
        connections,
        warmUpMs,
        measuredMs,
        expected: contestant.expected
      }
      generator.process.send(order)
      // It says that the measured part starts, and then what came of it.
      await generator.message()
      const before = await cpuOf(server)
      const result = (await generator.message()) as LoadResult
      return { ...result, cpuMicros: ((await cpuOf(server)) - before) / result.requests }
    } finally {
      await generator.stop()
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function cpuOf(server: Child): Promise<number> {
  server.process.send('cpu')
  return ((await server.message()) as { cpuMicros: number }).cpuMicros
}
