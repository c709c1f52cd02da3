import { createHmac } from 'node:crypto'

import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isPlainObject, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import { parseChallenge } from './parse-challenge.ts'
import type { Answer, Recorded } from './source.ts'

/** An event as Zoom sends it, with the members that every source's events have. */
export interface ZoomEvent extends AnyEvent {
  /** The field `event`, such as `meeting.started`. */
  readonly type: string
  readonly event: string
  /** Milliseconds since 1970. */
  readonly event_ts?: number
  readonly payload: { readonly account_id?: string; readonly object?: JsonObject; readonly [field: string]: unknown }
  /** Of an event about a recording: opens its files. */
  readonly download_token?: string
}

/** Zoom, with the place of the payload. */
export type ZoomSource = HmacSource<ZoomEvent> & { readonly payloadPath: readonly ['payload'] }

/** See `zoom`. */
export interface ZoomOptions {
  /** The name of the source, stored with every event. Default: `zoom`. */
  readonly name?: string | undefined
}

/**
 * Zoom.
 *
 * - **Verified**: HMAC-SHA256 over `v0:`, the header `x-zm-request-timestamp`, `:` and the body; in the header
 *   `x-zm-signature`, keyed with the text of the app's secret token. So everything in the body is authentic.
 * - **Not signed**: other headers.
 * - **Handshake**: a signed `endpoint.url_validation` is answered with its token and the token's HMAC, made with the
 *   secret that matched; it is no event. Zoom repeats it every 72 hours.
 * - **Duplicates**: Zoom sends no id. The SHA-256 of the body is the id; the body holds the time of the event in
 *   milliseconds (`event_ts`). Zoom does not document that a retry has the same body; one with another body would be
 *   another event.
 * - **Limits**: 3 s for an answer, which must be 200 or 204; 3 retries, after 5, 20 and 60 minutes:
 *   85 minutes in all.
 *
 * The event is the body with `id`, `type` (its field `event`) and `createdTime`.
 *
 * Facts: https://developers.zoom.us/docs/api/webhooks/, https://developers.zoom.us/blog/webhook-delays/ and
 * https://github.com/zoom/webhook-sample
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function zoom(options: ZoomOptions = {}): ZoomSource {
  checkAgainst({ name: isText }, options, 'zoom')
  return options.name === undefined ? byDefault : describe(options.name)
}

/** Texts of users, numbers of callers, and whatever opens a meeting or a recording. */
const personal = [
  ...['topic', 'agenda', 'operator', 'registrant', 'message', 'caller_number', 'callee_number', 'caller.name'],
  ...['callee.name', 'host_name', 'download_token', 'join_url', 'start_url', 'download_url', 'play_url', 'share_url']
].map((path) => `**.${path}`)

const describe = (name: string): ZoomSource =>
  hmacSource<ZoomEvent, readonly ['payload']>({
    name,
    header: 'x-zm-signature',
    prefix: 'v0=',
    timestampHeader: 'x-zm-request-timestamp',
    signed: 'v0:{timestamp}:{body}',
    id: 'digest',
    type: { field: 'event' },
    createdTime: { field: 'event_ts' },
    payloadPath: ['payload'],
    event: (body, { headers: _headers, ...found }) => ({ ...(body as unknown as ZoomEvent), ...found }),
    keys: [
      'payload.object.id',
      'payload.object.uuid',
      'payload.object.host_id',
      'payload.object.host_email',
      'payload.object.participant.email',
      'payload.object.participant.user_id'
    ],
    redact: [...usualPersonalPaths, ...personal],
    split: (request) => (tokenIn(request.body) === undefined ? [request] : []),
    answer,
    sample: ({ type = 'meeting.started', id, at }) => ({
      event: type,
      event_ts: at.getTime(),
      // The id is a digest of the body, so two samples must differ.
      payload: { account_id: 'A0123456789', object: { uuid: id } }
    }),
    limits: { answerMs: 3_000, retryMs: 85 * 60_000 },
    secretSteps: 'it is the secret token of the app, on the Access page of the app in the Zoom App Marketplace'
  })

function answer({ request, secret }: Recorded): Answer {
  const plainToken = tokenIn(request.body)
  // Without a signature check there is no secret, and the token cannot be confirmed.
  if (plainToken === undefined || secret === undefined) return { status: 200 }
  const encryptedToken = createHmac('sha256', secret).update(plainToken).digest('hex')
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ plainToken, encryptedToken })
  }
}

function tokenIn(body: Uint8Array): string | undefined {
  const { event, payload } = parseChallenge(body, 'endpoint.url_validation') ?? {}
  const token = event === 'endpoint.url_validation' && isPlainObject(payload) ? payload['plainToken'] : undefined
  return typeof token === 'string' ? token : undefined
}

const byDefault = describe('zoom')
