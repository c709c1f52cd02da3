import ms from 'ms'

import type { Filled } from '../model/option-rules.ts'

/** One setting, told once: its type, default, unit and environment name. The README's table is tested against this. */
export interface Setting {
  readonly schema: Readonly<Record<string, unknown>>
  readonly default?: string | number
  readonly unit?: string
  /**
   * The environment variable that `riverhook serve` reads it from. With `file`, NAME_FILE names a file that holds it.
   */
  readonly env?: string
  readonly file?: true
  /** For the README's table. */
  readonly means: string
}

const callable = { typeof: 'function' }
const text = { type: 'string', minLength: 1 }
/** A year: a delivery that waits longer for its next attempt is a mistake in the unit. */
const longestRetryMs = 365 * 86_400_000

/** The bounds of a span of time, both allowed, with the reason of each for the error message. */
export interface SpanBounds {
  readonly min: string
  readonly minReason?: string
  readonly max: string
  readonly maxReason?: string
}

const span = (bounds: SpanBounds): { readonly span: SpanBounds } => ({ span: bounds })

const callLimit = 'Digital River allows 25 API calls a second in test mode'
const listLimit = 'Digital River lists an event for 30 days'
/** The bounds of the spans within `register` and `backfill`. */
export const managedSpans = {
  register: { every: { min: '50ms', minReason: callLimit, max: '365d' } },
  backfill: {
    every: { min: '50ms', minReason: callLimit, max: '30d', maxReason: listLimit },
    overlap: { min: '0s', max: '30d', maxReason: listLimit }
  }
} as const satisfies Readonly<Record<string, Readonly<Record<string, SpanBounds>>>>
const credentials = {
  type: 'object',
  properties: { username: text, password: text },
  required: ['username', 'password'],
  additionalProperties: false
}

/** What `register` takes. */
const registerSchema = {
  type: 'object',
  properties: {
    address: { type: 'string', pattern: '^https?://[^\\s/]+' },
    apiKey: text,
    apiUrl: text,
    mode: { type: 'string', enum: ['test', 'live'] },
    types: { type: 'array', items: text },
    apiVersion: { type: 'string', pattern: '^(default|latest|\\d{4}-\\d{2}-\\d{2})$' },
    oauth: {
      type: 'object',
      properties: {
        tokenEndPoint: { type: 'string', pattern: '^https?://[^\\s/]+' },
        clientID: text,
        clientSecret: text,
        userName: text,
        password: text,
        grantType: text
      },
      required: ['tokenEndPoint', 'clientID', 'clientSecret'],
      additionalProperties: false
    },
    repair: { type: 'boolean' },
    every: span(managedSpans.register.every)
  },
  required: ['address'],
  additionalProperties: false
}

/** The defaults within `register` and `backfill`. */
export const managedSettings = { register: { every: '5m' }, backfill: { every: '15m', overlap: '1h' } } as const

/** What `backfill` takes. */
const backfillSchema = {
  type: 'object',
  properties: {
    every: span(managedSpans.backfill.every),
    overlap: span(managedSpans.backfill.overlap),
    apiKey: text,
    apiUrl: text
  },
  additionalProperties: false
}

/** The settings of one endpoint. */
export const endpointSettings = {
  path: {
    schema: { type: 'string', pattern: '^/' },
    default: '/webhooks/digital-river',
    env: 'RIVERHOOK_PATH',
    means: 'The path that Digital River POSTs to'
  },
  secrets: {
    schema: { anyOf: [text, { type: 'array', items: text, minItems: 1 }, callable] },
    env: 'RIVERHOOK_SECRETS',
    file: true,
    means: 'The signing secrets of the webhook, all valid at once; comma-separated (in a file: or one a line)'
  },
  basicAuth: {
    schema: { anyOf: [credentials, { type: 'array', items: credentials, minItems: 1 }] },
    env: 'RIVERHOOK_BASIC_AUTH',
    file: true,
    means: 'Basic authentication of the callback, as `user:password`'
  },
  bearer: {
    schema: { anyOf: [text, { type: 'array', items: text, minItems: 1 }, callable] },
    env: 'RIVERHOOK_BEARER',
    file: true,
    means: 'The bearer token of the callback (OAuth transport); in code also a function that judges it'
  },
  mode: {
    schema: { type: 'string', enum: ['test', 'live'] },
    env: 'RIVERHOOK_MODE',
    means: '`test` or `live`: an event of the other kind is answered 400 and quarantined. Not set: both are accepted'
  },
  tolerance: {
    schema: { type: 'integer', minimum: 1 },
    default: 300,
    unit: 's',
    env: 'RIVERHOOK_TOLERANCE',
    means: "How far the signed time may be from this machine's clock, on both sides"
  },
  timestamps: {
    schema: { type: 'string', enum: ['readable', 'any'] },
    default: 'readable',
    env: 'RIVERHOOK_TIMESTAMPS',
    means:
      '`any` accepts a matching signature whose time cannot be read; only the event id then protects against replays'
  },
  bodyLimit: {
    schema: { type: 'integer', minimum: 1024 },
    default: 1_048_576,
    unit: 'bytes',
    env: 'RIVERHOOK_BODY_LIMIT',
    means: 'A larger body is refused with 413'
  },
  ackTimeout: {
    schema: { type: 'integer', minimum: 1, maximum: 3000 },
    default: 2500,
    unit: 'ms',
    env: 'RIVERHOOK_ACK_TIMEOUT',
    means:
      'Answer 503 if the body has not arrived or the event is not on disk by then. Digital River gives up after 3,000 ms'
  },
  validate: {
    schema: { type: 'string', enum: ['flag', 'reject', 'off'] },
    default: 'flag',
    env: 'RIVERHOOK_VALIDATE',
    means:
      'Payloads that are not as their schema says: `flag` accepts, logs each kind once and counts it; `reject` answers 400 and quarantines; `off` does not look'
  },
  register: {
    schema: registerSchema,
    means:
      'Registers this endpoint with Digital River and watches that it stays so: `{ address, apiKey, repair, every ... }`'
  },
  backfill: {
    schema: backfillSchema,
    means: 'Fetches events back that never arrived: `{ every, overlap, apiKey ... }`'
  }
} as const satisfies Record<keyof Required<EndpointOptions>, Setting>

/** The settings of the plugin as a whole. */
export const pluginSettings = {
  inbox: {
    schema: { anyOf: [text, { type: 'object', required: ['record', 'claim', 'settle'] }] },
    default: 'sqlite:riverhook.db',
    env: 'RIVERHOOK_INBOX',
    means:
      'Where events are kept: `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `memory:` (lost when the process ends); in code also an Inbox'
  },
  handlers: {
    schema: text,
    env: 'RIVERHOOK_HANDLERS',
    means: "A folder of the merchant's handlers"
  },
  concurrency: {
    schema: { type: 'integer', minimum: 1 },
    default: 64,
    env: 'RIVERHOOK_CONCURRENCY',
    means: 'How many attempts run at a time, all handlers together'
  },
  retry: {
    schema: {
      type: 'object',
      properties: {
        attempts: { type: 'integer', minimum: 1 },
        baseMs: { type: 'integer', minimum: 1, maximum: longestRetryMs },
        factor: { type: 'number', minimum: 1 },
        capMs: { type: 'integer', minimum: 1, maximum: longestRetryMs }
      },
      additionalProperties: false
    },
    means: 'How failed deliveries are tried again, for handlers that do not say'
  },
  retention: {
    schema: span({
      min: '73h',
      minReason: 'Digital River retries an event for 72 hours, and one that was purged by then would be handled twice',
      max: '36500d'
    }),
    default: '30d',
    env: 'RIVERHOOK_RETENTION',
    means: 'Events whose deliveries are all done are purged after it; at least 73h, as the sender retries for 72'
  },
  bodyBudget: {
    schema: { type: 'integer', minimum: 1024 },
    default: 67_108_864,
    unit: 'bytes',
    env: 'RIVERHOOK_BODY_BUDGET',
    means:
      'Limit of the request bodies in memory, over all endpoints; further requests are answered 503. At least bodyLimit'
  },
  grace: {
    schema: span({ min: '0s', max: '24d', maxReason: 'a timer of Node.js keeps no longer one' }),
    default: '8s',
    env: 'RIVERHOOK_GRACE',
    means: 'How long running handlers may go on at shutdown before they are handed back'
  },
  maxBacklogAge: {
    schema: span({ min: '1ms', max: '36500d' }),
    default: '5m',
    env: 'RIVERHOOK_MAX_BACKLOG_AGE',
    means: 'Not ready while a delivery is overdue by more than this'
  },
  source: {
    schema: { type: 'object', required: ['name', 'verifier', 'read'] },
    means: 'The provider; Digital River where nothing is given'
  },
  onError: { schema: callable, means: 'Called after every failed attempt' },
  onDead: { schema: callable, means: 'Called when a delivery becomes a dead letter' },
  onRejected: { schema: callable, means: 'Called when a request is refused' },
  onRegistrationDrift: { schema: callable, means: 'Called when the webhook is disabled, changed or gone' }
} as const satisfies Record<string, Setting>

/** One endpoint: a POST path with its own credentials. */
export interface EndpointOptions {
  /** The path of the POST route. Default `/webhooks/digital-river`. */
  readonly path?: string | undefined
  /**
   * The signing secrets, all valid at once (two during a rotation; a list, not a text with commas), or a function
   * that gives them, so that they can be rotated without a restart. It is called for each request whose signature
   * header is there, well-formed and in time; requests that come while a call is under way share it.
   */
  readonly secrets?:
    | string
    | readonly string[]
    | (() => string | readonly string[] | PromiseLike<string | readonly string[]>)
    | undefined
  /** The user names and passwords that the callback may authenticate with. */
  readonly basicAuth?: BasicCredentials | readonly BasicCredentials[] | undefined
  /** The bearer tokens that the callback may carry, or a function that judges one. */
  readonly bearer?: string | readonly string[] | ((token: string) => boolean | Promise<boolean>) | undefined
  /**
   * Which events the endpoint is for: one whose `liveMode` says otherwise is answered 400 and quarantined, also one
   * that is fetched back or retried. Set it wherever test and live events meet in one inbox: without it, who has the
   * secret of the test webhook can send events that handlers take for live ones. Default: that of `register`, else
   * both are accepted.
   */
  readonly mode?: 'test' | 'live' | undefined
  /** How far the signed time may be from our clock, on both sides, in seconds. Default 300. */
  readonly tolerance?: number | undefined
  /**
   * What is done about a signature that matches and whose time cannot be read: `readable` (default) refuses it, and
   * the log shows the time; `any` accepts it. Nothing then tells an old request from a new one but its event id: a
   * replay is a duplicate while the inbox keeps the event (`retention`). A time that can be read is held to
   * `tolerance` in either case.
   */
  readonly timestamps?: 'readable' | 'any' | undefined
  /** The largest body, in bytes. Default 1 MiB. */
  readonly bodyLimit?: number | undefined
  /**
   * Answer 503 when the event is not on disk this many milliseconds after the head of its request arrived; it is the
   * deadline of a slow body, too. Default 2,500; the provider gives up at 3,000.
   */
  readonly ackTimeout?: number | undefined
  /**
   * What is done about a payload that is not as its schema says. Default `flag`: accepted, each kind logged once, and
   * counted. `reject` answers 400 and quarantines, but never over a new value of an enum, another format of a date,
   * or a resource that is only inferred from the type.
   */
  readonly validate?: 'flag' | 'reject' | 'off' | undefined
  /** Keeps the webhook of this endpoint at Digital River as the handlers want it. */
  readonly register?: RegisterOptions | undefined
  /** Fetches back what was missed, now and then. */
  readonly backfill?: BackfillOptions | undefined
}

/** How the endpoint is registered with Digital River. */
export interface RegisterOptions {
  /** The URL that Digital River is to POST to, as it is reached from outside. */
  readonly address: string
  /**
   * The confidential key. Default: `DIGITAL_RIVER_API_KEY`, or what is in the file that `DIGITAL_RIVER_API_KEY_FILE`
   * names.
   */
  readonly apiKey?: string | undefined
  /** Default: `DIGITAL_RIVER_API_URL`, or the provider's own. */
  readonly apiUrl?: string | undefined
  /**
   * Which of the provider's environments the endpoint is for; a key of the other one is warned of. Default: the
   * endpoint's `mode`.
   */
  readonly mode?: 'test' | 'live' | undefined
  /**
   * Event types to ask for beside those that handlers name, for example some that the catalogue does not know yet. A
   * pattern such as `order.*` stands for the types that are known.
   */
  readonly types?: readonly string[] | undefined
  /** `default`, or a dated version such as `2021-12-13`. Default: left as it is. */
  readonly apiVersion?: string | undefined
  /** Where Digital River fetches the callback's bearer token; it makes the transport OAUTH. */
  readonly oauth?:
    | {
        readonly tokenEndPoint: string
        readonly clientID: string
        readonly clientSecret: string
        readonly userName?: string | undefined
        readonly password?: string | undefined
        readonly grantType?: string | undefined
      }
    | undefined
  /** Puts the webhook right when it has been disabled, changed or deleted since. Default: it is only told. */
  readonly repair?: boolean | undefined
  /**
   * How often the webhook is looked at: milliseconds, or a text such as `5m` (default); from `50ms` to `365d`. Up to
   * a tenth sooner, so that replicas do not call the API together.
   */
  readonly every?: number | string | undefined
}

/** How missed events are fetched back. */
export interface BackfillOptions {
  /**
   * How often, up to a tenth sooner. Default `15m`; from `50ms`, and with `overlap` at most the `30d` for which
   * events are listed.
   */
  readonly every?: number | string | undefined
  /** How much of the time before is read again: an event may be listed some time after it was created. Default `1h`. */
  readonly overlap?: number | string | undefined
  /** Default: that of `register`, then `DIGITAL_RIVER_API_KEY` or `DIGITAL_RIVER_API_KEY_FILE`. */
  readonly apiKey?: string | undefined
  /** Default: that of `register`, then `DIGITAL_RIVER_API_URL`, or the provider's own. */
  readonly apiUrl?: string | undefined
}

export interface BasicCredentials {
  readonly username: string
  readonly password: string
}

/** An endpoint with every setting filled in. */
export type Endpoint = Omit<EndpointOptions, 'mode'> & { readonly mode: 'test' | 'live' | undefined } & Filled<
    Pick<EndpointOptions, 'path' | 'tolerance' | 'timestamps' | 'bodyLimit' | 'ackTimeout' | 'validate'>
  >

/**
 * A span of time: milliseconds as a number, or a text such as `90s`, `15m`, `24h`, `30d`. Undefined when it is neither.
 */
export function toMs(span: number | string): number | undefined {
  if (typeof span === 'number') return Number.isFinite(span) && span >= 0 ? span : undefined
  const value = /^\d+(\.\d+)?\s?(ms|s|m|h|d|w)$/.test(span) ? ms(span as ms.StringValue) : undefined
  return value === undefined || Number.isNaN(value) ? undefined : value
}

/** What is wrong with a span, as the end of a sentence that begins with its name; undefined when nothing is. */
export function spanProblem(value: unknown, { min, minReason, max, maxReason }: SpanBounds): string | undefined {
  const because = (reason: string | undefined): string => (reason === undefined ? '' : `: ${reason}`)
  const given = typeof value === 'number' || typeof value === 'string' ? toMs(value) : undefined
  if (given === undefined)
    return `must be a span of time such as "90s", "15m", "24h" or "30d", or a number of milliseconds, from ${min} to ${max}`
  if (given < (toMs(min) ?? 0)) return `must be at least ${min} (and at most ${max})${because(minReason)}`
  return given <= (toMs(max) ?? 0) ? undefined : `must be at most ${max} (and at least ${min})${because(maxReason)}`
}
