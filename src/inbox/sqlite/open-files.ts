import { closeSync } from 'node:fs'

/**
 * POSIX drops all locks that a process has on a file as soon as the process closes any descriptor of it, SQLite's own
 * included. A descriptor of an inbox that is not SQLite's is therefore kept until no engine of this process has the
 * inbox open.
 */
const files = new Map<string, { users: number; readonly descriptors: number[] }>()

/** Counts a user of the file at `path`; `releaseFile` ends it. */
export function useFile(path: string): void {
  const file = files.get(path)
  if (file === undefined) files.set(path, { users: 1, descriptors: [] })
  else file.users += 1
}

/** Has `descriptor` closed with the last user of the file. */
export function keepDescriptor(path: string, descriptor: number): void {
  files.get(path)?.descriptors.push(descriptor)
}

export function releaseFile(path: string): void {
  const file = files.get(path)
  if (file === undefined) return
  file.users -= 1
  if (file.users > 0) return
  files.delete(path)
  for (const descriptor of file.descriptors) closeSync(descriptor)
}
