import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../errors.ts'
import { migrate, schemaVersion, versionOf } from './schema.ts'

export interface FileSettings {
  readonly path: string
  /** `server`: the one process that delivers from this file. `command`: a visitor that reads and replays meanwhile. */
  readonly role: 'server' | 'command'
  /** Who we are, for the error that a second server gets. */
  readonly owner: string
  /** Unique to this engine object: tells our own leases, after the file was opened anew, from those of a dead process. */
  readonly instance: string
  readonly maxBytes: number | undefined
  readonly busyTimeoutMs: number
}

/** The open file, and what tells whether it is still the one at its path. */
export interface OpenFile {
  readonly db: DatabaseSync
  readonly inode: number
}

/**
 * Takes the right to serve from this file. It is a lock of the operating system on a small file beside it, so that it
 * ends with the process however it dies; held until `close()`.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE
 */
export function lockFile({ path, owner }: FileSettings): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const lock = new DatabaseSync(`${path}.lock`)
  try {
    // With the journal in memory nothing is ever left behind beside the lock file.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (!isSqliteError(error) || primaryCode(error) !== sqlite.BUSY) throw error
    throw new RiverhookError(
      'RIVERHOOK_INBOX_IN_USE',
      `${path} is in use by another server${holder(path)}, and ${owner} cannot share it. One SQLite inbox, one server: ` +
        'stop the other one, or give this one a file of its own'
    )
  }
}

/**
 * Opens the file, brings it to this version and, for a server, takes back what a dead predecessor had claimed.
 * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION; whatever SQLite throws
 */
export function openFile(settings: FileSettings, now: number): OpenFile {
  const { path, role, maxBytes, busyTimeoutMs } = settings
  if (role === 'command' && statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `There is no inbox at ${path}. A server creates it at its first start`)
  }
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false })
  try {
    // FULL: in WAL mode, only this setting puts a commit on the disk before it is answered.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768')
    checkVersion(db, settings)
    if (role === 'server') {
      migrate(db)
      takeOver(db, settings, now)
    }
    if (maxBytes !== undefined) {
      const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
      db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSize)}`)
    }
    return { db, inode: statSync(path).ino }
  } catch (error) {
    db.close()
    throw error
  }
}

/** False when the file was removed or replaced under us: what is written to it now would be lost. */
export function isStillThere({ inode }: OpenFile, path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === inode
}

function checkVersion(db: DatabaseSync, { path, role }: FileSettings): void {
  const version = versionOf(db)
  if (version > schemaVersion) {
    throw new RiverhookError(
      'RIVERHOOK_INBOX_VERSION',
      `${path} was written by a newer Riverhook (file version ${version}, this one reads ${schemaVersion}). Upgrade Riverhook`
    )
  }
  if (role === 'command' && version < schemaVersion) {
    throw new RiverhookError(
      'RIVERHOOK_INBOX_VERSION',
      `${path} has file version ${version}; start this Riverhook's server on it once to bring it to ${schemaVersion}`
    )
  }
}

const died = 'The process that ran it died'
/** Said so that the partial index on claimable deliveries serves it. */
const running = "state IN ('pending', 'running') AND state = 'running'"

/**
 * Nobody else serves from this file (see lockFile), so what is still running belongs to a dead process: it is due again
 * at once. Not so when we open the file anew after a fault: then it is our own.
 */
function takeOver(db: DatabaseSync, { owner, instance }: FileSettings, now: number): void {
  if (db.prepare('SELECT instance FROM server').get()?.['instance'] === instance) return
  db.exec('BEGIN IMMEDIATE')
  try {
    db.prepare(
      `INSERT INTO attempt (delivery_id, attempt, state, started_at, ended_at, error)
       SELECT id, attempts, 'expired', ?, ?, ? FROM delivery WHERE ${running}`
    ).run(now, now, died)
    db.prepare(
      `UPDATE delivery SET state = 'pending', due_at = ?, owner = NULL, overtakable = 0, last_error = ? WHERE ${running}`
    ).run(now, died)
    db.exec('DELETE FROM server')
    db.prepare('INSERT INTO server (one, owner, instance, since) VALUES (1, ?, ?, ?)').run(owner, instance, now)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function holder(path: string): string {
  try {
    const db = new DatabaseSync(path, { readOnly: true })
    try {
      const row = db.prepare('SELECT owner, since FROM server').get()
      return row === undefined ? '' : ` (${String(row['owner'])}, since ${new Date(Number(row['since'])).toISOString()})`
    } finally {
      db.close()
    }
  } catch {
    // Only an ornament of the error message: without it the message is still true.
    return ''
  }
}

/** The result codes of SQLite that we tell apart. https://sqlite.org/rescode.html */
export const sqlite = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const

export interface SqliteError extends Error {
  /** An extended result code. */
  readonly errcode: number
}

/** The primary result code: the low byte of an extended one. */
export function primaryCode({ errcode }: SqliteError): number {
  return errcode & 0xff
}

/** True for what node:sqlite throws. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}
