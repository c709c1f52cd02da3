import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'

import { ownModule } from '../../model/own-place.ts'
import { ownerName } from '../../model/owner-name.ts'
import type { BackupContent } from './backup-file.ts'
import type { FileSettings } from './database.ts'
import { keepDescriptor, releaseFile, useFile } from './open-files.ts'
import type { ErrorMessage } from './protocol.ts'
import type { Restored } from './put-back.ts'
import { resolveLinks } from './resolve-links.ts'
import { toError } from './thread.ts'

export type { BackupContent, Restored }

export interface FileTask {
  readonly task: 'backup' | 'restore'
  readonly settings: FileSettings
  readonly file: string
  readonly port: MessagePort
}

export type FileReply =
  | { readonly result: BackupContent | Restored }
  | { readonly error: ErrorMessage }
  | { readonly descriptor: number }

/**
 * Writes a complete and consistent copy of the inbox at `path` to the new file `to`. A server may be running.
 * @throws {RiverhookError} RIVERHOOK_INBOX_BACKUP, RIVERHOOK_INBOX_UNAVAILABLE
 */
export async function backUpFile(path: string, to: string): Promise<BackupContent> {
  return run('backup', path, to)
}

/**
 * Replaces the inbox at `path`, which no server may use, by a backup. Keeps the replaced inbox beside it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_BACKUP
 */
export async function restoreFile(path: string, from: string): Promise<Restored> {
  return (await run('restore', path, from)) as Restored
}

async function run(task: FileTask['task'], given: string, file: string): Promise<BackupContent | Restored> {
  const path = resolveLinks(given)
  const settings: FileSettings = {
    path,
    role: 'command',
    create: false,
    owner: ownerName(),
    instance: randomUUID(),
    maxBytes: undefined,
    busyTimeoutMs: 5_000
  }
  const { port1, port2: port } = new MessageChannel()
  useFile(path)
  const worker = new Worker(ownModule('inbox/sqlite/files-worker'), {
    workerData: { task, settings, file: resolve(file), port } satisfies FileTask,
    transferList: [port],
    trackUnmanagedFds: false,
    execArgv: ['--disable-warning=ExperimentalWarning']
  })
  try {
    await new Promise<void>((ended, failed) => {
      worker.once('error', failed)
      worker.once('exit', () => {
        ended()
      })
    })
    for (;;) {
      const reply = receiveMessageOnPort(port1)?.message as FileReply | undefined
      if (reply === undefined) throw new Error(`the thread for the ${task} ended without an answer`)
      if ('descriptor' in reply) keepDescriptor(path, reply.descriptor)
      else if ('error' in reply) throw toError(reply.error)
      else return reply.result
    }
  } finally {
    port1.close()
    releaseFile(path)
  }
}
