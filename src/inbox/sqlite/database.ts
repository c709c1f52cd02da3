import { fstatSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

import { RiverhookError } from '../../model/errors.ts'
import type { InboxNote } from '../inbox.ts'
import { createPrivateFile, checkAccess } from './access.ts'
import { requireUnused } from './lock.ts'
import { LogEnd } from './log-end.ts'
import { checkLog, incrementMark, isBetween, readHeader, setFirstMark, setMark } from './mark.ts'
import { isOfThisBuild, migrate, schemaVersion, readVersion } from './schema.ts'
import { hasCode, sqlite } from './sqlite-error.ts'

export interface FileSettings {
  readonly path: string
  /**
   * `server`: the one process that delivers from this file. `command`: reads and replays beside it. `reader`: the reads
   * for people of the server itself.
   */
  readonly role: 'server' | 'command' | 'reader'
  /** True if a server may create a new inbox if there is no file. */
  readonly create: boolean
  /** The name of this process, shown in the error of a second server. */
  readonly owner: string
  /**
   * Unique to this engine object. After the file is reopened, it distinguishes our leases from those of a dead process.
   */
  readonly instance: string
  readonly maxBytes: number | undefined
  readonly busyTimeoutMs: number
}

/** The parameters of an opening. */
export interface Opening {
  readonly settings: FileSettings
  readonly now: number
  /** True if the file may be created. */
  readonly mayCreate: boolean
  /** The lock that this server holds; undefined for a command. */
  readonly lockInode: number | undefined
  /** Called with a descriptor of the file that must stay open: see open-files.ts. */
  readonly keep: (descriptor: number) => void
}

/** The file at the path, checked against its log, and not opened by SQLite yet. */
export interface FoundFile {
  /** Our own descriptor, to read the file itself without its log. */
  readonly descriptor: number
  readonly inode: number
  readonly created: boolean
}

/**
 * Requires a file at the path, unless one may be created.
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE
 */
export function requireFile(path: string, mayCreate: boolean): void {
  const file = statSync(path, { throwIfNoEntry: false })
  if (file?.isDirectory() === true)
    throw new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', `${path} is a folder. Set the inbox to a file in it`)
  if (file !== undefined) return
  checkLog(path, undefined)
  if (mayCreate) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `There is no inbox at ${path}. A server creates it at its first start. Check the address`
  )
}

/**
 * Finds the file, or creates it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE if there is no file, or its log belongs to another file
 */
export function findFile({ settings: { path }, mayCreate, keep }: Opening): FoundFile {
  requireFile(path, mayCreate)
  const created = mayCreate && createPrivateFile(path)
  const descriptor = openSync(path, 'r')
  keep(descriptor)
  checkLog(path, descriptor)
  return { descriptor, inode: fstatSync(descriptor).ino, created }
}

/** The most content of a file that is rewritten while requests wait, in bytes. Takes about a quarter of a second. */
const mostVacuumed = 32 * 1024 * 1024

/** How much of the deleted data was removed: if only from the log, unused parts of pages may have copies. */
export type Scrubbed = 'all' | 'log' | 'nothing'

/** An open file. */
export class OpenFile {
  readonly db: DatabaseSync
  readonly notes: readonly InboxNote[]
  readonly #found: FoundFile
  /**
   * A read-only connection. Its lock on the file prevents SQLite from replaying the log when `db` is closed, and it
   * cannot replay the log itself.
   */
  readonly #guard: DatabaseSync
  readonly #readMark: StatementSync
  readonly #readChanges: StatementSync
  /** Undefined until the file has the table of the server. */
  #readInstance: StatementSync | undefined
  readonly #isWal: boolean
  readonly #logEnd: LogEnd | undefined
  #lastMark: number
  readonly #isServer: boolean
  #copyLog: StatementSync | undefined
  /** The mark that the next commit with changes gets. Undefined in a transaction that only reads. */
  #nextMark: number | undefined
  /** The rows that this connection had changed when the last transaction was committed. */
  #changes: number

  /** Closes `db` if it throws. @throws errors of SQLite */
  private constructor(
    db: DatabaseSync,
    { settings: { path, role }, keep }: Opening,
    found: FoundFile,
    notes: readonly InboxNote[]
  ) {
    this.db = db
    this.notes = notes
    this.#found = found
    this.#isServer = role === 'server'
    const guard = new DatabaseSync(path, { readOnly: true, open: false })
    this.#guard = guard
    try {
      this.#readMark = db.prepare('PRAGMA application_id')
      this.#readChanges = db.prepare('SELECT total_changes() AS count')
      this.#changes = this.#countChanges()
      const header = readHeader(found.descriptor)
      this.#isWal = header?.isWal === true
      this.#lastMark = header?.mark ?? 0
      if (!this.#isWal || isWithoutLog(db)) return
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
   * Opens the file. For a server, upgrades it to this version and ends the leases of a dead predecessor.
   * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION, RIVERHOOK_INBOX_IN_USE; errors of SQLite
   */
  static open(opening: Opening, found: FoundFile): OpenFile {
    const { path, role } = opening.settings
    const db =
      role === 'server'
        ? openAsServer(opening)
        : role === 'reader'
          ? openAsReader(opening.settings)
          : openAsCommand(opening.settings)
    return new OpenFile(db, opening, found, role === 'server' ? listNotes(path, found) : [])
  }

  /**
   * Begins a transaction.
   * @returns false, without a transaction, if another program has overwritten the file or its log: the mark of the
   * file is impossible, or the end of the log has changed
   */
  begin(kind: 'read' | 'write'): boolean {
    const { db } = this
    // Read the header before the transaction: then its mark is at most the one in the log.
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
      this.#nextMark = kind === 'write' ? mark + 1 : undefined
      return true
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  /**
   * Copies the log into the file if it has more pages than this that were not copied. Call after the answers of a
   * transaction, which do not wait for it. A command leaves the log to the server, or to SQLite's own limit.
   */
  limitLog(pages: number): void {
    if (!this.#isServer || this.#logEnd === undefined || this.#logEnd.uncopied <= pages) return
    try {
      this.#copyLog ??= this.db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
      this.#copyLog.get()
    } catch {
      // The log keeps what was not copied. A commit reports an error of the disk, if it still has one.
    }
  }

  /** Ends a transaction. Writes nothing to the disk if no row was changed, as by a claim when nothing is due. */
  commit(): void {
    const { db } = this
    if (this.#nextMark !== undefined) {
      const changes = this.#countChanges()
      if (changes !== this.#changes) setMark(db, this.#nextMark)
      this.#changes = changes
    }
    db.exec('COMMIT')
  }

  #countChanges(): number {
    return Number(this.#readChanges.get()?.['count'])
  }

  /** True if this is the file at its path, and the server of these settings has it. */
  isOf({ path, instance }: FileSettings): boolean {
    if (statSync(path, { throwIfNoEntry: false })?.ino !== this.#found.inode) return false
    if (this.#readInstance === undefined) {
      if (this.db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'server'").get() === undefined) return false
      this.#readInstance = this.db.prepare('SELECT instance FROM server')
    }
    return this.#readInstance.get()?.['instance'] === instance
  }

  /** False if the file was deleted: it disappears when it is closed. */
  hasName(): boolean {
    return fstatSync(this.#found.descriptor).nlink > 0
  }

  /** False if another program has overwritten the file. */
  isUnchanged(): boolean {
    if (!this.begin('read')) return false
    this.db.exec('ROLLBACK')
    return true
  }

  /**
   * Removes deleted data from the file and its log. SQLite overwrites what it deletes, but when it moves a row to
   * another page, it may leave a copy in the unused part of the first one. So a small file is rewritten.
   */
  scrub(): Scrubbed {
    const read = (pragma: string): number => Number(this.db.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
    const isSmall = (read('page_count') - read('freelist_count')) * read('page_size') <= mostVacuumed
    if (isSmall) this.db.exec('VACUUM')
    const isLogEmpty = this.db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0
    return isLogEmpty ? (isSmall ? 'all' : 'log') : 'nothing'
  }

  /** Closes the file, after SQLite has replayed its log. */
  close(): void {
    if (this.#guard.isOpen) this.#guard.close()
    this.db.close()
  }

  /** Writes the content of the file and its log to a new file, even if they were moved or deleted. */
  saveTo(path: string): void {
    createPrivateFile(path)
    this.db.prepare('VACUUM INTO ?').run(path)
  }

  /**
   * Replays the log of a file that was moved, and closes it. SQLite alone would leave the log beside the file that is
   * at the path now.
   */
  checkpointAndClose(): void {
    try {
      this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // The log stays. The next start reports that it does not belong to the file at the path.
    }
    this.abandon()
  }

  /** Closes the file without replaying its log. */
  abandon(): void {
    this.db.close()
    if (this.#guard.isOpen) this.#guard.close()
  }
}

function listNotes(path: string, { created }: FoundFile): InboxNote[] {
  return [
    ...(created ? [{ level: 'info', message: `created a new inbox: ${path}` } as const] : []),
    ...checkAccess(path)
  ]
}

/**
 * SQLite copies the log before a commit is answered, if it has this many pages. The server copies it earlier, after the
 * answers: see `limitLog`. This limit is for a file whose log cannot be read.
 */
const pagesPerCheckpoint = 8_000

function openAsServer(opening: Opening): DatabaseSync {
  const { settings, now, lockInode } = opening
  const { path, owner, maxBytes, busyTimeoutMs } = settings
  let db = connect(settings)
  try {
    checkVersion(db, settings)
    if (!hadSameLock(db, lockInode)) {
      db.close()
      requireUnused(path, owner, busyTimeoutMs)
      db = connect(settings)
    }
    // Only a new file takes it. With pages of 4,096 bytes, an event with its body takes two or more.
    db.exec('PRAGMA page_size = 8192')
    // A new file, or a copy made by VACUUM INTO: start a new series of marks.
    if (db.prepare('PRAGMA journal_mode').get()?.['journal_mode'] !== 'wal') setFirstMark(db)
    // In WAL mode, only FULL puts each commit on the disk before it returns.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384')
    db.exec(`PRAGMA wal_autocheckpoint = ${pagesPerCheckpoint}`)
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

/** Opens the file for a command. This user need not have the right to write, as long as the command only reads. */
function openAsCommand(settings: FileSettings): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = connect(settings)
    checkVersion(db, settings)
    db.exec('PRAGMA synchronous = FULL')
    return db
  } catch (error) {
    if (db?.isOpen === true) db.close()
    // A user without the right to write cannot open a log. If there is none, the file has all data.
    if (
      !hasCode(error, sqlite.CANTOPEN, sqlite.READONLY) ||
      (statSync(`${settings.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
    )
      throw error
    const url = pathToFileURL(settings.path)
    url.search = 'immutable=1'
    const readOnly = new DatabaseSync(url, { readOnly: true })
    try {
      checkVersion(readOnly, settings)
      return readOnly
    } catch (fault) {
      readOnly.close()
      throw fault
    }
  }
}

/** Opens the file so that nothing can be written to it. */
function openAsReader({ path, busyTimeoutMs }: FileSettings): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  try {
    // At most 16 MiB of memory.
    db.exec('PRAGMA query_only = ON; PRAGMA cache_size = -16384')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** True if the file was opened without a log. */
function isWithoutLog(db: DatabaseSync): boolean {
  return db.location() === null || db.prepare('PRAGMA journal_mode').get()?.['journal_mode'] !== 'wal'
}

function connect({ path, busyTimeoutMs }: FileSettings): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false })
  // Overwrites what is deleted, so that no personal data is left in free parts of the file.
  db.exec('PRAGMA secure_delete = ON')
  return db
}

function checkVersion(db: DatabaseSync, { path, role }: FileSettings): void {
  const version = readVersion(db)
  if (version > schemaVersion) {
    throw new RiverhookError(
      'RIVERHOOK_INBOX_VERSION',
      `${path} was written by a newer Riverhook: it has file version ${version}, and this one reads ${schemaVersion}. Upgrade Riverhook`
    )
  }
  if (!isOfThisBuild(db)) {
    throw new RiverhookError(
      'RIVERHOOK_INBOX_VERSION',
      `${path} was made by another build of Riverhook, with other tables. Delete it if its events are not needed, or move it aside, with ${path}-wal if that exists`
    )
  }
  if (role === 'command' && version < schemaVersion) {
    throw new RiverhookError(
      'RIVERHOOK_INBOX_VERSION',
      `${path} has file version ${version}; start the server of this Riverhook version once to upgrade it to ${schemaVersion}`
    )
  }
}

/** True if the last server of this file held the lock that we hold now: then that server has ended. */
function hadSameLock(db: DatabaseSync, lockInode: number | undefined): boolean {
  if (readVersion(db) < schemaVersion || lockInode === undefined) return false
  return Number(db.prepare('SELECT lock FROM server').get()?.['lock'] ?? 0) === lockInode
}

/** Written so that SQLite uses the partial index on claimable deliveries. */
const running = "state IN ('pending', 'running') AND state = 'running'"

/** Written so that SQLite uses the partial index on open jobs. */
const runningJob = "state IN ('waiting', 'running') AND state = 'running'"

/**
 * Ends the leases of a dead server. No other server uses the file (see lock.ts), so every running delivery is a dead
 * server's, unless we reopen the file after an error.
 */
function takeOver(db: DatabaseSync, { settings: { owner, instance }, lockInode }: Opening, now: number): void {
  if (db.prepare('SELECT instance FROM server').get()?.['instance'] === instance) return
  db.exec('BEGIN IMMEDIATE')
  try {
    incrementMark(db)
    db.prepare(`UPDATE delivery SET due_at = ? WHERE ${running}`).run(now)
    // A command may hold a job beside a server.
    db.prepare(`UPDATE job SET lease_until = ? WHERE ${runningJob} AND owner = (SELECT owner FROM server)`).run(now)
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
