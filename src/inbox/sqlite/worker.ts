import type { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'

import { RiverhookError } from '../../errors.ts'
import { isSqliteError, isStillThere, lockFile, openFile, primaryCode, sqlite } from './database.ts'
import type { FileSettings, OpenFile, SqliteError } from './database.ts'
import { operations, type Statements } from './operations.ts'
import type { Answer, Call, Message } from './protocol.ts'
import { prepareStatements } from './statements.ts'

/**
 * The thread that owns the file, so that no fsync ever blocks the event loop of the receiver. All calls that wait are carried
 * out in one transaction (group commit) and answered after its commit.
 *
 * A fault of the disk or the file fails the calls at hand and nothing else: the file is opened anew when the
 * fault may be in the open file, and the next call is a new try.
 */
const settings = workerData as FileSettings
const port = parentPort as MessagePort

let lock: DatabaseSync | undefined
let file: (OpenFile & { readonly statements: Statements }) | undefined

port.on('message', (first: Message) => {
  const calls: Call[] = []
  let message: Message | undefined = first
  for (; message !== undefined; message = receiveMessageOnPort(port)?.message as Message | undefined) {
    if (message.name === 'open') open(message.now)
    else if (message.name === 'close') break
    else calls.push(message)
  }
  if (calls.length > 0) port.postMessage(carryOut(calls))
  if (message !== undefined) close()
})

function open(now: number): void {
  try {
    if (settings.role === 'server') lock ??= lockFile(settings)
    ensureOpen(now)
    port.postMessage({ opened: true })
  } catch (error) {
    if (isSqliteError(error) && mayPass(error)) {
      // The server is to start and answer 503 until the fault is mended: a process that ends at once would only be
      // started again and again.
      port.postMessage({ opened: true })
      return
    }
    lock?.close()
    lock = undefined
    port.postMessage({ opened: false, error: describe(error) })
  }
}

function close(): void {
  file?.db.close()
  lock?.close()
  port.close()
}

function ensureOpen(now: number): OpenFile & { readonly statements: Statements } {
  if (file !== undefined && !isStillThere(file, settings.path)) forget()
  if (file === undefined) {
    const opened = openFile(settings, now)
    file = { ...opened, statements: prepareStatements(opened.db) }
  }
  return file
}

function forget(): void {
  file?.db.close()
  file = undefined
}

/**
 * One transaction for all. When one of them is at fault, each is tried alone, so that a call fails for its own faults only; a
 * fault of the file is everybody's.
 */
function carryOut(calls: readonly Call[]): Answer[] {
  try {
    return inTransaction(calls)
  } catch (error) {
    const ofTheFile = isSqliteError(error) && (isFileFault(error) || primaryCode(error) === sqlite.BUSY)
    if (!ofTheFile && calls.length > 1) return calls.flatMap((call) => carryOut([call]))
    if (isSqliteError(error) && isFileFault(error)) forget()
    return calls.map(({ callId }) => ({ callId, error: describe(error) }))
  }
}

function inTransaction(calls: readonly Call[]): Answer[] {
  const { db, statements } = ensureOpen(calls[0]?.now ?? Date.now())
  db.exec(calls.every(({ name }) => isRead(name)) ? 'BEGIN' : 'BEGIN IMMEDIATE')
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

function isRead(name: Call['name']): boolean {
  return name === 'handlers' || name === 'events' || name === 'event' || name === 'stats'
}

/** A fault at the start that is no mistake in the settings and that may end while we run. */
function mayPass(error: SqliteError): boolean {
  const passing: readonly number[] = [sqlite.BUSY, sqlite.FULL, sqlite.IOERR, sqlite.CORRUPT, sqlite.NOTADB]
  return passing.includes(primaryCode(error))
}

/** Faults that lie in the file as it is open now: opening it anew is part of the recovery. */
function isFileFault(error: SqliteError): boolean {
  const faults: readonly number[] = [sqlite.READONLY, sqlite.IOERR, sqlite.CORRUPT, sqlite.CANTOPEN, sqlite.NOTADB]
  return faults.includes(primaryCode(error))
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof RiverhookError) return { code: error.code, message: error.message }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'RIVERHOOK_INBOX_UNAVAILABLE', message: `${settings.path}: ${reason}${advice(error)}` }
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
      return '. Move the file away (and keep it), or put a backup in its place; the server goes on by itself'
    case sqlite.CANTOPEN:
    case sqlite.READONLY:
      return '. Check that the folder exists and that this user may write to it'
    default:
      return ''
  }
}
