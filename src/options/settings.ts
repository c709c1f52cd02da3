import {
  isAnyOf,
  isBoolean,
  isFunction,
  isListOf,
  isNumber,
  isObjectOf,
  isOneOf,
  isPlainObject,
  isSpan,
  isText,
  isWholeNumber,
  type OptionRule
} from '../model/option-rules.ts'
import { apiVariables, defaultPath, providerName, sourceName } from './default-names.ts'
import { forwardSecretProblem, readForwardList } from '../model/forwarding.ts'
import { alarmSettings } from './alarm-settings.ts'
import { encryptionSettings } from './encryption-settings.ts'
import type { BackfillOptions, EndpointOptions, RegisterOptions } from './endpoint-options.ts'
import { retentionSettings } from './retention-settings.ts'
import { isFieldPath, searchSettings } from './search-settings.ts'
import { inboxSetting } from './inbox-setting.ts'
import { group, hasMethods, isAllowed, isPath, isTexts, withMessage, type Setting, type Settings } from './setting.ts'
import { tokenEndpointSettings } from './token-settings.ts'
import { traceSettings } from './trace-settings.ts'

/** A year. A longer wait for the next attempt is most likely a wrong unit. */
const longestRetry = '365d'
/** The longest delay of a timer in Node.js, 24.8 days. */
const longestTimer = { max: '24d', maxReason: 'timers of Node.js allow no longer delay' } as const

const callLimit = 'the API of the provider is called each time, and it limits how often'
const listLimit = 'the provider lists an event for 30 days'

const url = withMessage(
  {
    expected: 'an http or https URL',
    accepts: (value) => typeof value === 'string' && /^https?:\/\/[^\s/]+/.test(value)
  },
  'must be an http or https URL'
)
const mode = isOneOf('test', 'live')
const validate = isOneOf('flag', 'reject', 'off')

/** Checks that a value looks like a result of `defineHandler`. */
const definition: OptionRule = {
  expected: 'what defineHandler(...) returns',
  accepts: (value) =>
    isPlainObject(value) && 'pattern' in value && 'options' in value && typeof value['run'] === 'function'
}
const basicCredentials = isObjectOf({ username: isText, password: isText }, '{ username, password }', [
  'username',
  'password'
])

/** Texts such as `order.*=http://erp.internal/hooks`. What is wrong with them may show no URL. */
const forwardList: OptionRule = {
  expected: 'PATTERN=URL, or several of these',
  accepts: (value) => (isText.accepts(value) || isTexts.accepts(value)) && forwardListProblems(value).length === 0,
  problem: (value) =>
    isText.accepts(value) || isTexts.accepts(value)
      ? `has a mistake: ${forwardListProblems(value).join('; ')}`
      : undefined
}
const forwardListProblems = (value: unknown): readonly string[] =>
  readForwardList(value as string | readonly string[]).problems

const forwardSecrets: OptionRule = {
  expected: 'a secret, or a list of them',
  accepts: (value) => (isText.accepts(value) || isTexts.accepts(value)) && forwardSecretsProblem(value) === undefined,
  problem: (value) => (isText.accepts(value) || isTexts.accepts(value) ? forwardSecretsProblem(value) : undefined)
}
const forwardSecretsProblem = (value: unknown): string | undefined =>
  [value]
    .flat()
    .map(forwardSecretProblem)
    .find((problem) => problem !== undefined)

/** How a failed delivery is retried: of the plugin, and of a handler. */
export const retrySettings = {
  attempts: {
    rule: isWholeNumber(1),
    default: 10,
    also: ['maxAttempts', 'maxRetries', 'retries', 'limit', 'tries'],
    means: 'Failed attempts, the first one included, before the delivery is a dead letter'
  },
  base: {
    rule: isSpan({ min: '1ms', max: longestRetry }),
    default: '5s',
    also: ['baseDelay', 'initialDelay', 'delay', 'minTimeout', 'initialInterval', 'backoff'],
    means: 'The longest wait before the second attempt'
  },
  factor: {
    rule: isNumber(1),
    default: 3.7,
    also: ['multiplier', 'exponent'],
    means: 'The factor of the longest wait, from one attempt to the next'
  },
  cap: {
    rule: isSpan({ min: '1ms', max: longestRetry }),
    default: '24h',
    also: ['maxDelay', 'maxTimeout', 'maxInterval', 'max'],
    means: 'The longest wait of all'
  }
} as const satisfies Settings

const retry = group(retrySettings, 'an object such as { attempts: 5 }')

/** The options of one handler. */
export const handlerSettings = {
  name: {
    rule: {
      expected: 'a string of 1 to 200 characters, without control characters and without white space at its ends',
      accepts: (value: unknown) =>
        typeof value === 'string' && value.isWellFormed() && /^(?!\s)[^\p{Cc}]{1,200}(?<!\s)$/u.test(value)
    },
    also: ['id', 'handlerName'],
    means:
      'The stable name under which its deliveries are stored; two handlers on one pattern need names. Default: the pattern'
  },
  retry: {
    rule: retry,
    also: ['retries', 'maxAttempts', 'attempts', 'backoff'],
    means:
      "How failed attempts are retried: exponential backoff with full jitter, by default 21 h on average; [lost runs](handlers.md#when-a-process-dies) are counted apart. Default: the plugin's"
  },
  timeout: {
    rule: isSpan({ min: '1ms', ...longestTimer }),
    default: '30s',
    also: ['timeLimit', 'deadline'],
    means: 'The time limit of one attempt'
  },
  concurrency: {
    rule: isWholeNumber(1),
    default: 16,
    also: ['parallel', 'maxConcurrency', 'workers', 'prefetch'],
    means: 'The most attempts of this handler at the same time, in this process'
  },
  orderBy: {
    rule: { ...isFunction, expected: 'a function of the event that returns its key' },
    also: ['key', 'partitionKey', 'groupBy', 'messageGroupId', 'orderKey'],
    means: 'Returns the order key of an event. Deliveries with the same key run one at a time, in order of arrival'
  },
  onFailure: {
    rule: isOneOf('block', 'skip'),
    default: 'block',
    means: '`block`: a failing delivery holds its order key until it is done or dead; `skip` lets later ones overtake'
  },
  validate: {
    rule: validate,
    means:
      "`flag`, `reject` or `off`: what to do about a payload that does not match its schema. Default: the endpoint's"
  },
  schema: {
    rule: { expected: 'a JSON Schema: an object', accepts: isPlainObject },
    means: "Your own JSON Schema of the payload, in addition to the provider's"
  }
} as const satisfies Settings

/** The settings of `register`. */
export const registerSettings = {
  address: {
    rule: url,
    env: 'RIVERHOOK_REGISTER_ADDRESS',
    also: ['url', 'webhookUrl', 'callbackUrl', 'publicUrl'],
    means: 'The public URL of this endpoint: it is registered with the provider, and watched'
  },
  apiKey: {
    rule: isText,
    also: ['key', 'token'],
    means: `The key for the provider's API. Default: \`${apiVariables.key}\``
  },
  apiUrl: {
    rule: isText,
    also: ['baseUrl'],
    means: `The URL of the provider's API. Default: \`${apiVariables.url}\``
  },
  mode: {
    rule: mode,
    env: 'RIVERHOOK_REGISTER_MODE',
    means:
      '`test` or `live`: the kind of events that the endpoint is for. An API key for the other kind causes a warning'
  },
  types: {
    rule: isListOf(isText, 'a list of event types'),
    env: 'RIVERHOOK_REGISTER_TYPES',
    also: ['events', 'eventTypes'],
    means:
      'Event types, or patterns such as `order.*`, to request in addition to those of the handlers, comma-separated'
  },
  apiVersion: {
    rule: {
      expected: '`default`, `latest`, or a dated version such as 2021-12-13',
      accepts: (value) => typeof value === 'string' && /^(default|latest|\d{4}-\d{2}-\d{2})$/.test(value)
    },
    also: ['version'],
    means: "The version of the provider's API for the payloads. Default: unchanged"
  },
  oauth: {
    rule: isObjectOf(
      {
        tokenEndPoint: url,
        clientID: isText,
        clientSecret: isText,
        userName: isText,
        password: isText,
        grantType: isText
      },
      '{ tokenEndPoint, clientID, clientSecret }',
      ['tokenEndPoint', 'clientID', 'clientSecret']
    ),
    means: "Where the provider fetches the callback's bearer token. Default: `tokenEndpoint`, if it is given"
  },
  repair: {
    rule: isBoolean,
    env: 'RIVERHOOK_REGISTER_REPAIR',
    means: '`true` restores a webhook that was disabled, changed or deleted; otherwise this is only logged'
  },
  every: {
    rule: isSpan({ min: '50ms', minReason: callLimit, max: '365d' }),
    default: '5m',
    env: 'RIVERHOOK_REGISTER_EVERY',
    also: ['interval'],
    means: 'How often the webhook is checked'
  }
} as const satisfies Record<keyof RegisterOptions, Setting>

/** The settings of `backfill`. */
export const backfillSettings = {
  every: {
    rule: isSpan({ min: '50ms', minReason: callLimit, max: '30d', maxReason: listLimit }),
    default: '15m',
    env: 'RIVERHOOK_BACKFILL_EVERY',
    also: ['interval'],
    means: 'How often missed events are fetched, such as `15m`; as a variable, it switches backfill on'
  },
  overlap: {
    rule: isSpan({ min: '0s', max: '30d', maxReason: listLimit }),
    default: '1h',
    env: 'RIVERHOOK_BACKFILL_OVERLAP',
    means: 'How much earlier each run begins than the last one ended, because events may be listed late'
  },
  apiKey: {
    rule: isText,
    also: ['key', 'token'],
    means: "The key for the provider's API. Default: that of `register`"
  },
  apiUrl: { rule: isText, also: ['baseUrl'], means: "The URL of the provider's API. Default: that of `register`" }
} as const satisfies Record<keyof BackfillOptions, Setting>

/** The settings of one endpoint. */
export const endpointSettings = {
  path: {
    rule: isPath(defaultPath),
    default: defaultPath,
    env: 'RIVERHOOK_PATH',
    also: ['route', 'endpoint', 'webhookPath'],
    means: 'The path that the provider POSTs to. Default with another source: `/webhooks/` and its name'
  },
  secrets: {
    rule: isAnyOf('a non-empty string, a list of them, or a function that returns a list', isText, isTexts, isFunction),
    env: 'RIVERHOOK_SECRETS',
    file: true,
    also: ['secret', 'signingSecret', 'signingSecrets', 'webhookSecret', 'endpointSecret', 'signingKey', 'key'],
    means: 'The signing secrets of the webhook, all valid at once; comma-separated (in a file: or one a line)'
  },
  basicAuth: {
    rule: isAnyOf(
      '{ username, password }, both non-empty strings, or a list of those',
      basicCredentials,
      isListOf(basicCredentials, 'a list', 1)
    ),
    env: 'RIVERHOOK_BASIC_AUTH',
    file: true,
    also: ['basic', 'auth', 'username', 'password', 'credentials'],
    means: 'The user and password that the provider must send (HTTP basic authentication), as `user:password`'
  },
  bearer: {
    rule: isAnyOf('a non-empty string, a list of them, or a function that checks a token', isText, isTexts, isFunction),
    env: 'RIVERHOOK_BEARER',
    file: true,
    also: ['token', 'bearerToken', 'accessToken'],
    means: 'The bearer token that the provider must send; in code also a function that checks it'
  },
  tokenEndpoint: {
    rule: group(tokenEndpointSettings, 'an object such as { clients: [...], keys: ... }', ['clients', 'keys']),
    also: ['oauth', 'oauth2', 'tokens', 'tokenEndPoint'],
    means: 'Serves [the token endpoint](oauth.md) of the OAuth transport: `{ clients, keys, path, lifetime }`'
  },
  allow: {
    rule: isAllowed,
    env: 'RIVERHOOK_ALLOW',
    also: ['allowList', 'allowlist', 'ipAllowList', 'whitelist', 'safelist', 'ips'],
    means: `The addresses that may send, in addition to the other checks: addresses or ranges, comma-separated, or the source's name, such as \`${sourceName}\`, for those that the provider publishes. Others are answered 403. Behind a proxy, set \`RIVERHOOK_TRUST_PROXY\`, too`
  },
  mode: {
    rule: mode,
    env: 'RIVERHOOK_MODE',
    also: ['liveMode', 'environment'],
    means: '`test` or `live`: an event of the other kind is answered 400 and quarantined. Not set: both are accepted'
  },
  realm: {
    rule: withMessage(
      { expected: 'a realm', accepts: (value) => typeof value === 'string' && /^[\w.:@/-]{1,100}$/.test(value) },
      'must be 1 to 100 letters, digits or any of _ . : @ / -'
    ),
    env: 'RIVERHOOK_REALM',
    also: ['tenant', 'account', 'namespace'],
    means:
      "The trust domain of the endpoint's credentials. Within a realm, an event id is one event, and an order key of a handler is one queue; endpoints with the same realm share both. Default: the source's name; with `mode: 'test'`, the name and `:test`"
  },
  tolerance: {
    rule: isSpan({ min: '1ms', max: '365d' }),
    default: '5m',
    env: 'RIVERHOOK_TOLERANCE',
    also: ['clockTolerance', 'maxAge', 'timestampTolerance', 'clockSkew'],
    means: "How far the signed time may differ from this machine's clock, in both directions"
  },
  timestamps: {
    rule: isOneOf('readable', 'any'),
    default: 'readable',
    env: 'RIVERHOOK_TIMESTAMPS',
    means:
      '`readable` refuses a request whose signed time cannot be read. `any` accepts it if the signature matches; only the event id then protects against replays'
  },
  bodyLimit: {
    rule: isWholeNumber(1024),
    default: 1_048_576,
    unit: 'bytes',
    env: 'RIVERHOOK_BODY_LIMIT',
    also: ['maxBodySize', 'maxBodyLength', 'limit', 'payloadLimit', 'maxPayload'],
    means: 'A larger body is refused with 413'
  },
  ackTimeout: {
    rule: isSpan({ min: '1ms', max: '1h' }),
    default: '2500ms',
    env: 'RIVERHOOK_ACK_TIMEOUT',
    also: ['timeout', 'responseTimeout', 'answerTimeout'],
    means: `The time limit for the body to arrive and the event to be on disk, otherwise the answer is 503; at most the time that the provider waits, \`3s\` for ${providerName}`
  },
  validate: {
    rule: validate,
    default: 'flag',
    env: 'RIVERHOOK_VALIDATE',
    also: ['validation', 'schemaValidation'],
    means:
      'Payloads that do not match their schema: `flag` accepts, logs each kind once and counts it; `reject` answers 400 and quarantines; `off` does not check'
  },
  register: {
    rule: group(registerSettings, 'an object such as { address: ... }', ['address']),
    also: ['registration', 'webhook'],
    means:
      'Registers this endpoint with the provider and watches the registration: `{ address, apiKey, repair, every ... }`'
  },
  backfill: {
    rule: group(backfillSettings, 'an object such as { every: ... }'),
    means: 'Fetches events that never arrived: `{ every, overlap, apiKey ... }`'
  }
} as const satisfies Record<keyof EndpointOptions, Setting>

/** The settings of the plugin as a whole. */
export const pluginSettings = {
  inbox: inboxSetting,
  handlers: {
    rule: isAnyOf(
      'a folder, what defineHandler(...) returns, or a list of both',
      isText,
      definition,
      isListOf(isAnyOf('a folder or a handler', isText, definition), 'a list')
    ),
    env: 'RIVERHOOK_HANDLERS',
    also: ['handler', 'handlersFolder', 'handlersDir'],
    means: 'A folder of your handlers; in code also what `defineHandler` returns, or a list of both'
  },
  forward: {
    rule: forwardList,
    env: 'RIVERHOOK_FORWARD',
    also: ['forwards', 'forwardTo', 'targets', 'destinations'],
    means:
      'Forwards events to services of yours, without code: `PATTERN=URL`, comma-separated, such as `order.*=http://erp.internal/hooks`. See [docs/forward.md](forward.md)'
  },
  forwardSecret: {
    rule: forwardSecrets,
    env: 'RIVERHOOK_FORWARD_SECRET',
    file: true,
    also: ['forwardSecrets', 'forwardingSecret'],
    means:
      'The key that signs what `RIVERHOOK_FORWARD` sends, by the rules of Standard Webhooks: at least 24 bytes in Base64. Several keys, comma-separated, add one signature each'
  },
  concurrency: {
    rule: isWholeNumber(1),
    default: 64,
    env: 'RIVERHOOK_CONCURRENCY',
    also: ['maxConcurrency', 'workers', 'parallel'],
    means: 'The most attempts at the same time, for all handlers together'
  },
  retry: {
    rule: retry,
    also: ['retries', 'maxAttempts', 'attempts', 'maxRetries', 'backoff'],
    means: 'How failed deliveries are retried, for handlers without their own `retry`'
  },
  ...retentionSettings,
  encryption: {
    rule: group(encryptionSettings, 'an object such as { keys: () => ... }', ['keys']),
    also: ['encrypt', 'encryptionKey', 'encryptionKeys'],
    means: 'Encrypts the personal data that is stored: `{ keys }`. See [docs/encryption.md](encryption.md)'
  },
  search: {
    rule: group(searchSettings, 'an object such as { keys: [...] }'),
    means: 'What else events can be found by, besides the ids that the source finds: `{ keys }`'
  },
  redact: {
    rule: {
      expected: 'a list of at most 100 paths such as data.**.nickname',
      kind: 'list',
      accepts: (value) => Array.isArray(value) && value.length <= 100 && value.every((path) => isFieldPath(path))
    },
    env: 'RIVERHOOK_REDACT',
    also: ['redactPaths', 'personalData', 'mask'],
    means:
      'Paths of [personal data](commands.md#personal-data) in your events, in addition to those of the source, comma-separated: `*` is one field, or any characters in a name, `**` any number of fields'
  },
  bodyBudget: {
    rule: isWholeNumber(1024),
    default: 67_108_864,
    unit: 'bytes',
    env: 'RIVERHOOK_BODY_BUDGET',
    means:
      'The most bytes of request bodies in memory, for all endpoints together; further requests are answered 503. At least `bodyLimit`'
  },
  grace: {
    rule: isSpan({ min: '0s', ...longestTimer }),
    default: '8s',
    env: 'RIVERHOOK_GRACE',
    also: ['gracePeriod', 'shutdownTimeout', 'closeGrace'],
    means: 'How long running handlers may continue at shutdown before they are handed back'
  },
  maxBacklogAge: {
    rule: isSpan({ min: '1ms', max: '36500d' }),
    default: '5m',
    env: 'RIVERHOOK_MAX_BACKLOG_AGE',
    means:
      "A delivery that is overdue by more than this is a warning, in the log and in `/health` of the operator's API"
  },
  metrics: {
    rule: isAnyOf(
      'true, false, or an object such as { registry }',
      isBoolean,
      group(
        {
          registry: { rule: hasMethods('registerMetric', 'metrics'), means: '' },
          exemplars: { rule: isBoolean, means: '' }
        },
        'an object such as { registry }'
      )
    ),
    also: ['prometheus', 'metric'],
    means:
      'Metrics for Prometheus: `true`, or `{ registry }` with a registry of your own, or `{ exemplars: true }`. See [docs/observe.md](observe.md)'
  },
  trace: {
    rule: group(traceSettings, 'an object such as { trustIncoming: true }'),
    also: ['traces', 'tracing', 'otel', 'opentelemetry'],
    means:
      'Traces of OpenTelemetry, which are on if an SDK is registered before the start: `{ trustIncoming, url }`. See [docs/observe.md](observe.md)'
  },
  alarms: {
    rule: {
      ...group(alarmSettings, 'false, or an object such as { url }'),
      accepts: (value: unknown) => value === false || isPlainObject(value)
    },
    also: ['alerts', 'alarm', 'alerting', 'notifications'],
    means:
      'Alarms: `{ url, secret, heartbeat, silence, quietHours, skip, every }`, or `false` for none. See [docs/observe.md](observe.md)'
  },
  readyNeedsNoBacklog: {
    rule: isBoolean,
    env: 'RIVERHOOK_READY_NEEDS_NO_BACKLOG',
    means:
      '`true`: not ready while a delivery is overdue by more than `RIVERHOOK_MAX_BACKLOG_AGE`. With replicas, one slow handler then makes all of them not ready, and requests that could be recorded are refused'
  },
  source: {
    rule: {
      ...hasMethods('verifier', 'read'),
      expected: 'a source: an object with name, verifier() and read()'
    },
    env: 'RIVERHOOK_SOURCE',
    also: ['provider'],
    means: `The provider, by its name in \`riverhook/sources\`, such as \`stripe\`; in code a source, for each endpoint without its own. Default: ${providerName}`
  },
  onError: { rule: isFunction, also: ['onFailed'], means: 'Called after every failed attempt' },
  onDead: {
    rule: isFunction,
    also: ['onDeadLetter', 'onGiveUp'],
    means: 'Called when a delivery becomes a dead letter'
  },
  onRejected: { rule: isFunction, also: ['onInvalid', 'onRefused'], means: 'Called when a request is refused' },
  onAlarm: { rule: isFunction, also: ['onAlert'], means: 'Called when an alarm is raised or resolved' },
  onRegistrationChange: { rule: isFunction, means: 'Called when the webhook is disabled, changed or gone' }
} as const satisfies Settings
