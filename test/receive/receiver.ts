import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request, type Agent, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import riverhook, { digitalRiver, type RiverhookOptions } from '../../src/index.ts'

export const secret = 'whk_0f8fad5b-d9cb-469f-a165-70867728950e'

export type LogLine = Record<string, unknown> & { readonly msg: string }

export interface Receiver {
  readonly app: FastifyInstance
  readonly url: string
  /** The log lines, oldest first. */
  readonly lines: LogLine[]
}

/** A real server with the plugin mounted, and its log. `prepare` runs on the host before the plugin is registered. */
export async function startReceiver(
  t: Test,
  options: RiverhookOptions = {},
  prepare: (app: FastifyInstance) => unknown = () => undefined
): Promise<Receiver> {
  const lines: LogLine[] = []
  const stream = {
    write: (line: string) => {
      lines.push(JSON.parse(line) as LogLine)
    }
  }
  const app = Fastify({
    logger: { level: 'debug', stream },
    logController: new LogController({ disableRequestLogging: true })
  })
  await prepare(app)
  const credentials =
    options.endpoints === undefined && options.basicAuth === undefined && options.bearer === undefined
      ? { secrets: secret }
      : {}
  await app.register(riverhook, { inbox: 'memory:', ...credentials, ...options })
  t.teardown(() => app.close())
  return { app, lines, url: '' }
}

/** Starts listening. Register handlers before. */
export async function listen(receiver: Receiver): Promise<Receiver> {
  return { ...receiver, url: `${await receiver.app.listen({ port: 0, host: '127.0.0.1' })}/webhooks/digital-river` }
}

export function event(changes: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: randomUUID(),
      type: 'order.accepted',
      data: { object: { id: 'o1' } },
      liveMode: false,
      createdTime: new Date().toISOString(),
      ...changes
    })
  )
}

export function signatureHeaders(body: Uint8Array, by = secret, at = new Date()): Record<string, string> {
  return digitalRiver().sign({ body, secret: by, at })
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** POSTs like Digital River. The given headers override the usual ones, and undefined ones are left out. */
export async function post(
  url: string,
  body: Buffer,
  headers: Record<string, string | undefined> = {}
): Promise<Answer> {
  const all = { 'content-type': 'application/json', ...signatureHeaders(body), ...headers }
  const given = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  )
  const response = await fetch(url, { method: 'POST', body: Uint8Array.from(body), headers: given })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>
  }
}

/** Sends as a provider does, which repeats what is answered 503: a busy machine may not store an event in time. */
export async function untilStored<Reply extends { readonly status: number }>(
  send: () => Promise<Reply>
): Promise<Reply> {
  for (let triesLeft = 20; ; triesLeft -= 1) {
    const answer = await send()
    if (answer.status !== 503 || triesLeft === 0) return answer
  }
}

export const postUntilStored = (...request: Parameters<typeof post>): Promise<Answer> =>
  untilStored(() => post(...request))

/** As `post`, over kept connections: for thousands of requests, `fetch` would take most of the time. */
export async function postOver(
  agent: Agent,
  url: string,
  body: Buffer,
  by = secret
): Promise<Pick<Answer, 'status' | 'body'>> {
  const sent = request(url, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...signatureHeaders(body, by) }
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, body: (await json(response)) as Record<string, unknown> }
}
