import { randomInt } from 'node:crypto'
import { readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

import { RiverhookError } from '../../model/errors.ts'
import { markOffset, readLog, type WriteAheadLog } from './write-ahead-log.ts'

/*
 * SQLite replays any log beside a file, and the log of another file destroys it. So each of our commits increments a
 * mark in the header of page 1 (`PRAGMA application_id`, otherwise unused here). The log holds the mark of each
 * transaction, the file that of the last checkpoint. A file and its log belong together when the file's mark is in the
 * log, or is the one before the log's first. This also holds after writes by other programs, so a matching log is never
 * refused. A copy made by VACUUM INTO renumbers its pages under the same mark, but its header says that it is not in
 * WAL mode, and a file with a log always is.
 */

/** The header of the file itself, whatever the log says. */
interface Header {
  readonly isWal: boolean
  readonly pageSize: number
  readonly mark: number
}

const headerBytes = 100

/** @returns undefined for an empty file, and what is no SQLite file at all */
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

/**
 * Tries before a log is taken for another file's: a server may write to both between the reading of the one and of
 * the other.
 */
const tries = 5

/**
 * Refuses a file beside the log of another one, before SQLite replays it.
 * @param descriptor of the file; undefined: there is none
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE, and nothing was changed
 */
export function checkLog(path: string, descriptor: number | undefined): void {
  const logPath = `${path}-wal`
  for (let attempt = 1; ; attempt += 1) {
    const header = descriptor === undefined ? undefined : readHeader(descriptor)
    const log = readLog(logPath)
    if (log === undefined || (header !== undefined && belongs(log, header))) return
    if (attempt < tries) continue
    const what =
      descriptor === undefined
        ? `There is no ${path}, but its write-ahead log ${logPath} is there`
        : `The write-ahead log ${logPath} does not belong to ${path}`
    throw new RiverhookError(
      'RIVERHOOK_INBOX_UNAVAILABLE',
      `${what}: the file that it belongs to was moved, or another one was put in its place. Nothing was changed. ` +
        'Put the file that the log belongs to back beside it; or, to use a backup, run "riverhook inbox restore BACKUP", which keeps both aside; ' +
        `or, to use ${path} as it is, move ${logPath} away and keep it: it holds the newest events of the other file`
    )
  }
}

function belongs({ pageSize, marks }: WriteAheadLog, header: Header): boolean {
  const [first] = marks
  const last = marks.at(-1)
  if (!header.isWal || header.pageSize !== pageSize) return false
  return first === undefined || last === undefined || isBetween(header.mark, first - 1, last)
}

/** Marks are 32 bits and start anywhere, so they may pass their end. */
export function isBetween(mark: number, from: number, to: number): boolean {
  return (mark - from) >>> 0 <= (to - from) >>> 0
}

/** A mark to start from: of another line than every other file's. */
export function setFirstMark(db: DatabaseSync): void {
  setMark(db, randomInt(2 ** 31))
}

/** Counts the mark up, in the transaction that is open. */
export function countMark(db: DatabaseSync): void {
  setMark(db, Number(db.prepare('PRAGMA application_id').get()?.['application_id']) + 1)
}

export function setMark(db: DatabaseSync, mark: number): void {
  db.exec(`PRAGMA application_id = ${mark | 0}`)
}
