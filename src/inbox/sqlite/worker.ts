import { workerData } from 'node:worker_threads'

import { FileOwner } from './file-owner.ts'
import type { Message, ThreadData } from './protocol.ts'

/** The thread that owns the file of a server. */
const data = workerData as ThreadData
const owner = new FileOwner(data)
data.port.on('message', (message: Message) => {
  owner.receive(message)
})
