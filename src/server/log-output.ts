import { write, writeSync } from 'node:fs'
import { setImmediate, setTimeout } from 'node:timers'

import { visible } from '../programs.ts'

/** Limit of the characters that wait for a slow reader or a full disk. Further lines are dropped and counted. */
const longestBacklog = 4 * 1024 * 1024
/** The pause after a write to a full pipe. */
const busyMs = 20
/** Attempts to write to a full pipe when the process exits. */
const lastTries = 25

/**
 * Writes log lines to standard output or standard error, control characters as JSON escapes. Never blocks and never
 * throws: a stuck reader or a full disk loses log lines, but no event. pino's own destination blocks on a stuck
 * reader, and crashes or hangs on a full disk.
 */
export class LogOutput {
  readonly #fd: 1 | 2
  #lines: string[] = []
  #length = 0
  #dropped = 0
  /** Bytes of the lines that are not written yet. */
  #bytes = Buffer.alloc(0)
  /** A write is in progress, or comes at the end of this turn of the event loop or after a pause. */
  #isBusy = false
  #isUnderWay = false
  #isFailing = false
  #isClosed = false

  constructor(fd: 1 | 2) {
    this.#fd = fd
    process.once('exit', () => {
      this.#end()
    })
  }

  /** Takes one line of JSON, its line end included. */
  write(line: string): void {
    if (this.#isClosed) return
    const text = visible(line)
    if (this.#length + text.length > longestBacklog) {
      this.#dropped += 1
      return
    }
    this.#lines.push(text)
    this.#length += text.length
    if (this.#isBusy) return
    // The lines of one turn share a write. Lines before a process.exit() in that turn are written in order.
    this.#isBusy = true
    setImmediate(() => {
      this.#next()
    })
  }

  #next(): void {
    if (this.#bytes.length === 0) this.#take()
    this.#isBusy = this.#isUnderWay = this.#bytes.length > 0
    if (this.#isBusy)
      write(this.#fd, this.#bytes, (error, count) => {
        this.#written(error, count)
      })
  }

  #take(): void {
    this.#bytes = Buffer.from(this.#lines.join('') + this.#gap())
    this.#lines = []
    this.#length = 0
    this.#dropped = 0
  }

  /** A log line that counts the dropped ones. */
  #gap(): string {
    if (this.#dropped === 0) return ''
    const msg = 'log lines were dropped, because the output was not read or could not be written'
    return `${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, dropped: this.#dropped, msg })}\n`
  }

  #written(error: NodeJS.ErrnoException | null, count: number): void {
    this.#isUnderWay = false
    if (error === null) {
      this.#isFailing = false
      this.#bytes = this.#bytes.subarray(count)
      this.#next()
    } else if (error.code === 'EAGAIN') {
      setTimeout(() => {
        this.#next()
      }, busyMs)
    } else {
      this.#failed(error)
    }
  }

  /** Keeps the lines that could not be written; the next line tries again. Stops if the reader is gone. */
  #failed(error: NodeJS.ErrnoException): void {
    this.#isBusy = false
    this.#isClosed = error.code === 'EPIPE'
    if (this.#isFailing || this.#isClosed) return
    this.#isFailing = true
    process.stderr.write(`riverhook: the log cannot be written: ${error.message}\n`)
  }

  /** Writes the rest when the process exits. Node itself waits for a write in progress, whose lines come last then. */
  #end(): void {
    if (this.#isUnderWay) this.#bytes = Buffer.alloc(0)
    for (let tries = 0; tries < lastTries && !this.#isClosed; ) {
      if (this.#bytes.length === 0) this.#take()
      if (this.#bytes.length === 0) return
      try {
        this.#bytes = this.#bytes.subarray(writeSync(this.#fd, this.#bytes))
      } catch (error) {
        const fault = error as NodeJS.ErrnoException
        if (fault.code !== 'EAGAIN') {
          this.#failed(fault)
          return
        }
        tries += 1
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyMs)
      }
    }
  }
}

/** One output per descriptor: two would interleave their lines. */
const outputs = new Map<1 | 2, LogOutput>()

/** @param fd 1: standard output; 2: standard error */
export function logOutput(fd: 1 | 2): LogOutput {
  const output = outputs.get(fd) ?? new LogOutput(fd)
  outputs.set(fd, output)
  return output
}
