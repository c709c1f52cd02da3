import { workerData } from 'node:worker_threads'

import { RiverhookError } from '../../model/errors.ts'
import { backUp } from './backup.ts'
import type { FileReply, FileTask } from './files.ts'
import { putBack } from './put-back.ts'

/** The thread that backs an inbox up, or restores it: of a large one that takes a while. */
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
