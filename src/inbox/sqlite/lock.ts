import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { createPrivateFile, createPrivateFolder } from './access.ts'
import { hasCode, sqlite } from './sqlite-error.ts'

/** The right to serve from a file. */
export interface Lock {
  /** The inode of the lock file, which is not used again while a process has it open. */
  readonly inode: number | undefined
  close(): void
}

/**
 * Takes the right to serve from this file. It is a lock of the operating system on a small file beside it, so that it
 * ends with the process however it dies; held until `close()`.
 * @param owner who asks, for the error
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE
 */
export function takeLock(path: string, owner: string): Lock {
  const lockPath = `${path}.lock`
  createPrivateFolder(dirname(path))
  createPrivateFile(lockPath)
  const lock = new DatabaseSync(lockPath)
  try {
    // With the journal in memory nothing is ever left behind beside the lock file.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!hasCode(error, sqlite.BUSY)) throw error
    throw inUse(path, owner, `another server${holder(path)}`)
  }
  return {
    inode: statSync(lockPath, { throwIfNoEntry: false })?.ino,
    close: () => {
      lock.close()
    }
  }
}

const pauseMs = 50

/**
 * Makes sure that nobody has the file itself open. Whoever removes the lock file does not lift this: each process
 * that has a file in WAL mode open holds a lock on it.
 * @param busyTimeoutMs how long a command that has the file open may take to end
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE
 */
export function requireAlone(path: string, owner: string, busyTimeoutMs: number): void {
  const deadline = performance.now() + busyTimeoutMs
  for (;;) {
    const db = new DatabaseSync(path)
    try {
      // In this mode SQLite locks the whole file before it looks at it, a file in WAL mode too.
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK')
      return
    } catch (error) {
      if (!hasCode(error, sqlite.BUSY)) throw error
      if (performance.now() > deadline) {
        throw inUse(
          path,
          owner,
          `another process${holder(path)}, although ${path}.lock is free: a server whose lock file was removed, or a program that has the file open`
        )
      }
    } finally {
      db.close()
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
  }
}

function inUse(path: string, owner: string, by: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_IN_USE',
    `${path} is in use by ${by}, and ${owner} cannot share it. One SQLite inbox, one server: stop the other one, or give this one a file of its own`
  )
}

function holder(path: string): string {
  try {
    const db = new DatabaseSync(path, { readOnly: true })
    try {
      const row = db.prepare('SELECT owner, since FROM server').get()
      return row === undefined
        ? ''
        : ` (${String(row['owner'])}, since ${new Date(Number(row['since'])).toISOString()})`
    } finally {
      db.close()
    }
  } catch {
    // Best effort: this only adds detail to the error message.
    return ''
  }
}
