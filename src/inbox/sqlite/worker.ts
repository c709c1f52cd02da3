import { rmSync, statSync } from 'node:fs'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'

import { messageOf } from '../../model/error-text.ts'
import { RiverhookError } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'
import { freeName } from './backup-file.ts'
import { findFile, OpenFile, requireFile, type Opening } from './database.ts'
import { takeLock, type Lock } from './lock.ts'
import { operations, type Statements } from './operations.ts'
import type { Answer, Call, ErrorMessage, Message, Reply, ThreadData } from './protocol.ts'
import { hasCode, isSqliteError, primaryCode, sqlite } from './sqlite-error.ts'
import { prepareStatements } from './statements.ts'

/**
 * The thread that owns the file, so that no fsync ever blocks the event loop of the receiver. All calls that wait are
 * carried out in one transaction (group commit) and answered after its commit.
 *
 * A fault of the disk or the file fails the calls at hand and nothing else: the file is opened again when the fault
 * may be in the open file, and the next call is a new try. A file that was deleted, replaced or overwritten is not
 * opened again: what is there now may be a backup, or half of one.
 */
const { settings, port, mayCreate } = workerData as ThreadData
const { path } = settings

let lock: Lock | undefined
let file: { readonly open: OpenFile; readonly statements: Statements } | undefined
/** The file that was at the path at the start. */
let inode: number | undefined
/** Why the file is not served any more. */
let loss: RiverhookError | undefined

const post = (reply: Reply): void => {
  port.postMessage(reply)
}

port.on('message', (first: Message) => {
  const calls: Call[] = []
  let message: Message | undefined = first
  for (; message !== undefined; message = receiveMessageOnPort(port)?.message as Message | undefined) {
    if (message.name === 'open') open(message.now)
    else if (message.name === 'close') break
    else calls.push(message)
  }
  if (calls.length > 0) post(carryOut(calls))
  if (message !== undefined) close()
})

function open(now: number): void {
  try {
    requireFile(path, mayCreate)
    if (settings.role === 'server') lock = takeLock(path, settings.owner)
    const {
      open: { notes }
    } = ensureOpen(now, mayCreate)
    post({ opened: true, notes })
  } catch (error) {
    if (hasCode(error, ...passing)) {
      // The server is to start and answer 503 until the fault is mended: a process that ends at once would only be
      // started again and again.
      post({ opened: true, notes: [] })
      return
    }
    lock?.close()
    post({ opened: false, error: describe(error) })
    port.close()
  }
}

function close(): void {
  try {
    checkPlace()
    if (file?.open.isItself() === false) lose('overwritten')
  } catch {
    // Best effort: the file is closed all the same.
  }
  file?.open.close()
  lock?.close()
  port.close()
}

/** @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE */
function ensureOpen(now: number, isFirst = false): { readonly open: OpenFile; readonly statements: Statements } {
  checkPlace()
  if (loss !== undefined) throw loss
  if (file !== undefined) return file
  const keep = (descriptor: number): void => {
    post({ descriptor })
  }
  const opening: Opening = { settings, now, mayCreate: isFirst, lockInode: lock?.inode, keep }
  const found = findFile(opening)
  inode ??= found.inode
  const opened = OpenFile.open(opening, found)
  try {
    file = { open: opened, statements: prepareStatements(opened.db) }
    return file
  } catch (error) {
    opened.close()
    throw error
  }
}

/** A file that is not at its path any more is closed for good: what is written to it now would be lost. */
function checkPlace(): void {
  if (loss !== undefined || inode === undefined) return
  const now = statSync(path, { throwIfNoEntry: false })?.ino
  if (now !== inode) lose(now === undefined ? 'deleted' : 'replaced')
}

/** Gives the file up until the process is started again. */
function lose(how: 'deleted' | 'replaced' | 'overwritten'): void {
  const lost = file?.open
  file = undefined
  // Moving another file over it deletes a file as well.
  const hasName = lost?.hasName() === true
  const saved = lost !== undefined && (how === 'deleted' || (how === 'replaced' && !hasName)) ? save(lost) : undefined
  // The log is kept where it holds the only copy of the newest events.
  if (how === 'overwritten' || (!hasName && saved === undefined)) lost?.abandon()
  else lost?.completeAndClose()
  const rest =
    how === 'overwritten'
      ? `; its log ${path}-wal was left as it is, and holds the newest events unless it was overwritten too`
      : saved === undefined
        ? ''
        : `; all that was in it was saved as ${saved}`
  loss = new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `${path} was ${how} under the running server. Nothing is written to it until the server is started again${rest}. ` +
      `To use ${saved ?? 'a backup'}, stop the server and run: riverhook inbox restore ${saved ?? 'BACKUP'}`
  )
}

/** A deleted file is there until it is closed. */
function save(lost: OpenFile): string | undefined {
  const name = freeName(`${path}.saved`)
  try {
    lost.saveTo(name)
    return name
  } catch {
    // Its folder is gone too, or the disk is full.
    rmSync(name, { force: true })
    return undefined
  }
}

/** Closes the file after a fault that may lie in it as it is open now. */
function forget(): void {
  file?.open.close()
  file = undefined
}

/**
 * One transaction for all. When one of them is at fault, each is tried alone, so that a call fails for its own faults
 * only; a fault of the file is everybody's.
 */
function carryOut(calls: readonly Call[]): Answer[] {
  try {
    return inTransaction(calls)
  } catch (error) {
    const ofTheFile = loss !== undefined || hasCode(error, ...fileFaults, sqlite.BUSY)
    if (!ofTheFile && calls.length > 1) return calls.flatMap((call) => carryOut([call]))
    if (hasCode(error, ...fileFaults)) forget()
    return calls.map(({ callId }) => ({ callId, error: describe(error) }))
  }
}

function inTransaction(calls: readonly Call[]): Answer[] {
  const { open, statements } = ensureOpen(calls[0]?.now ?? Date.now())
  const { db } = open
  if (!open.begin(calls.every(({ name }) => reading.has(name)) ? 'read' : 'write')) {
    lose('overwritten')
    throw loss ?? new Error('unreachable')
  }
  try {
    const answers = calls.map((call) => ({ callId: call.callId, result: perform(statements, call) }))
    db.exec('COMMIT')
    return answers
  } catch (error) {
    // SQLite has rolled back by itself after some faults (disk full, I/O error).
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function perform(statements: Statements, { name, args, now }: Call): unknown {
  // The table's types tie each name to its arguments; TypeScript cannot follow that through a union.
  const operation = operations[name] as (statements: Statements, args: unknown, now: number) => unknown
  return operation(statements, args, now)
}

/** The calls that only read: together they take no write lock. */
const reading: ReadonlySet<Call['name']> = new Set([
  'known',
  'watermark',
  'watermarks',
  'drifts',
  'handlers',
  'events',
  'event',
  'stats'
])

/** Faults at the start that are no mistake in the settings and may end while we run. */
const passing = [sqlite.BUSY, sqlite.FULL, sqlite.IOERR, sqlite.CORRUPT, sqlite.NOTADB]

/** Faults that lie in the file as it is open now: opening it again is part of the recovery. */
const fileFaults = [sqlite.READONLY, sqlite.IOERR, sqlite.CORRUPT, sqlite.CANTOPEN, sqlite.NOTADB]

function describe(error: unknown): ErrorMessage {
  const known =
    error instanceof RiverhookError ? error : inboxUnavailable(path, error, `${messageOf(error)}${advice(error)}`)
  return { code: known.code, message: known.message }
}

function advice(error: unknown): string {
  if (!isSqliteError(error)) return ''
  switch (primaryCode(error)) {
    case sqlite.FULL:
      return '. Free disk space, or raise the size limit; writing goes on by itself'
    case sqlite.BUSY:
      return '. Another program holds a write lock on the file; writing goes on when it lets go'
    case sqlite.CORRUPT:
    case sqlite.NOTADB:
      return '. To use a backup, stop the server and run: riverhook inbox restore BACKUP (it keeps the broken file). To start with a new inbox, stop the server and move the file away with its -wal and -shm'
    case sqlite.CANTOPEN:
    case sqlite.READONLY:
      return '. Check that the folder exists, and that this user may write to it and to the file with its -wal and -shm'
    default:
      return ''
  }
}
