import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { createPrivateFile, requireFolder } from './access.ts'
import { hasCode, sqlite } from './sqlite-error.ts'

/** The lock of the one server that may use a file. */
export interface Lock {
  /** The inode of the lock file. The system does not reuse it while a process has the file open. */
  readonly inode: number | undefined
  close(): void
}

/**
 * Takes the lock of a server on this file, until `close()`. It is a lock of the operating system on a small file beside
 * it, so it ends with the process, even after a crash.
 * @param owner the name of this process, for the error
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE if another server holds the lock
 */
export function takeLock(path: string, owner: string): Lock {
  const lockPath = `${path}.lock`
  requireFolder(dirname(path))
  createPrivateFile(lockPath)
  const lock = new DatabaseSync(lockPath)
  try {
    // Keep the journal in memory, so that no other file is left beside the lock file.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!hasCode(error, sqlite.BUSY)) throw error
    throw inUse(path, owner, `another server${describeHolder(path)}`)
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
 * Requires that no other process has the file open. This holds even if the lock file was deleted: each process that has
 * a file in WAL mode open holds a lock on the file itself.
 * @param busyTimeoutMs how long to wait for a command that has the file open
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE
 */
export function requireUnused(path: string, owner: string, busyTimeoutMs: number): void {
  const deadline = performance.now() + busyTimeoutMs
  for (;;) {
    const db = new DatabaseSync(path)
    try {
      // In this mode, SQLite locks the whole file before it reads it, even a file in WAL mode.
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK')
      return
    } catch (error) {
      if (!hasCode(error, sqlite.BUSY)) throw error
      if (performance.now() > deadline) {
        throw inUse(
          path,
          owner,
          `another process${describeHolder(path)}, although ${path}.lock is free: a server whose lock file was removed, or a program that has the file open`
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
    `${path} is in use by ${by}, and ${owner} cannot share it. A SQLite inbox can have one server. Stop the other one, or use another file for this one`
  )
}

function describeHolder(path: string): string {
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
