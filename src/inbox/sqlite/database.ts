import { fstatSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

import { RiverhookError } from '../../model/errors.ts'
import type { InboxNote } from '../inbox.ts'
import { createPrivateFile, notesOn } from './access.ts'
import { requireAlone } from './lock.ts'
import { LogEnd } from './log-end.ts'
import { checkLog, countMark, isBetween, readHeader, setFirstMark, setMark } from './mark.ts'
import { migrate, schemaVersion, versionOf } from './schema.ts'
import { hasCode, sqlite } from './sqlite-error.ts'

export interface FileSettings {
  readonly path: string
  /** `server`: the one process that delivers from this file. `command`: a visitor that reads and replays meanwhile. */
  readonly role: 'server' | 'command'
  /** Whether a server may begin a new inbox where there is no file. */
  readonly create: boolean
  /** Who we are, for the error that a second server gets. */
  readonly owner: string
  /**
   * Unique to this engine object: tells our own leases, after the file was opened anew, from those of a dead process.
   */
  readonly instance: string
  readonly maxBytes: number | undefined
  readonly busyTimeoutMs: number
}

/** What opening needs besides the settings. */
export interface Opening {
  readonly settings: FileSettings
  readonly now: number
  /** Whether the file may be created. */
  readonly mayCreate: boolean
  /** The lock that this server holds; undefined for a command. */
  readonly lockInode: number | undefined
  /** Called with a descriptor of the file that must stay open: see open-files.ts. */
  readonly keep: (descriptor: number) => void
}

/** The file at the path, found and checked against its log, not opened by SQLite yet. */
export interface FoundFile {
  /** Of our own, to look at the file itself, past the log. */
  readonly descriptor: number
  readonly inode: number
  readonly created: boolean
}

/**
 * Refuses a path without a file where none may be created.
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE
 */
export function requireFile(path: string, mayCreate: boolean): void {
  const file = statSync(path, { throwIfNoEntry: false })
  if (file?.isDirectory() === true)
    throw new RiverhookError(
      'RIVERHOOK_INBOX_UNAVAILABLE',
      `${path} is a folder: give the inbox the name of a file in it`
    )
  if (file !== undefined) return
  checkLog(path, undefined)
  if (mayCreate) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `There is no inbox at ${path}. A server creates it at its first start; check the address`
  )
}

/**
 * Finds the file, or creates it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE: there is none, or the log beside it is another file's
 */
export function findFile({ settings: { path }, mayCreate, keep }: Opening): FoundFile {
  requireFile(path, mayCreate)
  const created = mayCreate && createPrivateFile(path)
  const descriptor = openSync(path, 'r')
  keep(descriptor)
  checkLog(path, descriptor)
  return { descriptor, inode: fstatSync(descriptor).ino, created }
}

/** An open file. */
export class OpenFile {
  readonly db: DatabaseSync
  readonly notes: readonly InboxNote[]
  readonly #found: FoundFile
  /**
   * Holds a lock on the file that keeps SQLite from replaying the log into it when `db` is closed, and cannot do so
   * itself.
   */
  readonly #guard: DatabaseSync
  readonly #readMark: StatementSync
  readonly #isWal: boolean
  readonly #logEnd: LogEnd | undefined
  #lastMark: number

  /** @throws whatever SQLite throws; `db` is closed then */
  private constructor(
    db: DatabaseSync,
    { settings: { path }, keep }: Opening,
    found: FoundFile,
    notes: readonly InboxNote[]
  ) {
    this.db = db
    this.notes = notes
    this.#found = found
    const guard = new DatabaseSync(path, { readOnly: true, open: false })
    this.#guard = guard
    try {
      this.#readMark = db.prepare('PRAGMA application_id')
      const header = readHeader(found.descriptor)
      this.#isWal = header?.isWal === true
      this.#lastMark = header?.mark ?? 0
      if (!this.#isWal || isStill(db)) return
      guard.open()
      guard.prepare('SELECT count(*) FROM sqlite_schema').get()
      this.#logEnd = LogEnd.open(path, keep)
    } catch (error) {
      if (guard.isOpen) guard.close()
      db.close()
      throw error
    }
  }

  /**
   * Opens the file, brings it to this version and, for a server, takes back what a dead predecessor had claimed.
   * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION, RIVERHOOK_INBOX_IN_USE; whatever SQLite throws
   */
  static open(opening: Opening, found: FoundFile): OpenFile {
    const { path, role } = opening.settings
    const db = role === 'server' ? openAsServer(opening) : openAsCommand(opening.settings)
    return new OpenFile(db, opening, found, role === 'server' ? notesAt(path, found) : [])
  }

  /**
   * Begins a transaction.
   * @returns false, and there is none, when the file or its log was overwritten under us: its mark is none that it
   * can have, or the log ends otherwise
   */
  begin(kind: 'read' | 'write'): boolean {
    const { db } = this
    // Before the transaction: it may be behind what the log says, and never ahead.
    const header = readHeader(this.#found.descriptor)
    if (this.#logEnd?.isAsCommitted() === false) return false
    db.exec(kind === 'read' ? 'BEGIN' : 'BEGIN IMMEDIATE')
    try {
      const mark = Number(this.#readMark.get()?.['application_id'])
      if (header?.isWal !== this.#isWal || !isBetween(header.mark, this.#lastMark, mark)) {
        db.exec('ROLLBACK')
        return false
      }
      this.#lastMark = header.mark
      if (kind === 'write') setMark(db, mark + 1)
      return true
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  /** False when the file has no name any more: it is gone once it is closed. */
  hasName(): boolean {
    return fstatSync(this.#found.descriptor).nlink > 0
  }

  /** False when the file was overwritten under us. */
  isItself(): boolean {
    if (!this.begin('read')) return false
    this.db.exec('ROLLBACK')
    return true
  }

  /** Closes the file, with all that is in its log. */
  close(): void {
    if (this.#guard.isOpen) this.#guard.close()
    this.db.close()
  }

  /** Writes all that is in the file and its log to a new file, whatever became of them since they were opened. */
  saveTo(path: string): void {
    createPrivateFile(path)
    this.db.prepare('VACUUM INTO ?').run(path)
  }

  /**
   * Closes a file that was moved away, with all that is in its log: SQLite's own closing leaves the log beside
   * whatever is at the path now.
   */
  completeAndClose(): void {
    try {
      this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // The log stays, and the next start says that it does not belong to the file at the path.
    }
    this.abandon()
  }

  /** Closes the file and leaves both it and its log as they are. */
  abandon(): void {
    this.db.close()
    if (this.#guard.isOpen) this.#guard.close()
  }
}

function notesAt(path: string, { created }: FoundFile): InboxNote[] {
  return [...(created ? [{ level: 'info', message: `created a new inbox: ${path}` } as const] : []), ...notesOn(path)]
}

function openAsServer(opening: Opening): DatabaseSync {
  const { settings, now, lockInode } = opening
  const { path, owner, maxBytes, busyTimeoutMs } = settings
  let db = connect(settings)
  try {
    checkVersion(db, settings)
    if (!wasTakenUnder(db, lockInode)) {
      db.close()
      requireAlone(path, owner, busyTimeoutMs)
      db = connect(settings)
    }
    // A new file, or a copy made by VACUUM INTO: what is counted up from here on is of a line of its own.
    if (db.prepare('PRAGMA journal_mode').get()?.['journal_mode'] !== 'wal') setFirstMark(db)
    // FULL: in WAL mode, only this setting puts a commit on the disk before it is answered.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768')
    migrate(db)
    takeOver(db, opening, now)
    if (maxBytes !== undefined) {
      const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
      db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSize)}`)
    }
    return db
  } catch (error) {
    if (db.isOpen) db.close()
    throw error
  }
}

/** Works on a file and a folder that this user cannot write to, too, as long as it only reads. */
function openAsCommand(settings: FileSettings): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = connect(settings)
    checkVersion(db, settings)
    db.exec('PRAGMA synchronous = FULL')
    return db
  } catch (error) {
    if (db?.isOpen === true) db.close()
    // A log that cannot be opened beside a file that cannot be written: without a log, all is in the file.
    if (
      !hasCode(error, sqlite.CANTOPEN, sqlite.READONLY) ||
      (statSync(`${settings.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
    )
      throw error
    const url = pathToFileURL(settings.path)
    url.search = 'immutable=1'
    const still = new DatabaseSync(url, { readOnly: true })
    try {
      checkVersion(still, settings)
      return still
    } catch (fault) {
      still.close()
      throw fault
    }
  }
}

/** True for a file that was opened without its log. */
function isStill(db: DatabaseSync): boolean {
  return db.location() === null || db.prepare('PRAGMA journal_mode').get()?.['journal_mode'] !== 'wal'
}

function connect({ path, busyTimeoutMs }: FileSettings): DatabaseSync {
  return new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false })
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

/** True when the last server of this file held this lock: then it has ended. */
function wasTakenUnder(db: DatabaseSync, lockInode: number | undefined): boolean {
  if (versionOf(db) < schemaVersion || lockInode === undefined) return false
  return Number(db.prepare('SELECT lock FROM server').get()?.['lock'] ?? 0) === lockInode
}

/** Said so that the partial index on claimable deliveries serves it. */
const running = "state IN ('pending', 'running') AND state = 'running'"

/**
 * Nobody else serves from this file (see lock.ts), so what is still running belongs to a dead process: its lease ends
 * at once. Not so when we open the file anew after a fault: then it is our own.
 */
function takeOver(db: DatabaseSync, { settings: { owner, instance }, lockInode }: Opening, now: number): void {
  if (db.prepare('SELECT instance FROM server').get()?.['instance'] === instance) return
  db.exec('BEGIN IMMEDIATE')
  try {
    countMark(db)
    db.prepare(`UPDATE delivery SET due_at = ? WHERE ${running}`).run(now)
    db.exec('DELETE FROM server')
    db.prepare('INSERT INTO server (one, owner, instance, since, lock) VALUES (1, ?, ?, ?, ?)').run(
      owner,
      instance,
      now,
      lockInode ?? null
    )
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
