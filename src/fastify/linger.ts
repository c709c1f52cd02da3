import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

import { clearTimeout, setTimeout } from '../model/timers.ts'

/**
 * The most bytes of the remaining body that are read and dropped, so that a sender that finishes its body before
 * reading still gets the answer.
 */
const lingerBytes = 16 * 1024 * 1024
/** In milliseconds. */
const lingerMs = 1_000

/** The sender is still sending. Closing the connection now would reset it, and the answer would be lost. */
export function isStillSending(request: IncomingMessage): boolean {
  // An HTTP/2 stream can end in one direction while the other continues.
  return !request.complete && !request.destroyed && request.httpVersionMajor === 1 && request.socket.writable
}

/**
 * Sends an answer in two stages: all bytes at once; then the end, which closes the connection, after the sender has
 * sent the rest of its body, or after a limited time or amount.
 */
export function answerThenDrain(text: string, request: IncomingMessage): Readable {
  const answer = new Readable({
    read() {
      /* pushed below */
    }
  })
  let dropped = 0
  const timer = setTimeout(end, lingerMs)
  answer.push(text)
  // It may still be piped into a stream of the host that has no reader any more.
  request.unpipe()
  request.on('data', onData).on('end', end).on('error', end).on('close', end)
  request.resume()
  return answer

  function onData(chunk: Buffer): void {
    dropped += chunk.length
    if (dropped > lingerBytes) end()
  }

  function end(): void {
    clearTimeout(timer)
    request.off('data', onData).off('end', end).off('close', end)
    // Keep the listener for errors: a connection that breaks now is not an error.
    if (!request.readableEnded) request.pause()
    if (!answer.readableEnded && !answer.destroyed) answer.push(null)
  }
}
