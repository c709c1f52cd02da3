import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'

import { errorCodes, RiverhookError, type RiverhookErrorCode } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'
import { setImmediate } from '../../model/timers.ts'
import type { InboxNote } from '../inbox.ts'
import type { FileSettings } from './database.ts'
import { keepDescriptor, releaseFile, useFile } from './open-files.ts'
import type { Answer, Call, ErrorMessage, Message, OperationName, Operations, Reply } from './protocol.ts'
import { canStartHere, startHere, startThread, type Owner } from './start-owner.ts'

interface Pending {
  readonly callId: number
  resolve(result: unknown): void
  reject(error: RiverhookError | LostFile): void
}

interface Running {
  readonly owner: Owner
  /** A separate channel: Node posts its own messages on the worker's port, for example under `node --watch`. */
  readonly port: MessagePort
  readonly ended: Promise<void>
}

export interface ThreadOptions {
  readonly settings: FileSettings
  /** The time in milliseconds since the epoch. */
  readonly clock: () => number
  readonly readLimitMs: number
  /** True if this process does nothing else, so that it can run the calls without a thread. */
  readonly isAlone?: boolean
}

/**
 * Calls that can wait for the next one while the thread is busy, to share its commit: mostly, outcomes are stored by
 * the commit that records the next events.
 */
const sharing: ReadonlySet<OperationName> = new Set(['settle'])

/** The reader does not have the file of the server: the thread that owns the file must answer the call. */
export class LostFile extends Error {}

/**
 * The engine's side of a thread: `worker`, which owns the file, or `reader`. `open()` starts it. If it ends
 * unexpectedly, the next call starts another. The thread keeps the process alive only while it starts, closes or has
 * calls to answer.
 */
export class Thread {
  readonly #name: 'worker' | 'reader'
  readonly #options: ThreadOptions
  /** Not a Map, which would keep the results of former calls: see `HeldRuns`. */
  readonly #pending: Pending[] = []
  /** Calls that are sent with the next one: see `sharing`. */
  #held: Call[] = []
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #isClosing = false
  #lastCallId = 0
  #hasOpened = false
  #notes: readonly InboxNote[] = []

  constructor(name: 'worker' | 'reader', options: ThreadOptions) {
    this.#name = name
    this.#options = options
  }

  /** Notes of the last opening, for the log. */
  get notes(): readonly InboxNote[] {
    return this.#notes
  }

  /** @throws {RiverhookError} if the file cannot be opened, and retrying cannot help */
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
    this.#sendHeld()
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
      throw inboxUnavailable(this.#options.settings.path, new Error('the thread that has the file open has ended'))
    const callId = ++this.#lastCallId
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.push({ callId, resolve, reject })
    })
    this.#holdProcess()
    const call: Call<Name> = { callId, name, args, now: this.#options.clock() }
    const isBusy = this.#pending.length - this.#held.length > 1
    if (sharing.has(name) && isBusy) this.#held.push(call)
    else {
      try {
        this.#send([...this.#held, call], transfer)
      } catch (error) {
        // Guard: an argument cannot be copied to the thread.
        this.#forget(callId)
        this.#sendHeldIfIdle()
        throw error
      }
    }
    return (await result) as Operations[Name]['result']
  }

  #sendHeldIfIdle(): void {
    if (this.#held.length === this.#pending.length) this.#sendHeld()
  }

  #sendHeld(): void {
    if (this.#held.length > 0) this.#send(this.#held)
  }

  #send(calls: readonly Call[], transfer: ArrayBuffer[] = []): void {
    this.#running?.port.postMessage(calls satisfies Message, transfer)
    this.#held = []
  }

  #start(): Promise<void> {
    const { port1: port, port2 } = new MessageChannel()
    const { settings, readLimitMs } = this.#options
    const { path } = settings
    useFile(path)
    const { promise, resolve: opened, reject: failed } = Promise.withResolvers<undefined>()
    let refusal: RiverhookError | undefined
    const receive = (reply: Reply): void => {
      if ('descriptor' in reply) {
        keepDescriptor(path, reply.descriptor)
      } else if (!('opened' in reply)) {
        for (const answer of reply) this.#answer(answer)
        // The caller that has its answer now may send the next call at once.
        if (this.#held.length > 0)
          setImmediate(() => {
            this.#sendHeldIfIdle()
          })
      } else if (reply.opened) {
        this.#hasOpened = true
        this.#notes = reply.notes
        opened(undefined)
      } else {
        // Report this once the thread has ended: until then, the file is still locked.
        refusal = toError(reply.error)
      }
    }
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>()
    const data = { settings, port: port2, mayCreate: settings.create && !this.#hasOpened, readLimitMs }
    const onEnd = (cause: unknown): void => {
      // Receive the answers that were posted just before the end.
      for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port))
        receive(last.message as Reply)
      port.close()
      releaseFile(path)
      const fault = cause ?? new Error('the thread that has the file open has ended')
      this.#handleEnd(running, fault)
      failed(refusal ?? inboxUnavailable(path, fault))
      end(undefined)
    }
    const isHere = this.#options.isAlone === true && canStartHere
    const owner = isHere ? startHere(data, onEnd) : startThread(this.#name, data, onEnd)
    const running: Running = { owner, port, ended }
    this.#running = running
    port.on('message', receive)
    port.postMessage({ name: 'open', now: this.#options.clock() } satisfies Message)
    return promise
  }

  /** Handles the end of the thread: rejects the calls that it has not answered. The next call starts another thread. */
  #handleEnd(running: Running, cause: unknown): void {
    if (this.#running === running) this.#running = undefined
    this.#held = []
    for (const pending of this.#pending.splice(0)) pending.reject(inboxUnavailable(this.#options.settings.path, cause))
  }

  #answer(answer: Answer): void {
    const pending = this.#forget(answer.callId)
    if (pending === undefined) return
    if ('isLost' in answer) pending.reject(new LostFile())
    else if ('error' in answer) pending.reject(toError(answer.error))
    else pending.resolve(answer.result)
  }

  /** Removes a call from those that wait for an answer. */
  #forget(callId: number): Pending | undefined {
    // The first one, usually: a thread answers in the order of the calls.
    const index = this.#pending.findIndex((pending) => pending.callId === callId)
    const [pending] = index === -1 ? [] : this.#pending.splice(index, 1)
    if (pending !== undefined) this.#holdProcess()
    return pending
  }

  /**
   * Keeps the process alive only while calls are pending. Otherwise, a server that failed to start, for example
   * because its port was taken, would never end and never release the file.
   */
  #holdProcess(): void {
    if (this.#running === undefined) return
    const { owner, port } = this.#running
    if (this.#pending.length > 0 || this.#starting !== undefined || this.#isClosing) {
      owner.ref()
      port.ref()
    } else {
      owner.unref()
      port.unref()
    }
  }
}

/** Converts an error that a thread sent. */
export function toError({ code, message }: ErrorMessage): RiverhookError {
  const known = code in errorCodes ? (code as RiverhookErrorCode) : 'RIVERHOOK_INBOX_UNAVAILABLE'
  return new RiverhookError(known, message)
}
