// eslint-disable-next-line @typescript-eslint/ban-ts-comment -- not everybody has the package
/** @ts-ignore: optional, for its types alone */
import type { SlackEvent as SlackInnerEvent } from '@slack/types'

import type { AnyEvent, CustomEventType } from '../model/event.ts'
import { checkAgainst, isPlainObject, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import type { IfInstalled } from './if-installed.ts'
import { parseChallenge } from './parse-challenge.ts'
import type { SampleInput } from './source.ts'

/** The body of a request of the Events API. `event` is what happened. */
export interface SlackEnvelope<Inner> {
  readonly type: string
  readonly event: Inner
  readonly event_id: string
  /** Seconds since 1970. */
  readonly event_time: number
  readonly team_id?: string
  readonly enterprise_id?: string | null
  readonly api_app_id: string
  readonly authorizations?: readonly JsonObject[]
  readonly is_ext_shared_channel?: boolean
  readonly context_team_id?: string | null
  readonly context_enterprise_id?: string | null
  readonly event_context?: string
}

/** The body that reports that Slack is withholding events of a workspace. It has no inner event and no id. */
export interface SlackRateLimit {
  readonly type: 'app_rate_limited'
  readonly team_id: string
  readonly api_app_id: string
  /** Seconds since 1970. */
  readonly minute_rate_limited: number
}

/** An event of Slack. Its payload is the body. */
export interface SlackEventOf<Type extends string, Payload> extends AnyEvent {
  /** The type of the inner event, such as `app_mention` or `message`. */
  readonly type: Type
  readonly payload: Payload
}

type Inner = IfInstalled<SlackInnerEvent, { readonly type: string; readonly [field: string]: unknown }>
type KnownEvents = {
  [Type in Exclude<Inner['type'], 'app_rate_limited'>]: SlackEventOf<
    Type,
    SlackEnvelope<Extract<Inner, { readonly type: Type }>>
  >
}[Exclude<Inner['type'], 'app_rate_limited'>]

/**
 * Every event that Slack may send: those of the package `@slack/types` where it is installed, and one for all other
 * types.
 */
export type SlackEvent =
  | KnownEvents
  | SlackEventOf<'app_rate_limited', SlackRateLimit>
  | SlackEventOf<CustomEventType, SlackEnvelope<JsonObject>>

/** Slack, with the place of the payload. */
export type SlackSource = HmacSource<SlackEvent> & { readonly payloadPath: readonly ['payload'] }

/** See `slack`. */
export interface SlackOptions {
  /** The name of the source, stored with every event. Default: `slack`. */
  readonly name?: string | undefined
}

/**
 * Slack's Events API, over HTTP.
 *
 * - **Verified**: HMAC-SHA256 over `v0:`, the header `X-Slack-Request-Timestamp`, `:` and the body; in the header
 *   `X-Slack-Signature`, keyed with the text of the app's signing secret. So everything in the body is authentic.
 * - **Not signed**: other headers, such as `X-Slack-Retry-Num`.
 * - **Handshake**: a signed `url_verification` is answered with its challenge, and is no event.
 * - **Duplicates**: a retry has the same `event_id`, and a new time. `app_rate_limited` has no id: its workspace and
 *   its minute are the id.
 * - **Limits**: 3 s for an answer; 3 retries, at once, after 1 minute and after 5 minutes: 6 minutes in all. Slack
 *   stops sending to an app that fails too often.
 *
 * The event is `{ id, type, createdTime, payload }`. Slash commands and interactions expect the handler's result as the
 * answer, and are sent as forms: they are answered 415.
 *
 * Facts: https://docs.slack.dev/authentication/verifying-requests-from-slack,
 * https://docs.slack.dev/apis/events-api/, https://docs.slack.dev/reference/events/url_verification and
 * https://docs.slack.dev/reference/events/app_rate_limited
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function slack(options: SlackOptions = {}): SlackSource {
  checkAgainst({ name: isText }, options, 'slack')
  return options.name === undefined ? byDefault : describe(options.name)
}

/** The texts and files of users. `token` is the old verification token of the app. */
const personal = ['text', 'blocks', 'attachments', 'files', 'file', 'profile', 'token'].map((path) => `**.${path}`)

const describe = (name: string): SlackSource =>
  hmacSource<SlackEvent, readonly ['payload']>({
    name,
    header: 'X-Slack-Signature',
    prefix: 'v0=',
    timestampHeader: 'X-Slack-Request-Timestamp',
    signed: 'v0:{timestamp}:{body}',
    id: (body) => (isRateLimit(body) ? rateLimitId(body) : text(body['event_id'])),
    type: (body) => (isRateLimit(body) ? 'app_rate_limited' : innerType(body)),
    createdTime: { field: 'event_time' },
    payloadPath: ['payload'],
    keys: [
      'payload.event.channel',
      'payload.event.item.channel',
      'payload.event.user',
      'payload.event.ts',
      'payload.event.thread_ts',
      'payload.team_id'
    ],
    redact: [...usualPersonalPaths, ...personal],
    split: (request) => (challengeIn(request.body) === undefined ? [request] : []),
    answer: ({ request }) => ({ status: 200, body: challengeIn(request.body) }),
    sample,
    limits: { answerMs: 3_000, retryMs: 6 * 60_000 },
    secretSteps: 'it is the signing secret of the app, under Basic Information > App Credentials on api.slack.com/apps'
  })

function sample({ type = 'app_mention', id, at }: SampleInput): object {
  const seconds = Math.floor(at.getTime() / 1_000)
  const app = { api_app_id: 'A0123456789' }
  // Its id is made of the workspace and the minute.
  if (type === 'app_rate_limited') return { type, team_id: id, minute_rate_limited: seconds, ...app }
  const event = { type }
  return { type: 'event_callback', event_id: id, event_time: seconds, team_id: 'T0123456789', ...app, event }
}

function challengeIn(body: Uint8Array): string | undefined {
  const { type, challenge } = parseChallenge(body, 'url_verification') ?? {}
  return type === 'url_verification' && typeof challenge === 'string' ? challenge : undefined
}

function innerType({ event }: JsonObject): string | undefined {
  return isPlainObject(event) ? text(event['type']) : undefined
}

function isRateLimit({ type }: JsonObject): boolean {
  return type === 'app_rate_limited'
}

function rateLimitId({ team_id: team, minute_rate_limited: minute }: JsonObject): string | undefined {
  return typeof team === 'string' && typeof minute === 'number' ? `app_rate_limited:${team}:${minute}` : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

const byDefault = describe('slack')
