import { readdirSync, readFileSync } from 'node:fs'

import type { Child } from './child.ts'

/** The CPU time of a process since its start, in microseconds. */
export interface Cpu {
  readonly main: number
  /** The threads of SQLite. */
  readonly sqlite: number
  /** All other threads, such as those of V8. */
  readonly other: number
}

/** The name of the threads of the SQLite inbox, as Linux shortens it. */
const sqliteName = 'riverhook-sqlit'

/**
 * Reads the CPU time of each thread from the scheduler of Linux. Elsewhere, the process reports it, and all of it is
 * counted as that of the main thread.
 */
export async function readCpu(child: Child): Promise<Cpu> {
  const { pid } = child.process
  if (process.platform === 'linux' && pid !== undefined) return readThreads(pid)
  child.process.send('cpu')
  return { main: ((await child.message()) as { cpuMicros: number }).cpuMicros, sqlite: 0, other: 0 }
}

/** Reads the CPU time of the threads of a process on Linux. */
export function readThreads(pid: number): Cpu {
  const cpu = { main: 0, sqlite: 0, other: 0 }
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`
    try {
      const name = readFileSync(`${folder}/comm`, 'utf8').trim()
      const [nanoseconds = '0'] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ')
      cpu[Number(thread) === pid ? 'main' : name === sqliteName ? 'sqlite' : 'other'] += Number(nanoseconds) / 1_000
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return cpu
}

/** The CPU time between two readings, divided by a count. */
export function cpuBetween(before: Cpu, after: Cpu, count: number): Cpu {
  return {
    main: (after.main - before.main) / count,
    sqlite: (after.sqlite - before.sqlite) / count,
    other: (after.other - before.other) / count
  }
}

export function totalCpu({ main, sqlite, other }: Cpu): number {
  return main + sqlite + other
}
