import { hostname } from 'node:os'

/** How a process names itself where others read it: in leases, in the lock of a file, in errors. */
export function ownerName(): string {
  return `process ${process.pid} on ${hostname()}`
}
