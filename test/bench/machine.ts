import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Describes the machine and the versions, for the report of a run. */
export function describeMachine() {
  const [first] = cpus()
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown'
  }
}

/** How many processes wanted to run, on average over the last minute. Those of the bench count, too. */
export function readLoad(): number {
  return Math.round((loadavg()[0] ?? Number.NaN) * 100) / 100
}
