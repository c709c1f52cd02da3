import { workerData } from 'node:worker_threads'

import { RiverhookError } from '../../model/errors.ts'
import { backUp } from './backup.ts'
import type { FileReply, FileTask } from './files.ts'
import { putBack } from './put-back.ts'

/** A thread that backs up or restores an inbox, so that a large one does not block the event loop. */
const { task, settings, file, port } = workerData as FileTask

const post = (reply: FileReply): void => {
  port.postMessage(reply)
}
const keep = (descriptor: number): void => {
  post({ descriptor })
}

try {
  post({ result: task === 'backup' ? backUp(settings, file, keep) : putBack(settings, file, keep) })
} catch (error) {
  const code = error instanceof RiverhookError ? error.code : 'RIVERHOOK_INBOX_UNAVAILABLE'
  post({ error: { code, message: error instanceof Error ? error.message : String(error) } })
}
port.close()
