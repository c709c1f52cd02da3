import type { Test } from 'tap'

import { startApi, type Call, type FakeAnswer } from './fake.ts'

interface Endpoint {
  id: string
  object: 'webhook_endpoint'
  url: string
  enabled_events: string[]
  status: 'enabled' | 'disabled'
  api_version: string | null
  created: number
  livemode: boolean
}

export interface ListedEvent {
  readonly id: string
  readonly type: string
  /** Seconds since 1970. */
  readonly created: number
}

export const stripeKey = 'sk_test_51Habc'

/**
 * Stripe's API as its reference describes it: forms, objects with prefixed ids, lists of at most 100 with `has_more`
 * and `starting_after`, errors in `error`, the secret only in the answer to a creation, idempotency keys, and no change
 * of an API version.
 */
export async function startStripe(t: Test, events: readonly ListedEvent[] = []) {
  const endpoints: Endpoint[] = []
  const byKey = new Map<string, FakeAnswer>()
  const faults: FakeAnswer[] = []
  const api = await startApi(t, (call) => {
    if (call.headers.authorization !== `Bearer ${stripeKey}`)
      return refused(401, 'invalid_request_error', `Invalid API Key provided: ${stripeKey}`)
    const key = call.headers['idempotency-key']
    const known = typeof key === 'string' ? byKey.get(key) : undefined
    const answer = known ?? carryOut(call)
    if (typeof key === 'string') byKey.set(key, answer)
    // The call has taken effect, and its answer is lost.
    return faults.shift() ?? answer
  })
  return { ...api, endpoints, faults }

  function carryOut({ method, path, query, body }: Call): FakeAnswer {
    if (method === 'GET' && path === '/v1/webhook_endpoints') return page(endpoints, query)
    if (method === 'GET' && path === '/v1/events') {
      const types = query.getAll('types[]')
      if (types.length > 20) return refused(400, 'invalid_request_error', 'Too many types')
      const [from, to] = [Number(query.get('created[gte]')), Number(query.get('created[lt]'))]
      return page(
        events.filter(
          ({ created, type }) => created >= from && created < to && (types.length === 0 || types.includes(type))
        ),
        query
      )
    }
    const form = new URLSearchParams(body)
    if (method === 'POST' && path === '/v1/webhook_endpoints') {
      const endpoint: Endpoint = {
        id: `we_${endpoints.length + 1}`,
        object: 'webhook_endpoint',
        url: form.get('url') ?? '',
        enabled_events: form.getAll('enabled_events[]'),
        status: 'enabled',
        api_version: form.get('api_version'),
        created: 1_700_000_000 + endpoints.length,
        livemode: false
      }
      if (endpoint.enabled_events.length === 0)
        return refused(400, 'invalid_request_error', 'Missing required param: enabled_events.', 'enabled_events')
      endpoints.unshift(endpoint)
      return { body: { ...endpoint, secret: 'whsec_shown_once' } }
    }
    const endpoint = endpoints.find(({ id }) => path === `/v1/webhook_endpoints/${id}`)
    if (endpoint === undefined) return refused(404, 'invalid_request_error', 'No such webhook endpoint')
    if (method === 'DELETE') {
      endpoints.splice(endpoints.indexOf(endpoint), 1)
      return { body: { id: endpoint.id, object: 'webhook_endpoint', deleted: true } }
    }
    if (form.has('api_version')) return refused(400, 'invalid_request_error', 'Received unknown parameter: api_version')
    const url = form.get('url')
    if (url !== null) endpoint.url = url
    if (form.has('enabled_events[]')) endpoint.enabled_events = form.getAll('enabled_events[]')
    if (form.has('disabled')) endpoint.status = form.get('disabled') === 'true' ? 'disabled' : 'enabled'
    return { body: endpoint }
  }
}

function page(all: readonly { readonly id: string }[], query: URLSearchParams): FakeAnswer {
  const after = query.get('starting_after')
  const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
  const end = start + Number(query.get('limit') ?? 10)
  return { body: { object: 'list', data: all.slice(start, end), has_more: end < all.length } }
}

function refused(status: number, type: string, message: string, param?: string): FakeAnswer {
  return { status, headers: { 'request-id': 'req_1' }, body: { error: { type, message, param } } }
}
