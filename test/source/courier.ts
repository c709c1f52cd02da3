import { createHmac, timingSafeEqual } from 'node:crypto'

import type { AnyEvent, IncomingRequest, Source, SourceRequest } from '../../src/index.ts'

/** An event of the courier. Its id and type are headers. Its body is only the payload. */
interface CourierEvent<Type extends string, Payload> extends AnyEvent {
  readonly type: Type
  readonly payload: Payload
}

export type ParcelEvent =
  | CourierEvent<'parcel/sent' | 'parcel/delivered', { readonly parcel: string; readonly weight?: number }>
  // Digital River has a type of the same name.
  | CourierEvent<'order.accepted', { readonly order: string }>

/** A listed event, as in the courier's API. */
export interface ListedParcel {
  readonly id: string
  readonly type: string
  readonly at: string
  readonly payload: object
}

const idHeader = 'x-courier-id'
const typeHeader = 'x-courier-type'
const signatureHeader = 'x-courier-signature'

const parcelSchema = {
  type: 'object',
  properties: { parcel: { type: 'string' }, weight: { type: 'number' } },
  required: ['parcel']
}

/**
 * A provider that differs from Digital River as much as possible: id and type are headers, a request may carry several
 * events, no time is signed, verification is asynchronous, a GET checks the endpoint before anything is signed, and the
 * answer is the provider's own.
 */
export function courier(
  listed: () => readonly ListedParcel[] = () => []
): Source<ParcelEvent> &
  Required<Pick<Source, 'sign' | 'split' | 'greet'>> & { readonly payloadPath: readonly ['payload'] } {
  return {
    name: 'courier',
    types: ['parcel/sent', 'parcel/delivered', 'order.accepted'],
    payloadPath: ['payload'],
    schemaOf: (type) => (type.startsWith('parcel/') ? parcelSchema : undefined),
    keep: [idHeader, typeHeader],
    mediaTypes: ['application/x-courier'],
    methods: ['GET'],
    limits: { answerMs: 10_000, retryMs: 7 * 86_400_000, bodyBytes: 4_096 },

    greet({ method, url }, { secrets: [secret] }) {
      const challenge = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('challenge')
      if (method !== 'GET' || challenge === null || secret === undefined) return undefined
      return { status: 200, body: createHmac('sha256', secret).update(challenge).digest('hex') }
    },

    verifier: (secrets) => ({
      async verify({ headers, body }) {
        const given = headers[signatureHeader]
        if (typeof given !== 'string')
          return { ok: false, reason: 'no_header', detail: `there is no ${signatureHeader}` }
        const found = await Promise.all(secrets.map(async (secret) => isSignedWith(secret, headers, body, given)))
        const secret = found.indexOf(true) + 1
        return secret > 0 ? { ok: true, secret } : { ok: false, reason: 'no_match', detail: 'no secret matched' }
      }
    }),

    split(request) {
      if (request.headers[typeHeader] === 'ping') return []
      const ids = listIn(request, idHeader)
      const types = listIn(request, typeHeader)
      if (ids.length < 2) return [request]
      const payloads = parse(request.body)
      if (!Array.isArray(payloads) || payloads.length !== ids.length || types.length !== ids.length) return [request]
      return payloads.map((payload, index) => ({
        headers: { [idHeader]: ids[index], [typeHeader]: types[index] },
        body: Buffer.from(JSON.stringify(payload))
      }))
    },

    answer: ({ events, secret, request }) =>
      request.headers[typeHeader] === 'ping'
        ? {
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ pong: secret?.length })
          }
        : { status: 200, body: events.map(({ id, result }) => `${id} ${result}`).join('\n') },

    read({ headers, body }) {
      const [id, type] = [headers[idHeader], headers[typeHeader]]
      const payload = parse(body)
      if (payload === undefined)
        return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_JSON', message: 'The body is not valid JSON' }
      if (typeof id !== 'string' || typeof type !== 'string')
        return {
          ok: false,
          code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE',
          message: `The request lacks ${idHeader} or ${typeHeader}`
        }
      if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
        return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message: 'The body must be a JSON object' }
      return { ok: true, event: { id, type, payload } as ParcelEvent }
    },

    sign({ body, secret, id = 'p-1', type = 'parcel/sent' }) {
      const headers = { [idHeader]: id, [typeHeader]: type }
      return { ...headers, [signatureHeader]: signatureOf(secret, headers, body) }
    },

    requestOf: ({ id, type, payload }) => ({
      headers: { [idHeader]: String(id), [typeHeader]: String(type) },
      body: Buffer.from(JSON.stringify(payload))
    }),

    api: () => ({
      mode: undefined,
      webhooks: {
        list: async () => [],
        create: () => Promise.reject(new Error('the courier has no API for webhooks')),
        update: () => Promise.reject(new Error('the courier has no API for webhooks')),
        delete: () => Promise.reject(new Error('the courier has no API for webhooks'))
      },
      events: {
        horizonMs: 86_400_000,
        async *all({ since, until }) {
          for (const each of listed()) if (new Date(each.at) >= since && new Date(each.at) < until) yield { ...each }
        }
      }
    })
  }
}

function signatureOf(secret: string, headers: SourceRequest['headers'], body: Uint8Array): string {
  return createHmac('sha256', secret)
    .update(`${String(headers[idHeader])}\n${String(headers[typeHeader])}\n`)
    .update(body)
    .digest('hex')
}

function isSignedWith(secret: string, headers: SourceRequest['headers'], body: Uint8Array, given: string): boolean {
  const [right, found] = [Buffer.from(signatureOf(secret, headers, body)), Buffer.from(given)]
  return right.length === found.length && timingSafeEqual(right, found)
}

function listIn({ headers }: IncomingRequest, name: string): readonly string[] {
  const value = headers[name]
  return typeof value === 'string' ? value.split(',').map((item) => item.trim()) : []
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}
