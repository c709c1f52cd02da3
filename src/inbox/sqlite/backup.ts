import { existsSync, linkSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { backupError, readContent, isWhole, syncFile, syncFolder, type BackupContent } from './backup-file.ts'
import { findFile, OpenFile, type FileSettings } from './database.ts'

/**
 * Writes a complete and consistent copy of an inbox to one file, while a server may be writing to the inbox. Leaves
 * nothing at `to` if it throws.
 * @param keep see Opening
 * @throws {RiverhookError} RIVERHOOK_INBOX_BACKUP; RIVERHOOK_INBOX_UNAVAILABLE if there is no inbox
 */
export function backUp(settings: FileSettings, to: string, keep: (descriptor: number) => void): BackupContent {
  const opening = { settings, now: Date.now(), mayCreate: false, lockInode: undefined, keep }
  const found = findFile(opening)
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw existsError(to)
  if (!existsSync(dirname(to)))
    throw backupError(`The folder ${dirname(to)} does not exist. Create it, or choose another one for the backup`)
  const file = OpenFile.open(opening, found)
  // Rename the file when it is complete: a killed command must not leave a file that looks like a backup.
  const partial = `${to}.${process.pid}.partial`
  try {
    file.saveTo(partial)
    const content = verify(partial)
    syncFile(partial)
    publish(partial, to)
    return content
  } catch (error) {
    throw backupError(`The backup ${to} could not be written. The incomplete file was deleted`, error)
  } finally {
    for (const suffix of ['', '-journal']) rmSync(partial + suffix, { force: true })
    file.close()
  }
}

function verify(path: string): BackupContent {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    if (!isWhole(db)) throw backupError('The inbox itself is damaged: its copy does not pass the integrity check')
    return { ...readContent(db), bytes: statSync(path).size }
  } finally {
    db.close()
  }
}

/** Gives the file its final name. Never overwrites another file. */
function publish(partial: string, to: string): void {
  try {
    linkSync(partial, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw existsError(to)
    // This file system has no hard links.
    if (existsSync(to)) throw existsError(to)
    renameSync(partial, to)
  }
  syncFolder(dirname(to))
}

const existsError = (to: string): Error =>
  backupError(`${to} exists already. A backup never overwrites a file: choose another name`)
