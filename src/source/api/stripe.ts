import { randomUUID } from 'node:crypto'

import { RiverhookError } from '../../model/errors.ts'
import type { Call, Connection, Query } from '../http/connection.ts'
import { openConnection } from '../http/open-connection.ts'
import type {
  ApiOptions,
  CreatedRegistration,
  ListedRange,
  NewRegistration,
  RegistrationRules,
  SourceApi
} from '../source.ts'

/** Stripe's own fields of a webhook endpoint. The secret is in the answer to its creation alone. */
export const stripeRegistration: RegistrationRules = {
  fieldsOf({ apiVersion, basicAuth, oauth }) {
    const unknown = Object.entries({ basicAuth, oauth }).find(([, value]) => value !== undefined)
    if (unknown !== undefined)
      throw invalid(`Stripe does not authenticate with "${unknown[0]}" at an endpoint: leave it out, and set secrets`)
    return apiVersion === undefined ? {} : { apiVersion }
  },
  everyType: '*',
  secretShown: 'created'
}

/** Documented: `GET /v1/events` goes back 30 days. */
const horizonMs = 30 * 86_400_000
const pageSize = '100'
/** Documented: at most 20 types in one request. */
const mostTypes = 20

/**
 * The part of Stripe's API that registration and backfill need.
 *
 * Facts: https://docs.stripe.com/api/webhook_endpoints and https://docs.stripe.com/api/events/list
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is no key
 */
export function stripeApi(options: ApiOptions = {}): SourceApi {
  const { connection, key } = openConnection(options, {
    variable: 'STRIPE_API_KEY',
    description: 'a secret key, or a restricted one that may write webhook endpoints and read events',
    url: 'https://api.stripe.com',
    encoding: 'form'
  })
  const one = async (call: Call): Promise<CreatedRegistration> =>
    readEndpoint(await connection.json(call)) ??
    fail(connection, call, 'with something that is not a webhook endpoint: it has no id')
  return {
    mode: /^[a-z]+_test_/.test(key) ? 'test' : /^[a-z]+_live_/.test(key) ? 'live' : undefined,
    webhooks: {
      async list() {
        const call = { method: 'GET', path: '/v1/webhook_endpoints' } as const
        const found = await Array.fromAsync(pages(connection, call))
        return found.map((each) => readEndpoint(each) ?? fail(connection, call, 'with an endpoint without an id'))
      },
      create: (wanted) =>
        one({
          method: 'POST',
          path: '/v1/webhook_endpoints',
          body: formOf(wanted, true),
          idempotencyKey: randomUUID()
        }),
      async update(id, changes) {
        if ('apiVersion' in changes)
          throw invalid(
            `Stripe cannot change the API version of an endpoint. Delete ${id}, and let sync create another one`
          )
        return one({
          method: 'POST',
          path: `/v1/webhook_endpoints/${encodeURIComponent(id)}`,
          body: formOf(changes, false),
          idempotencyKey: randomUUID()
        })
      },
      delete: (id) => connection.delete(`/v1/webhook_endpoints/${encodeURIComponent(id)}`)
    },
    events: { horizonMs, all: (range) => eventsIn(connection, range) }
  }
}

async function* eventsIn(
  connection: Connection,
  { since, until, types }: ListedRange
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  // Stripe counts whole seconds, so the bounds are checked again below.
  const query: Query = [
    ['created[gte]', String(Math.floor(since.getTime() / 1000))],
    ['created[lt]', String(Math.ceil(until.getTime() / 1000))],
    ...(types !== undefined && types.length <= mostTypes
      ? types.map((type): [string, string] => ['types[]', type])
      : [])
  ]
  for await (const event of pages(connection, { method: 'GET', path: '/v1/events', query })) {
    const { created, type } = event
    if (typeof created === 'number' && (created * 1000 < since.getTime() || created * 1000 >= until.getTime())) continue
    if (types === undefined || typeof type !== 'string' || types.includes(type)) yield event
  }
}

/** All objects of a list, page by page. */
async function* pages(connection: Connection, call: Call): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const { query = [] } = call
  const seen = new Set<unknown>()
  for (let after: string | undefined; ; ) {
    const answer = await connection.json({
      ...call,
      query: [...query, ['limit', pageSize], ...(after === undefined ? [] : [['starting_after', after] as const])]
    })
    if (!isObject(answer) || !Array.isArray(answer['data'])) fail(connection, call, 'with something that is not a list')
    const page = (answer as { readonly data: readonly unknown[] }).data.filter(isObject)
    yield* page
    const last = page.at(-1)?.['id']
    if (answer['has_more'] !== true) return
    if (typeof last !== 'string' || seen.has(last)) fail(connection, call, 'that there is more, but with no next page')
    seen.add(last)
    after = last
  }
}

/** Stripe takes forms: a list is a name that ends in `[]`. */
function formOf(
  fields: Partial<NewRegistration> & { readonly apiVersion?: unknown },
  isNew: boolean
): [string, string][] {
  const { address, types = [], enabled, apiVersion } = fields
  return [
    ...(address === undefined ? [] : [['url', address] as [string, string]]),
    ...types.map((type): [string, string] => ['enabled_events[]', type]),
    ...(typeof apiVersion === 'string' ? [['api_version', apiVersion] as [string, string]] : []),
    ...(isNew || enabled === undefined ? [] : [['disabled', String(!enabled)] as [string, string]])
  ]
}

/** Undefined: it is no webhook endpoint. */
function readEndpoint(value: unknown): (CreatedRegistration & { readonly apiVersion?: string }) | undefined {
  if (!isObject(value) || typeof value['id'] !== 'string' || typeof value['url'] !== 'string') return undefined
  const { id, url, enabled_events: types, status, created, livemode, api_version: apiVersion, secret } = value
  return {
    id,
    address: url,
    types: Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [],
    enabled: status === 'enabled',
    ...(typeof created === 'number' ? { createdTime: new Date(created * 1000).toISOString() } : {}),
    ...(typeof livemode === 'boolean' ? { liveMode: livemode } : {}),
    ...(typeof apiVersion === 'string' ? { apiVersion } : {}),
    ...(typeof secret === 'string' ? { secret } : {})
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fail(connection: Connection, call: Call, what: string): never {
  throw connection.unreadable(call, what)
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
