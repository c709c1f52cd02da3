import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { migrate } from './schema.ts'

/** What is in a backup. */
export interface BackupContent {
  readonly events: number
  /** When the newest of them arrived; undefined: there is none. */
  readonly newestAt: Date | undefined
  readonly bytes: number
}

/** An error of a backup or a restore; one that is such an error already stays as it is. */
export function backupError(message: string, cause?: unknown): RiverhookError {
  if (cause === undefined) return new RiverhookError('RIVERHOOK_INBOX_BACKUP', message)
  if (cause instanceof RiverhookError) return cause
  const reason = cause instanceof Error ? cause.message : 'unknown reason'
  return new RiverhookError('RIVERHOOK_INBOX_BACKUP', `${message}: ${reason}`, { cause })
}

export function isWhole(db: DatabaseSync): boolean {
  return db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'] === 'ok'
}

/** Whether the tables of this version are there. */
export function isInbox(db: DatabaseSync): boolean {
  const empty = new DatabaseSync(':memory:')
  try {
    migrate(empty)
    const has = new Set(columnsOf(db))
    return columnsOf(empty).every((column) => has.has(column))
  } finally {
    empty.close()
  }
}

function columnsOf(db: DatabaseSync): string[] {
  const rows = db
    .prepare(
      "SELECT m.name AS name, c.name AS item FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    )
    .all()
  return rows.map((row) => `${String(row['name'])}.${String(row['item'])}`)
}

export function contentOf(db: DatabaseSync): Omit<BackupContent, 'bytes'> {
  const events = Number(db.prepare('SELECT count(*) AS count FROM event').get()?.['count'])
  const newest = db.prepare('SELECT received_at FROM event ORDER BY seq DESC LIMIT 1').get()
  return { events, newestAt: newest && new Date(Number(newest['received_at'])) }
}

/** A name that no file has, with the time in it. */
export function freeName(start: string): string {
  const stamp = new Date().toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
  for (let number = 1; ; number += 1) {
    const name = `${start}-${stamp}${number === 1 ? '' : `-${number}`}`
    if (!existsSync(name) && !existsSync(`${name}-wal`)) return name
  }
}

/** Puts a file on the disk. */
export function syncFile(path: string): void {
  sync(path, 'r+')
}

/** Puts the names in a folder on the disk. */
export function syncFolder(path: string): void {
  // Windows opens no folder, and needs no such thing.
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
