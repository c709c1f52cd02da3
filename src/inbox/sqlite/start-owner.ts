import { Worker } from 'node:worker_threads'

import { ownModule } from '../../model/own-place.ts'
import { loadOwner } from './load-owner.ts'
import type { Message, ThreadData } from './protocol.ts'

/** The side that answers the calls: a thread, or this one. While it has a reference, the process does not end. */
export interface Owner {
  ref(): void
  unref(): void
}

/**
 * Starts a thread.
 * @param onEnd called once, with the error that ended it
 */
export function startThread(name: 'worker' | 'reader', data: ThreadData, onEnd: (fault: unknown) => void): Owner {
  const worker = new Worker(ownModule(`inbox/sqlite/${name}`), {
    workerData: data,
    transferList: [data.port],
    name: name === 'worker' ? 'riverhook-sqlite' : 'riverhook-sqlite-reader',
    // Descriptors are closed by releaseFile.
    trackUnmanagedFds: false,
    // Node 22 warns that its SQLite module may change. The parts that we use are the same in all supported versions,
    // and tested. Do not pass the process's flags on: a worker rejects some of them, such as --max-old-space-size.
    execArgv: ['--disable-warning=ExperimentalWarning']
  })
  let fault: unknown
  worker.on('error', (error) => {
    fault = error
  })
  worker.once('exit', () => {
    onEnd(fault)
  })
  return worker
}

/** False on Node 22: it would print its warning about SQLite, which can be switched off only for a thread. */
export const canStartHere = Number.parseInt(process.versions.node, 10) >= 24

/**
 * Answers the calls in this thread: for a process that does nothing else meanwhile. A thread takes longer to start than
 * most commands run.
 * @param onEnd called once, with the error that ended it
 */
export function startHere(data: ThreadData, onEnd: (fault: unknown) => void): Owner {
  const { port } = data
  let fault: unknown
  const end = (error: unknown): void => {
    fault = error
    port.close()
  }
  port.once('close', () => {
    onEnd(fault)
  })
  loadOwner().then((Owner) => {
    const owner = new Owner(data)
    port.on('message', (message: Message) => {
      try {
        owner.receive(message)
      } catch (error) {
        end(error)
      }
    })
  }, end)
  return port
}
