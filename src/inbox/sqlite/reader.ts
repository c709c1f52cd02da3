import { workerData } from 'node:worker_threads'

import { RiverhookError } from '../../model/errors.ts'
import { readTooLong } from '../read-turns.ts'
import { findFile, OpenFile, type Opening } from './database.ts'
import { describeError } from './describe-error.ts'
import { operations, type Statements } from './operations.ts'
import type { Answer, Call, Message, Reply, ReadName, ThreadData } from './protocol.ts'
import { prepareStatements } from './statements.ts'

/**
 * The thread for reads of people: lists, details, counts. It has a separate read-only connection, so that a long read
 * never delays the thread that records. Runs one call at a time, and ends it at its time limit.
 *
 * Reads only the file that our server has. If that file was moved, deleted or overwritten, or is not open yet, it
 * answers so: the other thread knows what to do then.
 */
const { settings, port, readLimitMs } = workerData as ThreadData

let file: { readonly open: OpenFile; readonly statements: Statements } | undefined
let endsAt = Infinity

const post = (reply: Reply): void => {
  port.postMessage(reply)
}

port.on('message', (message: Message) => {
  if ('name' in message) {
    if (message.name === 'open') post({ opened: true, notes: [] })
    else {
      closeFile()
      port.close()
    }
  } else for (const call of message) post([answer(call)])
})

function answer(call: Call): Answer {
  const { callId } = call
  file ??= openFile(call.now)
  if (file === undefined) return { callId, isLost: true }
  const { open, statements } = file
  try {
    if (!open.isOf(settings) || !open.begin('read')) {
      closeFile()
      return { callId, isLost: true }
    }
    const result = run(statements, call)
    open.db.exec('COMMIT')
    return { callId, result }
  } catch (error) {
    if (error instanceof RiverhookError) open.db.exec('ROLLBACK')
    // The open file may be the cause: the next call opens it again.
    else closeFile()
    return { callId, error: describeError(settings.path, error) }
  }
}

function run(statements: Statements, { name, args, now }: Call): unknown {
  endsAt = performance.now() + readLimitMs
  try {
    // The type of `operations` assigns arguments to each name. TypeScript cannot follow that through a union.
    const operation = operations[name as ReadName] as (statements: Statements, args: unknown, now: number) => unknown
    return operation(statements, args, now)
  } finally {
    endsAt = Infinity
  }
}

function checkTime(): void {
  if (performance.now() > endsAt) throw readTooLong(readLimitMs)
}

/** @returns undefined if the file is not there, is not our server's, or cannot be opened */
function openFile(now: number): typeof file {
  const keep = (descriptor: number): void => {
    post({ descriptor })
  }
  const opening: Opening = { settings, now, mayCreate: false, lockInode: undefined, keep }
  let open: OpenFile | undefined
  try {
    open = OpenFile.open(opening, findFile(opening))
    if (open.isOf(settings)) return { open, statements: prepareStatements(open.db, checkTime) }
  } catch {
    // The thread that records gets the same error, and says what to do.
  }
  open?.close()
  return undefined
}

function closeFile(): void {
  file?.open.close()
  file = undefined
}
