import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

// eslint-disable-next-line @typescript-eslint/ban-ts-comment -- not everybody has the package
/** @ts-ignore: optional, for its types alone */
import type { CloudEventV1 } from 'cloudevents'

import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isListOf, isPlainObject, isText, isWholeNumber } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { valuesAt } from '../model/values-at.ts'
import { jsonText, parseExactJson } from './exact-json.ts'
import type { IfInstalled } from './if-installed.ts'
import { parseJson } from './parse-json.ts'
import type { Answer, IncomingRequest, Reading, Source, SourceRequest } from './source.ts'

/** A CloudEvent in the JSON format, as far as the specification names its members. */
export interface CloudEventMembers<Data = unknown> {
  readonly specversion: string
  /** Unique within its `source` only. */
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject?: string
  /** RFC 3339. */
  readonly time?: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly data?: Data
  /** Data that is not text, in Base64; `data` is absent then. */
  readonly data_base64?: string
  /** Extensions. */
  readonly [attribute: string]: unknown
}

/**
 * An event of `cloudEvents`. Its payload is the CloudEvent: that of the package `cloudevents` where it is installed.
 */
export interface CloudEventOf<Type extends string, Data = unknown> extends AnyEvent {
  /** The CloudEvent's `type`, such as `com.example.order.created`. */
  readonly type: Type
  readonly payload: IfInstalled<CloudEventV1<Data>, CloudEventMembers<Data>>
}

export type CloudEventsSource<E extends AnyEvent = CloudEventOf<string>> = Source<E> & {
  readonly payloadPath: readonly ['payload']
}

/** See `cloudEvents`. */
export interface CloudEventsOptions {
  /** The name of the source, stored with every event. Default: `cloudevents`. */
  readonly name?: string | undefined
  /**
   * The senders whose handshake is answered, by the name in their header `WebHook-Request-Origin`, such as
   * `eventgrid.azure.net`; `*` for every sender. Default: OPTIONS is answered 405, so senders that require the
   * handshake do not send.
   */
  readonly allowedOrigins?: readonly string[] | undefined
  /** How many requests a minute the handshake permits. Riverhook does not enforce it. Default: any number. */
  readonly allowedRate?: number | undefined
}

/**
 * CloudEvents 1.0 over HTTP: one event as JSON (structured mode), a list of events as JSON (batched mode), or one event
 * with its attributes in headers and any data as the body (binary mode).
 *
 * - **Verified**: nothing. CloudEvents have no signature, so the endpoint needs `basicAuth` or `bearer`, and any sender
 *   with these credentials can send any event.
 * - **Handshake**: OPTIONS is answered for the senders of `allowedOrigins`.
 * - **Batches**: each event is stored, handled and retried separately.
 * - **Binary mode**: stored as the same event in structured mode. JSON is in `data`, and so is text and XML in UTF-8;
 *   any other body is in `data_base64`.
 * - **Duplicates**: by the specification, `source` and `id` together are unique, and the same on retries. The id of the
 *   event is both, separated by a space; or the SHA-256 of both, if that is longer than 256 characters.
 * - **Limits**: none in the specification. Azure Event Grid waits 30 s, and retries for 24 hours.
 *
 * The event is `{ id, type, createdTime, payload }`; `payload` is the CloudEvent. Name its types and data with
 * `cloudEvents<CloudEventOf<'com.example.order', Order> | ...>()`.
 *
 * Facts: https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md,
 * https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md,
 * https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md and
 * https://learn.microsoft.com/azure/event-grid/delivery-and-retry
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every option that is wrong
 */
export function cloudEvents<E extends AnyEvent = CloudEventOf<string>>(
  options: CloudEventsOptions = {}
): CloudEventsSource<E> {
  checkAgainst(optionRules, options, 'cloudEvents')
  const { name = 'cloudevents', allowedOrigins, allowedRate } = options
  if (allowedRate !== undefined && allowedOrigins === undefined)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      'cloudEvents: the option "allowedRate" is part of the handshake, so it needs the option "allowedOrigins"'
    )
  return Object.freeze<CloudEventsSource<E>>({
    name,
    types: [],
    payloadPath: ['payload'],
    mediaTypes: ['*'],
    ...(allowedOrigins === undefined
      ? {}
      : { methods: ['OPTIONS'], greet: (request) => greet(request, allowedOrigins, allowedRate) }),
    verifier: refuseSecrets,
    split,
    read: read as (request: SourceRequest) => Reading<E>,
    keysOf: valuesAt(['payload.id', 'payload.subject', 'payload.source']),
    // Only its receiver can read what is encoded.
    redact: [...usualPersonalPaths, 'data_base64'],
    sample: ({ type = 'com.example.sample', id, at }) => ({
      specversion: '1.0',
      id,
      source: 'https://example.com/riverhook',
      type,
      time: at.toISOString(),
      datacontenttype: 'application/json',
      data: {}
    })
  })
}

const isOrigin = {
  expected: 'a host name such as eventgrid.azure.net',
  accepts: (value: unknown) => typeof value === 'string' && /^(?:\*|[\w.-]+)$/.test(value)
}
const optionRules = {
  name: isText,
  allowedOrigins: isListOf(isOrigin, 'a list of host names such as eventgrid.azure.net, or ["*"]', 1),
  allowedRate: isWholeNumber(1)
}

/**
 * Answers the request for permission to send. Leaves any other OPTIONS request, such as a CORS preflight, to be
 * refused.
 */
function greet(
  { method, headers }: IncomingRequest,
  allowed: readonly string[],
  rate: number | undefined
): Answer | undefined {
  const origin = headers['webhook-request-origin']
  if (method !== 'OPTIONS' || typeof origin !== 'string') return undefined
  const isAllowed = allowed.some((each) => each === '*' || each.toLowerCase() === origin.toLowerCase())
  // The permission is in the headers, not in the status.
  if (!isAllowed) return { status: 403, body: 'The origin is not among the allowed ones' }
  return {
    status: 200,
    headers: {
      allow: 'POST, OPTIONS',
      'webhook-allowed-origin': allowed.includes('*') ? '*' : origin,
      'webhook-allowed-rate': rate === undefined ? '*' : String(rate)
    }
  }
}

function refuseSecrets(): never {
  throw new RiverhookError(
    'RIVERHOOK_SOURCE_SECRET',
    'CloudEvents are not signed, so no signing secret can be checked. Remove "secrets" from the endpoint, and give it "bearer" or "basicAuth"'
  )
}

const structured = 'application/cloudevents+json'
const isBatchType = /^application\/cloudevents-batch(?:\+json)?\s*(?:;|$)/i
const isEventType = /^application\/cloudevents\b/i
const isJsonEventType = /^application\/cloudevents(?:-batch)?(?:\+json)?\s*(?:;|$)/i
const isJsonType = /^[\w.+-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i
const isTextType = /^(?:text\/|application\/(?:[\w.+-]+\+)?xml\s*(?:;|$))/i

/** Makes one part for each event, in structured mode. */
function split(request: IncomingRequest): readonly SourceRequest[] {
  const type = contentType(request)
  if (isBatchType.test(type)) {
    const list = parseExactJson(request.body)
    return Array.isArray(list) ? list.map((event: unknown) => structuredPart(JSON.stringify(event))) : [request]
  }
  const isBinary = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'].some((name) => request.headers[name])
  return isEventType.test(type) || !isBinary ? [request] : [fromBinary(request, type)]
}

function structuredPart(text: string): SourceRequest {
  return { headers: { 'content-type': structured }, body: Buffer.from(text) }
}

/** Moves the attributes from the headers into the body, sorted by name, so that retries have equal bytes. */
function fromBinary({ headers, body }: SourceRequest, type: string): SourceRequest {
  const attributes = Object.keys(headers)
    .filter((name) => name.startsWith('ce-') && !outsideHeaders.has(name))
    .sort()
    .map((name): [string, unknown] => [name.slice('ce-'.length), readValue(headers[name])])
  if (type !== '') attributes.push(['datacontenttype', type])
  return structuredPart(`${JSON.stringify(Object.fromEntries(attributes)).slice(0, -1)}${dataMember(type, body)}}`)
}

/** Members that are never headers: the media type of the data is the content type, and the data is the body. */
const outsideHeaders: ReadonlySet<string> = new Set(['ce-datacontenttype', 'ce-data', 'ce-data_base64'])

/** Decodes the value of a header. An invalid one becomes a list, so that `read` refuses the event. */
function readValue(header: string | readonly string[] | undefined): unknown {
  const value = String(header)
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1]
  const text = quoted === undefined ? value : quoted.replaceAll(/\\(.)/gs, '$1')
  try {
    // Not every sender writes a percent sign as %25.
    return decodeURIComponent(text.replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25'))
  } catch {
    return [value]
  }
}

function dataMember(type: string, body: Uint8Array): string {
  if (body.length === 0) return ''
  const json = type === '' || isJsonType.test(type) ? jsonText(body) : undefined
  if (json !== undefined) return `,"data":${json}`
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return isTextType.test(type) && isUtf8(body)
    ? `,"data":${JSON.stringify(bytes.toString())}`
    : `,"data_base64":"${bytes.toString('base64')}"`
}

function read(request: SourceRequest): Reading<CloudEventOf<string>> {
  const type = contentType(request)
  if (isEventType.test(type) && !isJsonEventType.test(type))
    return bad('The CloudEvent must be in the JSON format, application/cloudevents+json')
  if (type !== '' && !isEventType.test(type) && !isJsonType.test(type))
    return bad('The request has neither the content type application/cloudevents+json nor the headers of a CloudEvent')
  const parsed = parseJson(request.body)
  if (!parsed.ok) return parsed
  const { value } = parsed
  // `split` has taken the events out of a batch that is a list.
  if (isBatchType.test(type)) return bad('The body of a batch must be a JSON list of CloudEvents')
  if (!isPlainObject(value)) return bad('The body must be a JSON object')
  if (value['specversion'] !== '1.0') return bad('The CloudEvent\'s attribute "specversion" must be 1.0')
  for (const name of ['id', 'source', 'type', 'time']) {
    const found = value[name] ?? undefined
    if (found === undefined ? name !== 'time' : typeof found !== 'string' || found === '')
      return bad(`The CloudEvent's attribute "${name}" must be a text that is not empty`)
  }
  const wrong = Object.keys(value).find((name) => name !== 'data' && typeof (value[name] ?? '') === 'object')
  if (wrong !== undefined)
    return bad(
      `The CloudEvent's attribute "${wrong.slice(0, 100)}" must be a text, a number or a boolean; in a header, UTF-8 that is percent-encoded`
    )
  const event = value as unknown as CloudEventMembers
  const { time } = event
  return {
    ok: true,
    event: {
      id: idOf(event),
      type: event.type,
      ...(typeof time === 'string' ? { createdTime: time } : {}),
      payload: event
    }
  }
}

/** A valid source has no white space. An invalid one is hashed: otherwise two pairs could have the same text. */
function idOf({ source, id }: CloudEventMembers): string {
  const both = `${source} ${id}`
  if (both.length <= 256 && !/\s/.test(source)) return both
  return createHash('sha256')
    .update(JSON.stringify([source, id]))
    .digest('hex')
}

function contentType({ headers }: SourceRequest): string {
  return String(headers['content-type'] ?? '').trim()
}

function bad(message: string): Extract<Reading, { ok: false }> {
  return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
}
