import { hostname } from 'node:os'

/** How a process identifies itself to others: in leases, in the lock of a file, and in errors. */
export function ownerName(): string {
  return `process ${process.pid} on ${hostname()}`
}
