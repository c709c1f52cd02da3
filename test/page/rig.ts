import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'

import Fastify, { type FastifyInstance } from 'fastify'
import tap, { type Test } from 'tap'

import { buildPage } from '../../src/page/build.ts'
import { admin, type AdminOptions } from '../../src/admin/index.ts'
import { PermanentError, riverhook, type RiverhookOptions } from '../../src/index.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { makeFolder } from '../folder.ts'
import type { EmptiedInboxes } from '../inbox/emptied-inboxes.ts'
import { emptiedSqlite, type EmptiedFile } from '../inbox/emptied-sqlite.ts'
import { event, postUntilStored, secret } from '../receive/receiver.ts'

let built: Promise<void> | undefined

/** To start the threads of a SQLite file takes longer than most of what a test does with it. */
let files: EmptiedInboxes<EmptiedFile> | undefined

export interface Host {
  readonly app: FastifyInstance
  /** The address of the page, with a slash at its end. */
  readonly url: string
  /** Sends an event, signed. @returns its id */
  send(changes?: Record<string, unknown>): Promise<string>
  /** Sends bytes, signed. */
  sendRaw(body: Buffer): Promise<unknown>
  /** Waits until the deliveries of an event are settled. */
  settled(id: string): Promise<unknown>
  /** The function that the handler `erp` calls. Default: fails for good. */
  erp: () => unknown
}

/** A receiver on SQLite with two handlers, and the operator's API and page mounted below a prefix. */
export async function startHost(
  t: Test,
  {
    prefix = '/ops',
    receiver = {},
    ...options
  }: Partial<AdminOptions> & { prefix?: string; receiver?: RiverhookOptions } = {}
): Promise<Host> {
  await (built ??= buildPage())
  const app = Fastify()
  const { inbox } = await (files ??= emptiedSqlite(tap, makeFolder(tap))).lend(Date.now)
  await app.register(riverhook, { inbox, secrets: secret, ...receiver })
  const login = Object.keys(options).length > 0 ? options : { authenticate: () => everything }
  await app.register(admin, { prefix, ...login })
  const sendRaw = (body: Buffer) => postUntilStored(`${origin}/webhooks/digital-river`, body)
  const host: Host = {
    app,
    url: '',
    erp: () => {
      throw new PermanentError('the warehouse answered 503 <b>Service Unavailable</b>')
    },
    send: async (changes = {}) => {
      const body = event(changes)
      const { status } = await sendRaw(body)
      t.equal(status, 202, 'the receiver takes the event')
      return (JSON.parse(body.toString()) as { id: string }).id
    },
    sendRaw,
    settled: (id) => whenSettled(app.riverhook.inbox, id)
  }
  app.riverhook.on('*', { name: 'audit' }, () => undefined)
  app.riverhook.on('order.*', { name: 'erp' }, () => host.erp())
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return Object.assign(host, { url: `${origin}${prefix}/` })
}

const everything = { name: 'alice', scopes: ['read', 'reveal', 'operate'] as const }

/**
 * A proxy in front of the host, as nginx is.
 * @param prefix below which the browser sees the page
 * @param isStripped whether the proxy takes the prefix away
 * @returns the address for the browser
 */
export async function startProxy(
  t: Test,
  { url }: Host,
  { prefix, isStripped }: { readonly prefix: string; readonly isStripped: boolean }
): Promise<string> {
  const { hostname, port } = new URL(url)
  const proxy = createServer((incoming, outgoing) => {
    const path = isStripped ? (incoming.url ?? '').slice(prefix.length) : (incoming.url ?? '')
    const onward = httpRequest(
      { hostname, port, path, method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      }
    )
    // A live feed ends with the browser.
    outgoing.on('close', () => onward.destroy())
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}/`
}
