import type { ClientRequest } from 'node:http'

import type { Way } from './scenarios.ts'
import { delay, clearTimeout, setTimeout } from './timers.ts'

// Not imported as a module: that would load all of fetch.
const { request: httpRequest } = process.getBuiltinModule('node:http')
const { request: httpsRequest } = process.getBuiltinModule('node:https')

export interface Outgoing {
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly shape: NonNullable<Way['shape']>
  /** When the provider stops waiting for the answer. */
  readonly timeoutMs: number
  /** How long a slow body takes. */
  readonly slowBodyMs: number
}

/** The result for the sender: a status, or why there was none. */
export type Seen = { readonly status: number } | { readonly error: string }

const pieces = 5

/** POSTs one request in the given shape. Follows no redirect. Never throws. */
export async function send({ address, headers, body, shape, timeoutMs, slowBodyMs }: Outgoing): Promise<Seen> {
  const url = new URL(address)
  const make = url.protocol === 'https:' ? httpsRequest : httpRequest
  const sized = shape === 'chunked' ? {} : { 'content-length': String(body.byteLength) }
  // A separate connection, so that a cut one affects no other request.
  const request = make(url, { method: 'POST', agent: false, headers: { ...headers, ...sized } })
  const seen = answerOf(request, timeoutMs)
  await write(request, body, shape, slowBodyMs / pieces)
  const result = await seen
  return shape === 'cut-after-answer' && 'status' in result ? { error: 'the answer was lost' } : result
}

async function answerOf(request: ClientRequest, timeoutMs: number): Promise<Seen> {
  const { promise, resolve } = Promise.withResolvers<Seen>()
  const timer = setTimeout(() => {
    resolve({ error: `no answer within ${timeoutMs} ms` })
    request.destroy()
  }, timeoutMs)
  request.on('response', (response) => {
    // Only a complete answer counts.
    response.resume()
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0 })
    })
    response.on('error', (error) => {
      resolve({ error: error.message })
    })
  })
  request.on('error', (error) => {
    resolve({ error: error.message })
  })
  request.on('close', () => {
    resolve({ error: 'the connection was closed' })
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

async function write(request: ClientRequest, body: Buffer, shape: Outgoing['shape'], pauseMs: number): Promise<void> {
  const half = body.subarray(0, Math.floor(body.byteLength / 2))
  switch (shape) {
    case 'whole':
    case 'cut-after-answer':
      request.end(body)
      return
    case 'chunked':
    case 'slow':
      for (let piece = 0; piece < pieces && !request.destroyed; piece += 1) {
        request.write(
          body.subarray(
            Math.floor((piece * body.byteLength) / pieces),
            Math.floor(((piece + 1) * body.byteLength) / pieces)
          )
        )
        if (shape === 'slow') await delay(pauseMs)
      }
      request.end()
      return
    case 'truncated':
      request.write(half, () => request.destroy())
      return
    case 'cut-before-answer':
      request.end(body, () => request.destroy())
  }
}
