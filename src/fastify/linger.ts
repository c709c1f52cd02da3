import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

import { clearTimeout, setTimeout } from '../model/timers.ts'

/** Bytes of the remaining body that are read and dropped, so that a sender that reads the answer last still gets it. */
const lingerBytes = 16 * 1024 * 1024
/** In milliseconds. */
const lingerMs = 1_000

/** The sender is still sending, and closing the connection now would reset it: the answer would be lost with it. */
export function isStillSending(request: IncomingMessage): boolean {
  // HTTP/2 ends a stream in either direction by itself.
  return !request.complete && !request.destroyed && request.httpVersionMajor === 1 && request.socket.writable
}

/**
 * An answer in two stages: sends all bytes at once, and ends, which closes the connection, when the sender has sent the
 * rest of its body, or after a limited time or amount.
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
  // It may still be piped into a stream of the host, which nobody reads any more.
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
    // The listener for errors stays: a connection that breaks now is no error to anybody.
    if (!request.readableEnded) request.pause()
    if (!answer.readableEnded && !answer.destroyed) answer.push(null)
  }
}
