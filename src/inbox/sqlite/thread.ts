import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'

import { errorCodes, RiverhookError, type RiverhookErrorCode } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'
import type { InboxNote } from '../inbox.ts'
import type { FileSettings } from './database.ts'
import { keepDescriptor, releaseFile, useFile } from './open-files.ts'
import type { Answer, Call, ErrorMessage, Message, OperationName, Operations, Reply, ThreadData } from './protocol.ts'

interface Pending {
  resolve(result: unknown): void
  reject(error: RiverhookError): void
}

interface Running {
  readonly worker: Worker
  /** A channel of our own: Node posts messages of its own on the worker's port, for example under `node --watch`. */
  readonly port: MessagePort
  readonly ended: Promise<void>
}

/**
 * The engine's end of the thread that owns the file. The thread is started by `open()`, and again by the first call
 * after it was lost. It keeps the process alive only while it is starting, closing or has calls to answer.
 */
export class Thread {
  readonly #settings: FileSettings
  readonly #clock: () => number
  readonly #pending = new Map<number, Pending>()
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #isClosing = false
  #lastCallId = 0
  #hasOpened = false
  #notes: readonly InboxNote[] = []

  constructor(settings: FileSettings, clock: () => number) {
    this.#settings = settings
    this.#clock = clock
  }

  /** What the last opening found that an operator should know. */
  get notes(): readonly InboxNote[] {
    return this.#notes
  }

  /** @throws {RiverhookError} what keeps the file from being opened and will not pass by itself */
  ensureStarted(): Promise<void> | undefined {
    if (this.#running !== undefined && this.#starting === undefined) return undefined
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
      this.#holdProcess()
    })
    return this.#starting
  }

  /** Answers all waiting calls, then closes the file. */
  async close(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#isClosing = true
    this.#holdProcess()
    running.port.postMessage({ name: 'close' } satisfies Message)
    await running.ended
    this.#isClosing = false
  }

  async call<Name extends OperationName>(
    name: Name,
    args: Operations[Name]['args'],
    transfer: ArrayBuffer[] = []
  ): Promise<Operations[Name]['result']> {
    await this.ensureStarted()
    const running = this.#running
    if (running === undefined)
      throw inboxUnavailable(this.#settings.path, new Error('the thread that writes the file has ended'))
    const callId = ++this.#lastCallId
    const result = new Promise<unknown>((resolve, reject) => this.#pending.set(callId, { resolve, reject }))
    this.#holdProcess()
    running.port.postMessage({ callId, name, args, now: this.#clock() } satisfies Call<Name>, transfer)
    return (await result) as Operations[Name]['result']
  }

  #start(): Promise<void> {
    // The same folder holds worker.ts in a clone and worker.js in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const { port1: port, port2 } = new MessageChannel()
    const { path } = this.#settings
    useFile(path)
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: {
        settings: this.#settings,
        port: port2,
        mayCreate: this.#settings.create && !this.#hasOpened
      } satisfies ThreadData,
      transferList: [port2],
      name: 'riverhook-sqlite',
      // Descriptors are closed by releaseFile.
      trackUnmanagedFds: false,
      // Node 22 warns that its SQLite module may change; what we use of it is the same in every version we support,
      // and tested. The process's own flags are not passed on: a worker refuses some, such as --max-old-space-size.
      execArgv: ['--disable-warning=ExperimentalWarning']
    })
    const { promise, resolve: opened, reject: failed } = Promise.withResolvers<undefined>()
    let refusal: RiverhookError | undefined
    const receive = (reply: Reply): void => {
      if ('descriptor' in reply) {
        keepDescriptor(path, reply.descriptor)
      } else if (!('opened' in reply)) {
        for (const answer of reply) this.#answer(answer)
      } else if (reply.opened) {
        this.#hasOpened = true
        this.#notes = reply.notes
        opened(undefined)
      } else {
        // The thread ends by itself, and the file is free only then.
        refusal = errorOf(reply.error)
      }
    }
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        // Answers that were posted just before the end.
        for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port))
          receive(last.message as Reply)
        port.close()
        releaseFile(path)
        resolve()
      })
    })
    const running = { worker, port, ended }
    this.#running = running
    let fault: unknown = new Error('the thread that writes the file has ended')
    worker.on('error', (error) => {
      fault = error
    })
    void ended.then(() => {
      this.#lose(running, fault)
      failed(refusal ?? inboxUnavailable(path, fault))
    })
    port.on('message', receive)
    port.postMessage({ name: 'open', now: this.#clock() } satisfies Message)
    return promise
  }

  /** The thread is gone: what it had not answered fails, and the next call starts another. */
  #lose(running: Running, cause: unknown): void {
    if (this.#running === running) this.#running = undefined
    for (const [callId, pending] of this.#pending) {
      this.#pending.delete(callId)
      pending.reject(inboxUnavailable(this.#settings.path, cause))
    }
  }

  #answer(answer: Answer): void {
    const pending = this.#pending.get(answer.callId)
    if (pending === undefined) return
    this.#pending.delete(answer.callId)
    this.#holdProcess()
    if ('error' in answer) pending.reject(errorOf(answer.error))
    else pending.resolve(answer.result)
  }

  /**
   * Without it a start that failed, for example as its port was taken, would keep the process and the file for ever.
   */
  #holdProcess(): void {
    if (this.#running === undefined) return
    const { worker, port } = this.#running
    if (this.#pending.size > 0 || this.#starting !== undefined || this.#isClosing) {
      worker.ref()
      port.ref()
    } else {
      worker.unref()
      port.unref()
    }
  }
}

/** The error that a thread sent. */
export function errorOf({ code, message }: ErrorMessage): RiverhookError {
  const known = code in errorCodes ? (code as RiverhookErrorCode) : 'RIVERHOOK_INBOX_UNAVAILABLE'
  return new RiverhookError(known, message)
}
