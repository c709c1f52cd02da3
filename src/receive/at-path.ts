import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'

import type { Log } from '../model/log.ts'
import { notPost, refuse, type Reply } from './reply.ts'
import type { RequestHead, Served } from './served.ts'

/** A request to any path. */
export interface PathRequest extends Omit<RequestHead, 'id'> {
  readonly id?: string | undefined
  readonly body?: Uint8Array | Readable | undefined
  readonly elapsedMs?: number | undefined
}

/** Passes a request to the endpoint or token endpoint of its path. Never rejects. */
export async function receiveAt(all: readonly Served[], request: PathRequest, log: Log): Promise<Reply> {
  const { id = randomUUID(), method, url, headers, ip, body = noBody, elapsedMs } = request
  const path = pathOf(url)
  const served = all.find((each) => each.path === path)
  if (served === undefined) {
    log.warn({ code: 'RIVERHOOK_RECEIVE_NOT_FOUND', status_code: 404 }, 'request refused: no endpoint has this path')
    return refuse({ code: 'RIVERHOOK_RECEIVE_NOT_FOUND', message: 'Nothing is served here' })
  }
  const verb = method.toUpperCase()
  if (!served.methods.includes(verb)) {
    log.warn(
      { endpoint: path, code: notPost.code, status_code: 405 },
      'request refused: only POST is served at this path'
    )
    return refuse(notPost)
  }
  const head = { id, method: verb, url: targetOf(url), headers, ip }
  const incoming = served.begin(elapsedMs)
  const refused = served.admit(head, incoming)
  if (refused !== undefined) return refused
  const stream = body instanceof Uint8Array ? Readable.from([body], { objectMode: false }) : body
  return served.receive(head, incoming, () => served.readBody({ stream, isRequest: true }, headers, incoming))
}

const noBody = new Uint8Array()

/** Path and query, without the host of an absolute URL. */
function targetOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '')
}

/** Without the query, which may hold a token. */
function pathOf(url: string): string {
  const path = targetOf(url).replace(/[?#].*$/s, '')
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
