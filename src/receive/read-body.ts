import type { Readable } from 'node:stream'

import { RiverhookError } from '../model/errors.ts'
import { Deadlines, type Due } from '../model/deadlines.ts'
import { monotonicNow } from '../model/timers.ts'

export interface ReadBodyOptions {
  /** In bytes. */
  readonly limit: number
  /** The announced length; undefined if none was announced, or if the stream is not the request itself. */
  readonly length: number | undefined
  /** The rest of `ackTimeout`, in milliseconds. */
  readonly leftMs: number
  /** Counts bytes against the budget. */
  readonly take: (bytes: number) => boolean
  /** Names the time limit that has passed. */
  readonly late: (received: number) => RiverhookError
}

/** A body that is being read. */
interface Reading extends Due {
  readonly onLate: () => void
}

/** Of all bodies in the process. */
const deadlines = new Deadlines<Reading>(({ onLate }) => {
  onLate()
})

/**
 * Reads a body completely, within a limit, a deadline and a budget. After a failure the stream is paused, not
 * destroyed, because the answer must still be sent over the same connection.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_TOO_LARGE, RIVERHOOK_RECEIVE_OVERLOADED, RIVERHOOK_INBOX_DEADLINE,
 * RIVERHOOK_RECEIVE_BAD_REQUEST, RIVERHOOK_RECEIVE_FAULT if another reader has taken bytes of it; the stream's own
 * error if it has a `statusCode`
 */
export function readBody(stream: Readable, { limit, length, leftMs, take, late }: ReadBodyOptions): Promise<Buffer> {
  if (length !== undefined && length > limit) return Promise.reject(tooLarge())
  // Bytes that were emitted before this point are lost.
  if (stream.readableDidRead) return Promise.reject(consumed())
  if (stream.readableEnded) return Promise.resolve(Buffer.alloc(0))
  if (stream.destroyed) return Promise.reject(endedEarly())
  return new Promise((resolve, reject) => {
    const bytes = new Bytes()
    let received = 0
    const reading: Reading = {
      dueAt: monotonicNow() + leftMs,
      onLate: () => {
        fail(late(received))
      }
    }
    deadlines.add(reading)

    stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
    stream.resume()

    function onData(chunk: unknown): void {
      const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      if (!(part instanceof Uint8Array)) {
        fail(notBytes())
        return
      }
      received += part.length
      if (received > limit) fail(tooLarge())
      else if (take(part.length)) bytes.add(part)
      else
        fail(new RiverhookError('RIVERHOOK_RECEIVE_OVERLOADED', 'The bodies that are being received use up bodyBudget'))
    }

    function onEnd(): void {
      // Node ends a request only after all of the announced length has arrived, so another reader took the rest.
      if (length !== undefined && received < length) fail(consumed())
      else {
        stopListening()
        resolve(bytes.join())
      }
    }

    function onError(error: Error & { readonly statusCode?: unknown }): void {
      fail(typeof error.statusCode === 'number' ? error : endedEarly(error))
    }

    function onClose(): void {
      fail(endedEarly())
    }

    function fail(error: Error): void {
      stopListening()
      stream.pause()
      // Ignore errors of a connection that breaks later.
      stream.on('error', () => undefined)
      reject(error)
    }

    function stopListening(): void {
      deadlines.delete(reading)
      stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
    }
  })
}

/**
 * In bytes. A smaller chunk is copied, except the first, because the object that holds it would take more memory than
 * its bytes.
 */
const smallChunk = 1_024
const blockSize = 16_384

/** Collects the chunks of a body. A sender chooses their sizes, so the memory must not depend on their number. */
class Bytes {
  readonly #parts: Uint8Array[] = []
  /** The block that small chunks are copied to. */
  #block = Buffer.alloc(0)
  #used = 0

  add(chunk: Uint8Array): void {
    if (chunk.length >= smallChunk || (this.#parts.length === 0 && this.#used === 0)) {
      this.#flush()
      this.#parts.push(chunk)
      return
    }
    if (this.#used + chunk.length > this.#block.length) {
      this.#flush()
      this.#block = Buffer.allocUnsafeSlow(blockSize)
    }
    this.#block.set(chunk, this.#used)
    this.#used += chunk.length
  }

  join(): Buffer {
    this.#flush()
    const [only] = this.#parts
    // Most bodies arrive in one chunk. Copy it only if it keeps a much larger block alive.
    return this.#parts.length === 1 && only !== undefined && only.length * 2 >= only.buffer.byteLength
      ? Buffer.from(only.buffer, only.byteOffset, only.length)
      : Buffer.concat(this.#parts)
  }

  /** Appends the copied bytes to the list. Further chunks continue in the same block. */
  #flush(): void {
    if (this.#used > 0) this.#parts.push(this.#block.subarray(0, this.#used))
    this.#block = this.#block.subarray(this.#used)
    this.#used = 0
  }
}

function tooLarge(): RiverhookError {
  return new RiverhookError('RIVERHOOK_RECEIVE_TOO_LARGE', 'The body is larger than this endpoint accepts')
}

function consumed(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_RECEIVE_FAULT',
    'The body was read before it reached Riverhook, by a hook, a middleware or the platform of the host. Leave the requests of this path unread'
  )
}

function notBytes(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_RECEIVE_FAULT',
    'A hook of the host put a stream of objects in place of the body. Riverhook needs its exact bytes'
  )
}

function endedEarly(cause?: Error): RiverhookError {
  const why = cause === undefined ? '' : `: ${cause.message}`
  return new RiverhookError('RIVERHOOK_RECEIVE_BAD_REQUEST', `The request is broken or ended early${why}`, { cause })
}
