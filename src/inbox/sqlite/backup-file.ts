import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { migrate } from './schema.ts'

/** A summary of a backup. */
export interface BackupContent {
  readonly events: number
  /** When the newest event arrived; undefined if there are no events. */
  readonly newestAt: Date | undefined
  readonly bytes: number
}

/** Creates the error of a backup or a restore. Returns a cause that is a RiverhookError unchanged. */
export function backupError(message: string, cause?: unknown): RiverhookError {
  if (cause === undefined) return new RiverhookError('RIVERHOOK_INBOX_BACKUP', message)
  if (cause instanceof RiverhookError) return cause
  const reason = cause instanceof Error ? cause.message : 'unknown reason'
  return new RiverhookError('RIVERHOOK_INBOX_BACKUP', `${message}: ${reason}`, { cause })
}

/** Runs the integrity check of SQLite. */
export function isWhole(db: DatabaseSync): boolean {
  return db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'] === 'ok'
}

/** True if the file has the tables and columns of this version. */
export function isInbox(db: DatabaseSync): boolean {
  const empty = new DatabaseSync(':memory:')
  try {
    migrate(empty)
    const has = new Set(listColumns(db))
    return listColumns(empty).every((column) => has.has(column))
  } finally {
    empty.close()
  }
}

function listColumns(db: DatabaseSync): string[] {
  const rows = db
    .prepare(
      "SELECT m.name AS name, c.name AS item FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    )
    .all()
  return rows.map((row) => `${String(row['name'])}.${String(row['item'])}`)
}

/** Reads the summary of a backup. */
export function readContent(db: DatabaseSync): Omit<BackupContent, 'bytes'> {
  const events = Number(db.prepare('SELECT count(*) AS count FROM event').get()?.['count'])
  const newest = db.prepare('SELECT received_at FROM event ORDER BY seq DESC LIMIT 1').get()
  return { events, newestAt: newest && new Date(Number(newest['received_at'])) }
}

/** Finds a name that no file has, made of `start` and the time. */
export function findFreeName(start: string): string {
  const stamp = new Date().toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
  for (let number = 1; ; number += 1) {
    const name = `${start}-${stamp}${number === 1 ? '' : `-${number}`}`
    if (!existsSync(name) && !existsSync(`${name}-wal`)) return name
  }
}

/** Flushes a file to the disk. */
export function syncFile(path: string): void {
  sync(path, 'r+')
}

/** Flushes the names in a folder to the disk. */
export function syncFolder(path: string): void {
  // Windows cannot open a folder, and does not need this.
  if (process.platform !== 'win32') sync(path, 'r')
}

function sync(path: string, flags: string): void {
  const descriptor = openSync(path, flags)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
