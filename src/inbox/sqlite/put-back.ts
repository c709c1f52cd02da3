import { closeSync, existsSync, linkSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { giveToOwnerOfFolder } from './access.ts'
import {
  backupError,
  readContent,
  findFreeName,
  isInbox,
  isWhole,
  syncFile,
  syncFolder,
  type BackupContent
} from './backup-file.ts'
import type { FileSettings } from './database.ts'
import { requireUnused, takeLock } from './lock.ts'
import { checkLog, setFirstMark } from './mark.ts'
import { isOfThisBuild, schemaVersion, readVersion } from './schema.ts'
import { hasCode, sqlite } from './sqlite-error.ts'
import { readLog } from './write-ahead-log.ts'

export interface Restored extends BackupContent {
  /**
   * The new path of the replaced inbox. If there was no inbox, the path of its log or journal; undefined if there was
   * none of them either.
   */
  readonly aside: string | undefined
}

/**
 * Replaces an inbox that no server uses by a backup. Keeps the replaced inbox and its log under another name. After a
 * crash at any moment, there is one complete inbox at the path: the old or the new one. Changes nothing if it throws.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_BACKUP
 */
export function putBack(settings: FileSettings, from: string, keep: (descriptor: number) => void): Restored {
  const { path, owner } = settings
  checkBackup(from, path)
  const lock = takeLock(path, owner)
  const prepared = `${path}.${process.pid}.restoring`
  try {
    checkUnused(settings, keep)
    const content = prepare(from, prepared)
    const aside = keepReplaced(path)
    renameSync(prepared, path)
    // The log and the journal belong to the replaced file, and were kept with it. A start would reject the log. But
    // SQLite would roll back the journal of another file silently.
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
    syncFolder(dirname(path))
    return { ...content, aside }
  } catch (error) {
    throw backupError(`${from} could not be restored. ${path} was left unchanged`, error)
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

/** Requires that no server uses the file. A damaged file, or one with the log of another file, cannot be in use. */
function checkUnused({ path, owner, busyTimeoutMs }: FileSettings, keep: (descriptor: number) => void): void {
  if (!existsSync(path)) return
  const descriptor = openSync(path, 'r')
  keep(descriptor)
  try {
    checkLog(path, descriptor)
    requireUnused(path, owner, busyTimeoutMs)
  } catch (error) {
    if (error instanceof RiverhookError && error.code === 'RIVERHOOK_INBOX_IN_USE') throw error
  }
}

/** Copies the backup and its log to one file beside the inbox, and checks that file. Never opens the backup itself. */
function prepare(from: string, to: string): BackupContent {
  copyPrivately(from, to)
  if (readLog(`${from}-wal`) !== undefined) copyPrivately(`${from}-wal`, `${to}-wal`)
  const descriptor = openSync(to, 'r')
  try {
    checkLog(to, descriptor)
  } catch {
    throw backupError(
      `${from}-wal does not belong to ${from}, and would destroy it. To restore ${from} alone, move ${from}-wal away`
    )
  } finally {
    closeSync(descriptor)
  }
  const db = new DatabaseSync(to)
  try {
    const version = readVersion(db)
    if (!isWhole(db)) throw backupError(`${from} is damaged: it does not pass the integrity check`)
    if (version > schemaVersion || (version > 0 && version < schemaVersion)) {
      throw backupError(
        `${from} has file version ${version}, and this Riverhook can restore only version ${schemaVersion}. Use the Riverhook version that made the backup`
      )
    }
    if (!isInbox(db)) throw backupError(`${from} is not a Riverhook inbox`)
    if (!isOfThisBuild(db))
      throw backupError(`${from} was made by another build of Riverhook, with other tables. Use that build`)
    const content = readContent(db)
    // The copy has no log, and no server has locked it.
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
 * Gives a second name to the inbox, its log and its journal. They keep their first names until the backup replaces
 * them, so that there is always a complete inbox at the path.
 * @returns the second name of the first of them; undefined if there is none
 */
function keepReplaced(path: string): string | undefined {
  const names = ['', '-wal', '-journal'].filter(
    (suffix) => (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0
  )
  if (names.length === 0) return undefined
  const aside = findFreeName(`${path}.replaced`)
  for (const suffix of names) {
    try {
      linkSync(path + suffix, aside + suffix)
    } catch {
      // This file system has no hard links.
      copyPrivately(path + suffix, aside + suffix)
      syncFile(aside + suffix)
    }
  }
  syncFolder(dirname(path))
  return aside + (names[0] ?? '')
}

/** Copies a file to a new one that only this user, or the owner of the folder, can read. */
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
