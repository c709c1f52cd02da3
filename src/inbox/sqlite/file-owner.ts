import { rmSync, statSync } from 'node:fs'
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'

import { RiverhookError } from '../../model/errors.ts'
import { findFreeName } from './backup-file.ts'
import { findFile, OpenFile, requireFile, type FileSettings, type Opening } from './database.ts'
import { describeError } from './describe-error.ts'
import { takeLock, type Lock } from './lock.ts'
import { LogLimit } from './log-limit.ts'
import { operations, type Statements } from './operations.ts'
import type { Answer, Call, Message, Reply, ThreadData, TransactionName } from './protocol.ts'
import { hasCode, sqlite } from './sqlite-error.ts'
import { prepareAll, prepareStatements } from './statements.ts'
import { writeCounts } from './tally.ts'

/**
 * Owns the file: runs all waiting calls in one transaction (group commit), and answers them after its commit. Runs in a
 * thread, so that fsync never blocks the receiver's event loop; in a process that does nothing else, without one.
 *
 * An error of the disk or the file fails only the current calls. The next call tries again, with a newly opened file if
 * the open one may be the cause. A file that was deleted, replaced or overwritten is not opened again: the new file may
 * be a backup, or an incomplete one.
 */
export class FileOwner {
  readonly #settings: FileSettings
  readonly #path: string
  readonly #port: MessagePort
  readonly #mayCreate: boolean
  readonly #logLimit = new LogLimit()
  #lock: Lock | undefined
  #file: { readonly open: OpenFile; readonly statements: Statements } | undefined
  /** The inode of the file that was opened first. */
  #inode: number | undefined
  /** The reason why the file is not used any more; undefined while it is. */
  #loss: RiverhookError | undefined

  constructor({ settings, port, mayCreate }: Omit<ThreadData, 'readLimitMs'>) {
    this.#settings = settings
    this.#path = settings.path
    this.#port = port
    this.#mayCreate = mayCreate
  }

  /** Handles a message, and all that wait behind it. */
  receive(first: Message): void {
    const calls: Call[] = []
    let message: Message | undefined = first
    for (; message !== undefined; message = receiveMessageOnPort(this.#port)?.message as Message | undefined) {
      if (!('name' in message)) calls.push(...message)
      else if (message.name === 'open') this.#open(message.now)
      else break
    }
    const { true: scrubs = [], false: others = [] } = Object.groupBy(calls, ({ name }) =>
      name === 'scrub' ? 'true' : 'false'
    )
    if (others.length > 0) {
      this.#post(this.#runCalls(others))
      this.#file?.open.limitLog(this.#logLimit.after(others))
    }
    for (const call of scrubs) this.#post([this.#scrub(call)])
    if (message !== undefined) this.#close()
  }

  #post(reply: Reply): void {
    this.#port.postMessage(reply)
  }

  #open(now: number): void {
    try {
      requireFile(this.#path, this.#mayCreate)
      if (this.#settings.role === 'server') this.#lock = takeLock(this.#path, this.#settings.owner)
      const {
        open: { notes }
      } = this.#ensureOpen(now, this.#mayCreate)
      this.#post({ opened: true, notes })
    } catch (error) {
      if (hasCode(error, ...temporaryCodes)) {
        // Start all the same, and answer 503 until the error is fixed: a process that ends would be restarted
        // endlessly.
        this.#post({ opened: true, notes: [] })
        return
      }
      this.#lock?.close()
      this.#post({ opened: false, error: describeError(this.#path, error) })
      this.#port.close()
    }
  }

  #close(): void {
    try {
      this.#checkPath()
      if (this.#file?.open.isUnchanged() === false) this.#giveUp('overwritten')
    } catch {
      // Best effort: close the file in any case.
    }
    this.#file?.open.close()
    this.#lock?.close()
    this.#port.close()
  }

  /** @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE */
  #ensureOpen(now: number, isFirst = false): { readonly open: OpenFile; readonly statements: Statements } {
    this.#checkPath()
    if (this.#loss !== undefined) throw this.#loss
    if (this.#file !== undefined) return this.#file
    const keep = (descriptor: number): void => {
      this.#post({ descriptor })
    }
    const opening: Opening = { settings: this.#settings, now, mayCreate: isFirst, lockInode: this.#lock?.inode, keep }
    const found = findFile(opening)
    this.#inode ??= found.inode
    const opened = OpenFile.open(opening, found)
    try {
      const statements = prepareStatements(opened.db)
      // A server that found out later would run handlers whose results it cannot store.
      if (this.#settings.role === 'server') prepareAll(statements)
      this.#file = { open: opened, statements }
      return this.#file
    } catch (error) {
      opened.close()
      throw error
    }
  }

  /** Stops using a file that is no longer at its path: further writes to it would be lost. */
  #checkPath(): void {
    if (this.#loss !== undefined || this.#inode === undefined) return
    const now = statSync(this.#path, { throwIfNoEntry: false })?.ino
    if (now !== this.#inode) this.#giveUp(now === undefined ? 'deleted' : 'replaced')
  }

  /** Stops using the file until the process is restarted. */
  #giveUp(how: 'deleted' | 'replaced' | 'overwritten'): void {
    const lost = this.#file?.open
    this.#file = undefined
    // Moving another file over this one also deletes it.
    const hasName = lost?.hasName() === true
    const saved =
      lost !== undefined && (how === 'deleted' || (how === 'replaced' && !hasName)) ? this.#save(lost) : undefined
    // Keep the log if it has the only copy of the newest events.
    if (how === 'overwritten' || (!hasName && saved === undefined)) lost?.abandon()
    else lost?.checkpointAndClose()
    const rest =
      how === 'overwritten'
        ? `; its log ${this.#path}-wal was left unchanged, and has the newest events unless it was overwritten too`
        : saved === undefined
          ? ''
          : `; its content was saved as ${saved}`
    this.#loss = new RiverhookError(
      'RIVERHOOK_INBOX_UNAVAILABLE',
      `${this.#path} was ${how} under the running server. Nothing is written to it until the server is restarted${rest}. ` +
        `To use ${saved ?? 'a backup'}, stop the server and run: riverhook inbox restore ${saved ?? 'BACKUP'}`
    )
  }

  /** Copies a deleted file, which exists until it is closed. @returns the name of the copy */
  #save(lost: OpenFile): string | undefined {
    const name = findFreeName(`${this.#path}.saved`)
    try {
      lost.saveTo(name)
      return name
    } catch {
      // The folder was deleted too, or the disk is full.
      rmSync(name, { force: true })
      return undefined
    }
  }

  /** Closes the file after an error that the open file may have caused. The next call opens it again. */
  #closeFile(): void {
    this.#file?.open.close()
    this.#file = undefined
  }

  /**
   * Runs the calls in one transaction. If one of them fails, runs each in its own transaction, so that the others
   * succeed. An error of the file fails all of them.
   */
  #runCalls(calls: readonly Call[]): Answer[] {
    try {
      return this.#runInTransaction(calls)
    } catch (error) {
      const isFileError = this.#loss !== undefined || hasCode(error, ...fileErrorCodes, sqlite.BUSY)
      if (!isFileError && calls.length > 1) return calls.flatMap((call) => this.#runCalls([call]))
      if (hasCode(error, ...fileErrorCodes)) this.#closeFile()
      return calls.map(({ callId }) => ({ callId, error: describeError(this.#path, error) }))
    }
  }

  /** Removes deleted data from the file and its log. Runs outside of a transaction. */
  #scrub({ callId, now }: Call): Answer {
    try {
      return { callId, result: this.#ensureOpen(now).open.scrub() }
    } catch (error) {
      if (hasCode(error, ...fileErrorCodes)) this.#closeFile()
      return { callId, error: describeError(this.#path, error) }
    }
  }

  #runInTransaction(calls: readonly Call[]): Answer[] {
    const { open, statements } = this.#ensureOpen(calls[0]?.now ?? Date.now())
    const { db } = open
    if (!open.begin(calls.every(({ name }) => reading.has(name)) ? 'read' : 'write')) {
      this.#giveUp('overwritten')
      throw this.#loss ?? new Error('unreachable')
    }
    try {
      const answers = calls.map((call) => ({ callId: call.callId, result: runOperation(statements, call) }))
      writeCounts(statements)
      open.commit()
      return answers
    } catch (error) {
      statements.counts.clear()
      // After some errors (disk full, I/O error), SQLite has already rolled back.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

function runOperation(statements: Statements, { name, args, now }: Call): unknown {
  // The type of `operations` assigns arguments to each name. TypeScript cannot follow that through a union.
  const operation = operations[name as TransactionName] as (
    statements: Statements,
    args: unknown,
    now: number
  ) => unknown
  return operation(statements, args, now)
}

/** Calls that only read. A transaction of these needs no write lock. */
const reading: ReadonlySet<Call['name']> = new Set([
  'known',
  'now',
  'suspects',
  'encryption',
  'watermark',
  'watermarks',
  'drifts',
  'handlers',
  'pauses',
  'events',
  'event',
  'tally',
  'alarmState',
  'stats',
  'levels',
  'lengths',
  'audits',
  'failed',
  'retries',
  'position',
  'jobs',
  'job'
])

/** Errors at start-up that are not caused by the settings, and may be fixed while the server runs. */
const temporaryCodes = [sqlite.BUSY, sqlite.FULL, sqlite.IOERR, sqlite.CORRUPT, sqlite.NOTADB]

/** Errors that the open file may cause: recovery includes opening it again. */
const fileErrorCodes = [sqlite.READONLY, sqlite.IOERR, sqlite.CORRUPT, sqlite.CANTOPEN, sqlite.NOTADB]
