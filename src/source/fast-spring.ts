import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isPlainObject, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { parseExactJson } from './exact-json.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import type { IncomingRequest, SourceRequest } from './source.ts'

/** An event as FastSpring sends it, with the members that every source's events have. */
export interface FastSpringEvent extends AnyEvent {
  /** Such as `order.completed`. */
  readonly type: string
  readonly live?: boolean
  readonly processed?: boolean
  /** Milliseconds since 1970. */
  readonly created?: number
  readonly data: JsonObject
}

/** FastSpring, with the place of the payload: an event may have other data than an object. */
export type FastSpringSource = HmacSource<FastSpringEvent> & { readonly payloadPath: readonly [] }

/** See `fastSpring`. */
export interface FastSpringOptions {
  /** The name of the source, stored with every event. Default: `fastspring`. */
  readonly name?: string | undefined
}

/**
 * FastSpring's server webhooks.
 *
 * - **Verified**: HMAC-SHA256 over the body, in Base64, in the header `X-FS-Signature`, keyed with the text of the
 *   secret. So everything in the events is authentic. FastSpring signs only if a secret is set.
 * - **Not signed**: other headers, and any time. A captured request can be replayed, as a duplicate.
 * - **Batches**: a request holds a list of events. Each is stored, handled and retried separately.
 * - **Duplicates**: an automatic retry has the same `id` for each event. An event that is resent manually has a new id:
 *   compare the id of the object, such as `data.id`, where that matters.
 * - **Answer**: 200, which marks all events of the request as processed. After a 202, FastSpring would mark only those
 *   whose ids are lines of the answer, and resend the others.
 * - **Limits**: 12 retries in 7 days. How long FastSpring waits for an answer is not documented.
 *
 * The event is the item of the list, with `createdTime` (its `created`) and `liveMode` (its `live`).
 *
 * Facts: https://developer.fastspring.com/reference/message-security,
 * https://developer.fastspring.com/reference/processed-and-unprocessed-webhook-events and
 * https://developer.fastspring.com/reference/webhooks-overview
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function fastSpring(options: FastSpringOptions = {}): FastSpringSource {
  checkAgainst({ name: isText }, options, 'fastSpring')
  return options.name === undefined ? byDefault : describe(options.name)
}

/** The links open the buyer's account and invoice. */
const personal = [
  ...['customer', 'contact', 'recipients', 'recipient', 'cardEnding', 'account.url', 'invoiceUrl', 'notes']
].map((path) => `**.${path}`)

const describe = (name: string): FastSpringSource =>
  hmacSource<FastSpringEvent, readonly []>({
    name,
    header: 'X-FS-Signature',
    encoding: 'base64',
    id: { field: 'id' },
    type: { field: 'type' },
    createdTime: { field: 'created' },
    liveMode: { field: 'live' },
    payloadPath: [],
    keys: [
      'data.id',
      'data.order',
      'data.reference',
      'data.buyerReference',
      'data.account',
      'data.customer.email',
      'data.contact.email',
      'data.subscription',
      'data.items.subscription'
    ],
    redact: [...usualPersonalPaths, ...personal],
    split,
    answer: () => ({ status: 200 }),
    sample: ({ type = 'order.completed', id, at, liveMode }) => ({
      events: [{ id, type, live: liveMode, processed: false, created: at.getTime(), data: {} }]
    }),
    limits: { retryMs: 7 * 86_400_000 },
    secretSteps:
      'it is the HMAC SHA256 secret of the webhook URL, in FastSpring under Developer Tools > Webhooks > Configuration'
  })

/** One part for each event of the list. A body without a list is left for `read` to judge. */
function split(request: IncomingRequest): readonly SourceRequest[] {
  const body = parseExactJson(request.body)
  if (!isPlainObject(body) || !Array.isArray(body['events'])) return [request]
  return body['events'].map((event: unknown) => ({ headers: {}, body: Buffer.from(JSON.stringify(event)) }))
}

const byDefault = describe('fastspring')
