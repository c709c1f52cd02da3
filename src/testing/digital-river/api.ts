import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

import type { Event } from '../../index.ts'
import type { Account, SimulatedWebhook } from './account.ts'
import { isOfType, type EventLog } from './event-log.ts'
import type { Fault, Faults } from './faults.ts'
import type { RateLimit } from './rate-limit.ts'
import { invalid, Refusal } from './refuse.ts'

// Not imported as a module: that would load all of fetch.
const { createServer } = process.getBuiltinModule('node:http')

/** Behaviours that the provider does not document. A client and a receiver must handle every choice. */
export interface Dialect {
  /** How `GET /webhooks` answers: an array, or `{ data }`. Default `array`. */
  readonly webhooksAs?: 'array' | 'data'
  /** Which encoding of `types` in a query is understood; another one is read as a single type. Default `both`. */
  readonly typesEncoding?: 'comma' | 'repeated' | 'both'
  /** The order of `GET /events`. Default `newest` first. */
  readonly eventsOrder?: 'newest' | 'oldest'
  /** The status of a create. Default 201. */
  readonly createStatus?: 200 | 201
  /** The spelling of the user name of basic authentication in answers. Default `username`. */
  readonly userSpelling?: 'username' | 'userName'
  /**
   * Which signature comes first while two secrets sign: that of the oldest or the newest secret, or in turn. Default
   * `alternating`.
   */
  readonly signatureOrder?: 'oldest' | 'newest' | 'alternating'
  /**
   * How the client of an OAUTH webhook authenticates at its token endpoint: with a Basic header, or with the fields
   * `client_id` and `client_secret`. `either` tries Basic first, and the fields after 400 or 401. Default `either`.
   */
  readonly tokenClient?: 'basic' | 'form' | 'either'
}

/** A call of the API. */
export interface ApiCall {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: unknown
  /** Undefined if the connection was cut or the call got no answer. */
  readonly status: number | undefined
}

export interface ApiOptions {
  readonly apiKey: string
  readonly liveMode: boolean
  readonly account: Account
  readonly events: EventLog
  readonly faults: Faults
  readonly dialect: Dialect
  readonly limit: RateLimit
  /** The number of webhooks to which an event is not delivered yet. */
  readonly pendingOf: (eventId: string) => number
  /** Called after each call. */
  readonly onCall: (call: ApiCall) => void
  /** Called for each webhook that a call creates. */
  readonly onWebhook: (webhook: SimulatedWebhook) => void
}

/** The most webhooks in an answer. */
const mostListed = 100

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The documented API as an HTTP server, not listening yet: five operations of `/webhooks` and two of `/events`. */
export function createApi(options: ApiOptions): Server {
  return createServer((request, response) => {
    void answer(options, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })
}

async function answer(options: ApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url: target = '/' } = request
  const url = new URL(target, 'http://simulator')
  const text = await readText(request)
  const fault = options.faults.take(method, url.pathname)
  const call = { method, path: url.pathname, query: url.search.slice(1), body: parse(text) }
  if (fault === 'hang' || fault === 'cut-before') {
    options.onCall({ ...call, status: undefined })
    if (fault === 'cut-before') request.socket.destroy()
    return
  }
  const refused = faultAnswer(fault)
  const { status, body, headers = {} } = refused ?? carryOut(options, request, url, text)
  if (fault === 'cut-after') {
    options.onCall({ ...call, status: undefined })
    request.socket.destroy()
    return
  }
  options.onCall({ ...call, status })
  const isText = typeof body === 'string'
  const type =
    body === undefined && fault !== 'malformed' ? {} : { 'content-type': isText ? 'text/html' : 'application/json' }
  response.writeHead(status, { ...type, 'x-request-id': randomUUID(), ...headers })
  response.end(
    fault === 'malformed' ? '{"id": ' : body === undefined ? undefined : isText ? body : JSON.stringify(body)
  )
}

function faultAnswer(fault: Fault | undefined): Answer | undefined {
  if (fault === 'html') return { status: 502, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' }
  if (typeof fault !== 'object') return undefined
  const { status, retryAfter } = fault
  return {
    status,
    body: new Refusal(status, 'The simulator is set to refuse this call.').body(),
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  }
}

/** The names by which this machine reaches itself, with any port. */
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

function carryOut(options: ApiOptions, request: IncomingMessage, url: URL, text: string): Answer {
  try {
    // Refuse web pages whose domain resolves to 127.0.0.1 (DNS rebinding): their requests have that domain as Host.
    if (!loopback.test(request.headers.host ?? ''))
      throw new Refusal(403, 'The simulator answers only requests to this machine, such as 127.0.0.1 or localhost.', {
        code: 'forbidden'
      })
    if (request.headers.authorization !== `Bearer ${options.apiKey}`)
      throw new Refusal(401, 'The API key is missing or not valid.', { code: 'unauthorized' })
    const waitSeconds = options.limit.take()
    if (waitSeconds !== undefined) {
      return {
        status: 429,
        body: new Refusal(429, 'Too many requests with this key.').body(),
        headers: { 'retry-after': String(waitSeconds) }
      }
    }
    return route(options, request.method ?? '', url, text)
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, body: error.body() }
    throw error
  }
}

function route(
  { account, events, dialect, liveMode, pendingOf, onWebhook }: ApiOptions,
  method: string,
  { pathname, searchParams }: URL,
  text: string
): Answer {
  const [, resource, id, ...rest] = pathname.split('/').map(decode)
  const show = (webhook: SimulatedWebhook): unknown => render(webhook, dialect, liveMode)
  if (rest.length > 0 || (resource !== 'webhooks' && resource !== 'events'))
    throw new Refusal(404, 'The resource does not exist.', { code: 'not_found' })
  switch (`${method} ${resource}${id === undefined ? '' : '/id'}`) {
    case 'GET webhooks': {
      const types = readTypes(searchParams, dialect, 20)
      const found = account.webhooks.filter(
        (webhook) => types === undefined || webhook.types.some((type) => types.some((asked) => isOfType(type, asked)))
      )
      const shown = found.slice(0, mostListed).map(show)
      return { status: 200, body: dialect.webhooksAs === 'data' ? { data: shown } : shown }
    }
    case 'POST webhooks': {
      const webhook = account.create(readJson(text))
      onWebhook(webhook)
      return { status: dialect.createStatus ?? 201, body: show(webhook) }
    }
    case 'GET webhooks/id':
      return { status: 200, body: show(account.find(id ?? '')) }
    case 'PATCH webhooks/id':
      return { status: 200, body: show(account.update(id ?? '', text === '' ? {} : readJson(text))) }
    case 'DELETE webhooks/id':
      account.delete(id ?? '')
      return { status: 204 }
    case 'GET events':
      // Fewer than 20 here, up to 20 for webhooks.
      return {
        status: 200,
        body: listed(events.list(queryOf(searchParams), readTypes(searchParams, dialect, 19)), pendingOf)
      }
    case 'GET events/id':
      return { status: 200, body: withPending(events.find(id ?? ''), pendingOf) }
    default:
      throw new Refusal(405, `${method} is not supported for this resource.`, { code: 'method_not_allowed' })
  }
}

/**
 * The provider's OpenAPI document requires `pendingWebhooks` of an event without explaining it; by its name it is a
 * number. No request has it.
 */
function withPending(event: Event, pendingOf: ApiOptions['pendingOf']): unknown {
  return { ...event, pendingWebhooks: pendingOf(event.id) }
}

function listed({ hasMore, data }: ReturnType<EventLog['list']>, pendingOf: ApiOptions['pendingOf']): unknown {
  return { hasMore, data: data.map((event) => withPending(event, pendingOf)) }
}

/** A webhook as the API shows it, with credentials in clear. */
function render(
  { failedInARow: _count, authentication, oauth, ...webhook }: SimulatedWebhook,
  { userSpelling = 'username' }: Dialect,
  liveMode: boolean
): unknown {
  const { username, password } = authentication ?? {}
  return {
    ...webhook,
    ...(authentication === undefined ? {} : { authentication: { [userSpelling]: username, password } }),
    ...(oauth === undefined ? {} : { oauth }),
    liveMode
  }
}

/** One `type`, or several `types`, not both. */
function readTypes(
  query: URLSearchParams,
  { typesEncoding = 'both' }: Dialect,
  most: number
): readonly string[] | undefined {
  const type = query.getAll('type')
  const given = query.getAll('types')
  if (type.length > 0 && given.length > 0) throw invalid('types', 'type and types exclude each other.')
  if (type.length > 0) return type.slice(0, 1)
  if (given.length === 0) return undefined
  const types =
    typesEncoding === 'repeated'
      ? given
      : typesEncoding === 'comma'
        ? (given.at(-1) ?? '').split(',')
        : given.flatMap((part) => part.split(','))
  if (types.length > most) throw invalid('types', `types must hold at most ${most} types.`)
  return types
}

function queryOf(query: URLSearchParams): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]))
}

/** Decodes a part of the path. A part that cannot be decoded is not a known id. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Refusal(400, 'The body is not valid JSON.', { code: 'invalid_json' })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text === '' ? undefined : text
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
