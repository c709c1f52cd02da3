import { closeSync } from 'node:fs'

/**
 * POSIX releases all locks of a process on a file when the process closes any descriptor of the file. That includes
 * the locks of SQLite. So keep our own descriptors of an inbox until no engine of this process has the inbox open.
 */
const files = new Map<string, { users: number; readonly descriptors: number[] }>()

/** Counts a user of the file at `path`. Call `releaseFile` when it ends. */
export function useFile(path: string): void {
  const file = files.get(path)
  if (file === undefined) files.set(path, { users: 1, descriptors: [] })
  else file.users += 1
}

/** Keeps `descriptor` open until the last user of the file ends. */
export function keepDescriptor(path: string, descriptor: number): void {
  files.get(path)?.descriptors.push(descriptor)
}

/** Ends one user of the file. The last one closes the descriptors. */
export function releaseFile(path: string): void {
  const file = files.get(path)
  if (file === undefined) return
  file.users -= 1
  if (file.users > 0) return
  files.delete(path)
  for (const descriptor of file.descriptors) closeSync(descriptor)
}
