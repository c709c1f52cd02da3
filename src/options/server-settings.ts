import { managedSettings, managedSpans, type Setting } from './settings.ts'

/** The settings that only the standalone server has. */
export const serverSettings = {
  host: {
    schema: { type: 'string', minLength: 1 },
    default: '127.0.0.1',
    env: 'RIVERHOOK_HOST',
    means: 'The address to listen on, or a name, of which the first address is taken; 0.0.0.0 in the container'
  },
  port: {
    schema: { type: 'integer', minimum: 0, maximum: 65_535 },
    default: 8080,
    env: 'RIVERHOOK_PORT',
    means: 'The port to listen on'
  },
  logLevel: {
    schema: { type: 'string', enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] },
    default: 'info',
    env: 'RIVERHOOK_LOG_LEVEL',
    means: 'How much is logged: trace, debug, info, warn, error, fatal or silent'
  },
  drainDelay: {
    schema: { span: { min: '0s', max: '1h', maxReason: 'the process would outlive every deployment' } },
    default: '5s',
    env: 'RIVERHOOK_DRAIN_DELAY',
    means:
      'How long requests are still recorded after SIGTERM or SIGINT, while readiness reports not ready, so that the load balancer can notice; 0 in a terminal. A second signal ends it'
  },
  requestTimeout: {
    schema: { span: { min: '1s', max: '5m' } },
    default: '10s',
    env: 'RIVERHOOK_REQUEST_TIMEOUT',
    means:
      'How long a whole request may take to arrive, at any path; the limit for a body at an endpoint is `RIVERHOOK_ACK_TIMEOUT`'
  },
  maxConnections: {
    schema: { type: 'integer', minimum: 1 },
    default: 1000,
    env: 'RIVERHOOK_MAX_CONNECTIONS',
    means: 'Open connections at a time; further ones are closed at once'
  }
} as const satisfies Record<string, Setting>

/** The settings of `register` and `backfill`, which are objects in code, and those that the API client reads itself. */
export const apiSettings = {
  apiKey: {
    schema: { type: 'string', minLength: 1 },
    env: 'DIGITAL_RIVER_API_KEY',
    file: true,
    means: "The confidential key for Digital River's API; needed to register and to fetch missed events"
  },
  apiUrl: {
    schema: { type: 'string', minLength: 1 },
    default: 'https://api.digitalriver.com',
    env: 'DIGITAL_RIVER_API_URL',
    means: "Where Digital River's API is"
  },
  apiAllowHttp: {
    schema: { type: 'boolean' },
    env: 'DIGITAL_RIVER_ALLOW_HTTP',
    means: '`true` sends the key to an API with plain `http://` on another machine; https is required otherwise'
  },
  registerAddress: {
    schema: { type: 'string', minLength: 1 },
    env: 'RIVERHOOK_REGISTER_ADDRESS',
    means: 'The URL of this endpoint as it is reached from outside: it is registered with Digital River, and watched'
  },
  registerMode: {
    schema: { type: 'string', enum: ['test', 'live'] },
    env: 'RIVERHOOK_REGISTER_MODE',
    means: 'Whether the endpoint is for test or live events; a key of the other sort is warned of'
  },
  registerTypes: {
    schema: { type: 'string', minLength: 1 },
    env: 'RIVERHOOK_REGISTER_TYPES',
    means: 'Event types, or patterns such as `order.*`, to ask for beside those that the handlers name, comma-separated'
  },
  registerRepair: {
    schema: { type: 'boolean' },
    env: 'RIVERHOOK_REGISTER_REPAIR',
    means: '`true`: a webhook that was disabled, changed or deleted is put right; else it is only told'
  },
  registerEvery: {
    schema: { span: managedSpans.register.every },
    default: managedSettings.register.every,
    env: 'RIVERHOOK_REGISTER_EVERY',
    means: 'How often the webhook is looked at'
  },
  backfillEvery: {
    schema: { span: managedSpans.backfill.every },
    env: 'RIVERHOOK_BACKFILL_EVERY',
    means: 'How often missed events are fetched back, such as `15m`; not at all where it is not set'
  },
  backfillOverlap: {
    schema: { span: managedSpans.backfill.overlap },
    default: managedSettings.backfill.overlap,
    env: 'RIVERHOOK_BACKFILL_OVERLAP',
    means: 'How much of the time before is read again'
  }
} as const satisfies Record<string, Setting>
