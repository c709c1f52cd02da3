import { closeSync, existsSync, linkSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { giveToOwnerOfFolder } from './access.ts'
import {
  backupError,
  contentOf,
  freeName,
  isInbox,
  isWhole,
  syncFile,
  syncFolder,
  type BackupContent
} from './backup-file.ts'
import type { FileSettings } from './database.ts'
import { requireAlone, takeLock } from './lock.ts'
import { checkLog, setFirstMark } from './mark.ts'
import { schemaVersion, versionOf } from './schema.ts'
import { hasCode, sqlite } from './sqlite-error.ts'
import { readLog } from './write-ahead-log.ts'

export interface Restored extends BackupContent {
  /**
   * Where the inbox that was replaced is now, or its log or journal where the file was gone; undefined: there was
   * none of them.
   */
  readonly aside: string | undefined
}

/**
 * Puts a backup in the place of an inbox that no server has. The inbox that is replaced is kept aside, with its log.
 * A crash at any moment leaves the one or the other in place, whole.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_BACKUP; nothing was changed
 */
export function putBack(settings: FileSettings, from: string, keep: (descriptor: number) => void): Restored {
  const { path, owner } = settings
  checkBackup(from, path)
  const lock = takeLock(path, owner)
  const prepared = `${path}.${process.pid}.restoring`
  try {
    checkAlone(settings, keep)
    const content = prepare(from, prepared)
    const aside = putAside(path)
    renameSync(prepared, path)
    // From here on the log is a stranger's, and a start would say so. SQLite would roll a stranger's journal back
    // without a word. Both were put aside.
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
    syncFolder(dirname(path))
    return { ...content, aside }
  } catch (error) {
    throw backupError(`${from} could not be restored, and ${path} was left as it was`, error)
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(prepared + suffix, { force: true })
    lock.close()
  }
}

function checkBackup(from: string, path: string): void {
  const file = statSync(from, { throwIfNoEntry: false })
  if (file === undefined) throw backupError(`There is no backup at ${from}`)
  if (!file.isFile()) throw backupError(`${from} is not a file`)
  const replaced = statSync(path, { throwIfNoEntry: false })
  if (replaced?.ino === file.ino && replaced.dev === file.dev) throw backupError(`${from} is the inbox itself`)
  if (existsSync(`${from}.lock`) && isInUse(from)) {
    throw backupError(
      `${from} is the inbox of a running server. Run: riverhook inbox backup FILE --inbox sqlite:${from}, and restore that file`
    )
  }
}

function isInUse(path: string): boolean {
  try {
    takeLock(path, 'restore').close()
    return false
  } catch (error) {
    // Another error, such as a lock file that this user cannot write to, does not mean that the lock is held.
    return error instanceof RiverhookError && error.code === 'RIVERHOOK_INBOX_IN_USE'
  }
}

/**
 * Checks that no server has the file. A damaged file, or one with a foreign log, cannot be in use and is only put
 * aside.
 */
function checkAlone({ path, owner, busyTimeoutMs }: FileSettings, keep: (descriptor: number) => void): void {
  if (!existsSync(path)) return
  const descriptor = openSync(path, 'r')
  keep(descriptor)
  try {
    checkLog(path, descriptor)
    requireAlone(path, owner, busyTimeoutMs)
  } catch (error) {
    if (error instanceof RiverhookError && error.code === 'RIVERHOOK_INBOX_IN_USE') throw error
  }
}

/**
 * Copies the backup, with what is in its log, to one file beside the inbox, and checks it there: the backup itself is
 * never opened.
 */
function prepare(from: string, to: string): BackupContent {
  copyPrivately(from, to)
  if (readLog(`${from}-wal`) !== undefined) copyPrivately(`${from}-wal`, `${to}-wal`)
  const descriptor = openSync(to, 'r')
  try {
    checkLog(to, descriptor)
  } catch {
    throw backupError(
      `${from}-wal does not belong to ${from}, and would destroy it. Move it away to restore ${from} alone`
    )
  } finally {
    closeSync(descriptor)
  }
  const db = new DatabaseSync(to)
  try {
    const version = versionOf(db)
    if (!isWhole(db)) throw backupError(`${from} is damaged: it does not pass the integrity check`)
    if (version > schemaVersion || (version > 0 && version < schemaVersion)) {
      throw backupError(
        `${from} has file version ${version}, and this Riverhook restores version ${schemaVersion}: use the one that made it`
      )
    }
    if (!isInbox(db)) throw backupError(`${from} is not a Riverhook inbox`)
    const content = contentOf(db)
    // No log belongs to the copy, and no lock was ever taken on it.
    db.exec('PRAGMA journal_mode = DELETE; UPDATE server SET lock = NULL')
    setFirstMark(db)
    db.close()
    syncFile(to)
    return { ...content, bytes: statSync(to).size }
  } catch (error) {
    if (db.isOpen) db.close()
    if (hasCode(error, sqlite.NOTADB)) throw backupError(`${from} is not a Riverhook inbox: it is no SQLite file`)
    if (hasCode(error, sqlite.CORRUPT)) throw backupError(`${from} is damaged`, error)
    throw error
  }
}

/**
 * Gives the inbox, its log and a journal that a crash left a second name, so that there is a whole one at its path
 * until another one takes its place.
 */
function putAside(path: string): string | undefined {
  const names = ['', '-wal', '-journal'].filter(
    (suffix) => (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0
  )
  if (names.length === 0) return undefined
  const aside = freeName(`${path}.replaced`)
  for (const suffix of names) {
    try {
      linkSync(path + suffix, aside + suffix)
    } catch {
      // A file system without hard links.
      copyPrivately(path + suffix, aside + suffix)
      syncFile(aside + suffix)
    }
  }
  syncFolder(dirname(path))
  return aside + (names[0] ?? '')
}

function copyPrivately(from: string, to: string): void {
  const buffer = Buffer.alloc(1024 * 1024)
  const source = openSync(from, 'r')
  try {
    const target = openSync(to, 'wx', 0o600)
    try {
      for (let read = readSync(source, buffer); read > 0; read = readSync(source, buffer)) {
        for (let written = 0; written < read; ) written += writeSync(target, buffer, written, read - written)
      }
    } finally {
      closeSync(target)
    }
    giveToOwnerOfFolder(to)
  } finally {
    closeSync(source)
  }
}
