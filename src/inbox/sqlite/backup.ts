import { existsSync, linkSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { backupError, contentOf, isWhole, syncFile, syncFolder, type BackupContent } from './backup-file.ts'
import { findFile, OpenFile, type FileSettings } from './database.ts'

/**
 * Writes a whole and consistent copy of an inbox to one file, while a server may be writing to it.
 * @param keep see Opening
 * @throws {RiverhookError} RIVERHOOK_INBOX_BACKUP, and nothing is left at `to`; RIVERHOOK_INBOX_UNAVAILABLE: there is
 * no inbox
 */
export function backUp(settings: FileSettings, to: string, keep: (descriptor: number) => void): BackupContent {
  const opening = { settings, now: Date.now(), mayCreate: false, lockInode: undefined, keep }
  const found = findFile(opening)
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw exists(to)
  if (!existsSync(dirname(to)))
    throw backupError(`The folder ${dirname(to)} does not exist: create it, or write the backup to another one`)
  const file = OpenFile.open(opening, found)
  // Under its own name only once it is whole: a command that is killed must leave nothing that looks like a backup.
  const partial = `${to}.${process.pid}.partial`
  try {
    file.saveTo(partial)
    const content = verify(partial)
    syncFile(partial)
    publish(partial, to)
    return content
  } catch (error) {
    throw backupError(`The backup ${to} could not be written, and nothing was left of it`, error)
  } finally {
    for (const suffix of ['', '-journal']) rmSync(partial + suffix, { force: true })
    file.close()
  }
}

function verify(path: string): BackupContent {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    if (!isWhole(db)) throw backupError('The inbox itself is damaged: its copy does not pass the integrity check')
    return { ...contentOf(db), bytes: statSync(path).size }
  } finally {
    db.close()
  }
}

/** Gives the file its name, and overwrites nothing. */
function publish(partial: string, to: string): void {
  try {
    linkSync(partial, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(to)
    // A file system without hard links.
    if (existsSync(to)) throw exists(to)
    renameSync(partial, to)
  }
  syncFolder(dirname(to))
}

const exists = (to: string): Error =>
  backupError(`${to} exists already: a backup overwrites nothing. Give it another name`)
