import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import pg from 'pg'

import { readThreads, totalCpu } from '../cpu.ts'

/**
 * A function that reads the CPU time of a PostgreSQL server's processes, in microseconds; undefined if they do not run
 * on this machine, or not on Linux.
 */
export async function postgresCpu(address: string): Promise<(() => number) | undefined> {
  if (process.platform !== 'linux') return undefined
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  let parent: string | undefined
  try {
    const { rows } = await client.query<{ readonly data_directory: string }>('SHOW data_directory')
    parent = readFileSync(join(rows[0]?.data_directory ?? '', 'postmaster.pid'), 'utf8').split('\n')[0]
  } catch {
    return undefined
  } finally {
    await client.end()
  }
  return () =>
    readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid) && (pid === parent || parentOf(pid) === parent))
      .reduce((sum, pid) => sum + cpuOf(Number(pid)), 0)
}

/** The CPU time of a process; 0 if it has ended meanwhile, such as a worker of autovacuum. */
function cpuOf(pid: number): number {
  try {
    return totalCpu(readThreads(pid))
  } catch {
    return 0
  }
}

function parentOf(pid: string): string | undefined {
  try {
    // The name of the command may have spaces and brackets.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]
  } catch {
    // The process has ended meanwhile.
    return undefined
  }
}
