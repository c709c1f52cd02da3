import { randomInt } from 'node:crypto'
import { readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { markOffset, readLog, type WriteAheadLog } from './write-ahead-log.ts'

/*
 * SQLite replays any log beside a file. The log of another file would destroy it. So each of our commits increments a
 * mark in the header of page 1 (`PRAGMA application_id`, otherwise unused here). The log has the mark of each
 * transaction. The file has the mark of the last checkpoint. A file and a log belong together if the file's mark is in
 * the log, or is the one before the first mark in the log. Writes of other programs do not change that, so a matching
 * log is never rejected. A copy made by VACUUM INTO renumbers its pages under the same mark. But the header of a copy
 * says that it is not in WAL mode, and a file with a log always is.
 */

/** The header of the file itself, without its log. */
interface Header {
  readonly isWal: boolean
  readonly pageSize: number
  readonly mark: number
}

const headerBytes = 100

/** Reads the header of a file. @returns undefined for an empty file, or one that is not a SQLite file */
export function readHeader(descriptor: number): Header | undefined {
  const bytes = Buffer.alloc(headerBytes)
  if (
    readSync(descriptor, bytes, 0, headerBytes, 0) < headerBytes ||
    bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0'
  )
    return undefined
  const pageSize = bytes.readUInt16BE(16)
  return {
    isWal: bytes[18] === 2 && bytes[19] === 2,
    pageSize: pageSize === 1 ? 65_536 : pageSize,
    mark: bytes.readInt32BE(markOffset)
  }
}

/** Reads before a log is rejected: a server may write to the file and the log between our two reads. */
const maxReads = 5

/**
 * Rejects a file with the log of another file, before SQLite replays that log. Changes nothing.
 * @param descriptor an open descriptor of the file; undefined if there is no file
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE
 */
export function checkLog(path: string, descriptor: number | undefined): void {
  const logPath = `${path}-wal`
  for (let attempt = 1; ; attempt += 1) {
    const header = descriptor === undefined ? undefined : readHeader(descriptor)
    const log = readLog(logPath)
    if (log === undefined || (header !== undefined && belongs(log, header))) return
    if (attempt < maxReads) continue
    const what =
      descriptor === undefined
        ? `There is no ${path}, but its write-ahead log ${logPath} is there`
        : `The write-ahead log ${logPath} does not belong to ${path}`
    throw new RiverhookError(
      'RIVERHOOK_INBOX_UNAVAILABLE',
      `${what}: the file of the log was moved or replaced. Nothing was changed. ` +
        'Do one of these. Put the file of the log back beside it. Or, to use a backup, run "riverhook inbox restore BACKUP", which keeps the file and the log under other names. ' +
        `Or, to use ${path} as it is, move ${logPath} away and keep it: it has the newest events of the other file`
    )
  }
}

function belongs({ pageSize, marks }: WriteAheadLog, header: Header): boolean {
  const [first] = marks
  const last = marks.at(-1)
  if (!header.isWal || header.pageSize !== pageSize) return false
  return first === undefined || last === undefined || isBetween(header.mark, first - 1, last)
}

/** True if `mark` is one of the marks `from` to `to`. Marks have 32 bits and wrap around. */
export function isBetween(mark: number, from: number, to: number): boolean {
  return (mark - from) >>> 0 <= (to - from) >>> 0
}

/** Starts a series of marks, at random, so that no other file has the same ones. */
export function setFirstMark(db: DatabaseSync): void {
  setMark(db, randomInt(2 ** 31))
}

/** Increments the mark, in the open transaction. */
export function incrementMark(db: DatabaseSync): void {
  setMark(db, Number(db.prepare('PRAGMA application_id').get()?.['application_id']) + 1)
}

export function setMark(db: DatabaseSync, mark: number): void {
  db.exec(`PRAGMA application_id = ${mark | 0}`)
}
