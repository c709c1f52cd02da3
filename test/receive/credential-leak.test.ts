import Fastify, { LogController } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'

import riverhook, { createRiverhook, type RiverhookOptions, type Source } from '../../src/index.ts'
import { github, meta, sendGrid, shopify, slack, standardWebhooks, stripe } from '../../src/sources.ts'
import { newSecret, sampleRequest, signedHeaders } from '../../src/testing/index.ts'
import { toWebHandler } from '../../src/web.ts'
import { makeFolder } from '../folder.ts'
import { startServer } from '../processes.ts'

// Risk: secrets, exposed to everyone who can read the log.

/** Part of every text that must not be logged, except secrets and signatures. */
const canary = 'CANARY0123456789'
const verifyToken = `verify-${canary}`

interface Sent {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

interface Case {
  readonly endpoint: NonNullable<RiverhookOptions['endpoints']>[number]
  readonly requests: readonly Sent[]
  /** The statuses of these requests. */
  readonly statuses: readonly number[]
  /** Texts that must not be in any log line. */
  readonly hidden: readonly string[]
}

/** An endpoint of the source, and one request for each way that a request can end. */
function caseOf(source: Source, handshakes: readonly (Omit<Sent, 'url'> & { readonly status: number })[] = []): Case {
  const [secret, older, wrong] = [newSecret(source), newSecret(source), newSecret(source)]
  const url = `/webhooks/${source.name}?token=${canary}`
  const common = { authorization: `Bearer ${canary}`, cookie: `session=${canary}` }
  const accepted = sampleRequest(source, { secret, id: 'msg_1' })
  const signed = (body: string): Omit<Sent, 'url'> => {
    const bytes = Buffer.from(body)
    return { body: bytes, headers: signedHeaders(source, { body: bytes, secret, id: 'msg_2', type: 'push' }) }
  }
  const [header = ''] = source.signatureHeaders ?? []
  const { [header]: signature, ...unsigned } = accepted.headers
  const cut = `${String(signature).slice(0, -6)}!${canary}`
  const ways: readonly (Omit<Sent, 'url'> & { readonly status: number })[] = [
    { ...accepted, status: source.answer === undefined ? 202 : 200 },
    { ...accepted, status: source.answer === undefined ? 202 : 200 },
    { ...sampleRequest(source, { secret: wrong, id: 'msg_1' }), status: 401 },
    { ...accepted, body: Buffer.concat([accepted.body, Buffer.from(' ')]), status: 401 },
    { ...accepted, headers: { ...unsigned, [header]: cut }, status: 401 },
    { ...accepted, headers: unsigned, status: 401 },
    { ...signed(`"${canary}"`), status: 400 },
    { ...signed(`{"password":"${canary}"`), status: 400 },
    { ...accepted, headers: { ...accepted.headers, 'content-type': 'text/plain' }, status: 415 },
    { method: 'PUT', status: 405 },
    ...handshakes.map((each) => (each.body === undefined ? each : { ...each, ...signed(each.body.toString()) }))
  ]
  const requests = ways.map(({ headers, ...each }) => ({ url, ...each, headers: { ...common, ...headers } }))
  const signatures = requests.flatMap(({ headers }) => {
    const value: string = (headers as Readonly<Record<string, string>>)[header] ?? ''
    // Whole, and each part of a list.
    return [value, ...value.split(/[,; =]/)].filter((part) => part.length > 16)
  })
  const secrets = [secret, older, wrong].flatMap((each) => [each, each.replace(/^whsec_/, '')])
  return {
    endpoint: { source, secrets: [older, secret] },
    requests,
    statuses: ways.map(({ status }) => status),
    hidden: [canary, verifyToken, ...secrets, ...signatures]
  }
}

const cases = [
  caseOf(stripe()),
  caseOf(github()),
  caseOf(standardWebhooks()),
  caseOf(standardWebhooks({ prefix: 'svix' })),
  caseOf(shopify()),
  caseOf(sendGrid()),
  caseOf(slack(), [
    { body: Buffer.from(`{"type":"url_verification","challenge":"${canary}","token":"${canary}"}`), status: 200 }
  ]),
  caseOf(meta({ verifyToken }), [{ method: 'GET', status: 403 }])
]
const endpoints = cases.map(({ endpoint }) => endpoint)
const challenge = `/webhooks/meta?hub.mode=subscribe&hub.challenge=${canary}&hub.verify_token=`

/** Sends all requests. @returns the statuses */
async function sendAll(t: Test, send: (request: Sent) => Promise<{ readonly status: number }>): Promise<void> {
  for (const { endpoint, requests, statuses } of cases) {
    const answered: number[] = []
    for (const each of requests) answered.push((await send(each)).status)
    t.same(answered, statuses, String(endpoint.source?.name))
  }
  for (const [token, status] of [
    [verifyToken, 200],
    [`${verifyToken}x`, 403]
  ] as const)
    t.equal((await send({ method: 'GET', url: `${challenge}${token}` })).status, status)
  t.match(await send({ url: `/elsewhere?token=${canary}`, body: Buffer.from(canary) }), { status: 404 })
}

function checkLines(t: Test, lines: readonly string[], onRejected: readonly unknown[] = []): void {
  for (const message of ['event accepted', 'duplicate', 'kept as quarantine_', 'request refused'])
    t.ok(
      lines.some((line) => line.includes(message)),
      'there is something that could leak'
    )
  for (const { hidden, endpoint } of cases)
    t.same(
      hidden.flatMap((part) => lines.filter((line) => line.includes(part)).map((line) => ({ part, line }))),
      [],
      String(endpoint.source?.name)
    )
  t.notMatch(JSON.stringify(onRejected), canary)
}

t.test('the plugin, at level trace', async (t) => {
  const lines: string[] = []
  const rejected: unknown[] = []
  const app = Fastify({
    logger: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } },
    // Fastify's own request lines show the query.
    logController: new LogController({ disableRequestLogging: true })
  })
  t.teardown(() => app.close())
  await app.register(riverhook, { inbox: 'memory:', endpoints, onRejected: (rejection) => rejected.push(rejection) })
  await sendAll(t, async ({ method = 'POST', url, headers = {}, body }) => {
    const { statusCode } = await app.inject({
      method: method as 'POST',
      url,
      headers,
      ...(body === undefined ? {} : { payload: Buffer.from(body) })
    })
    // Fastify answers other methods.
    return { status: method === 'PUT' && statusCode === 404 ? 405 : statusCode }
  })
  checkLines(t, lines, rejected)
})

t.test('the web handler, at level trace', async (t) => {
  const lines: string[] = []
  const rejected: unknown[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const onRejected = (rejection: unknown): void => void rejected.push(rejection)
  const web = createRiverhook({ inbox: 'memory:', log, endpoints, onRejected })
  t.teardown(() => web.stop())
  await web.start()
  const handle = toWebHandler(web)
  await sendAll(t, ({ method = 'POST', url, headers = {}, body }) =>
    handle(
      new Request(`http://localhost${url}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: Uint8Array.from(body) })
      })
    )
  )
  checkLines(t, lines, rejected)
})

t.test('serve, at level trace; also what a handler logs under the names of the headers', async (t) => {
  const names = [...new Set(['authorization', ...endpoints.flatMap(({ source }) => source?.signatureHeaders ?? [])])]
  const folder = makeFolder(t, {
    'riverhook.config.js': `
      import { defineConfig, defineHandler } from 'riverhook'
      import * as sources from 'riverhook/sources'
      const { stripe, github, standardWebhooks, shopify, sendGrid, slack, meta } = sources
      const all = [stripe(), github(), standardWebhooks(), standardWebhooks({ prefix: 'svix' }), shopify(), sendGrid(),
        slack(), meta({ verifyToken: process.env.VERIFY_TOKEN })]
      const secrets = JSON.parse(process.env.TEST_SECRETS)
      const handler = defineHandler(all[1], '*', (event, { log }) => {
        const headers = Object.fromEntries(${JSON.stringify(names)}.map((name) => [name, '${canary}']))
        log.info({ headers, req: { headers } }, 'logged by a handler')
      })
      export default defineConfig({
        handlers: handler, endpoints: all.map((source, index) => ({ source, secrets: secrets[index] }))
      })`
  })
  const server = await startServer({
    RIVERHOOK_CONFIG: `${folder}/riverhook.config.js`,
    RIVERHOOK_INBOX: 'memory:',
    RIVERHOOK_LOG_LEVEL: 'trace',
    TEST_SECRETS: JSON.stringify(endpoints.map(({ secrets }) => secrets)),
    VERIFY_TOKEN: verifyToken
  })
  t.teardown(() => server.end('SIGKILL'))
  await sendAll(t, ({ method = 'POST', url, headers = {}, body }) =>
    fetch(new URL(url, server.url), {
      method,
      headers,
      ...(body === undefined ? {} : { body: Uint8Array.from(body) })
    })
  )
  t.match(await server.line(/logged by a handler/), '[Redacted]')
  await server.end('SIGTERM')
  checkLines(t, server.lines)
})
