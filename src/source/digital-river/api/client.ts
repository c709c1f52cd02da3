import { RiverhookError } from '../../../model/errors.ts'
import { checkAgainst, isExposed, isFunction, isObject } from '../../../model/option-rules.ts'
import { DigitalRiverApiError } from './api-error.ts'
import { checker } from './check.ts'
import { Connection } from '../../http/connection.ts'
import { eventsOver, type DigitalRiverEvents } from './events.ts'
import { modeOf, readKey, type Environment } from './key.ts'
import { webhooksOver, type DigitalRiverWebhooks } from './webhooks.ts'
import { delay } from '../../../model/timers.ts'

export interface DigitalRiverClientOptions {
  /**
   * A confidential key. Default: `DIGITAL_RIVER_API_KEY`, or the content of the file named by
   * `DIGITAL_RIVER_API_KEY_FILE`.
   */
  readonly apiKey?: string | undefined
  /** Default: `DIGITAL_RIVER_API_URL`, or `https://api.digitalriver.com`. */
  readonly apiUrl?: string | undefined
  /**
   * Allows an `apiUrl` with plain `http://` on another machine, although the key can be read on the way.
   * Default: `DIGITAL_RIVER_ALLOW_HTTP`, or false. On this machine (localhost, 127.0.0.1, ::1) http is always
   * allowed.
   */
  readonly allowHttp?: boolean | undefined
  /** The time limit of one attempt, including the body of the answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined
  /** How often a call is retried after a network error, 408, 429 or 5xx. Default 4. */
  readonly retries?: number | undefined
  /** The version of the API, for example `2021-12-13`. Default: that of the key. */
  readonly apiVersion?: string | undefined
  /** The calling application, as `name/version`, so that the provider's support can find its calls. */
  readonly application?: string | undefined
  /** Aborts calls, also while they wait for a retry. */
  readonly signal?: AbortSignal | undefined
  /** The environment with the defaults. Default `process.env`. */
  readonly environment?: Environment | undefined
  /** From 0 to below 1, for the jitter of retries. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Waits before a retry; replaced in tests. Default: a timer. */
  readonly wait?: ((ms: number) => Promise<unknown>) | undefined
}

const defaultUrl = 'https://api.digitalriver.com'
const checkOptions = checker<DigitalRiverClientOptions>(
  () => ({
    type: 'object',
    properties: {
      apiKey: {},
      apiUrl: { type: 'string' },
      allowHttp: { type: 'boolean' },
      timeoutMs: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 },
      retries: { type: 'integer', minimum: 0, maximum: 100 },
      apiVersion: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a date such as 2021-12-13' },
      application: { type: 'string', pattern: '^[!-.0-~]+/[!-.0-~]+$', description: 'of the form name/version' },
      signal: {},
      environment: {},
      random: {},
      wait: {}
    },
    additionalProperties: false
  }),
  'The options of the Digital River client'
)
/** Rules that JSON Schema cannot express. */
const objectRules = {
  signal: { expected: 'an AbortSignal', accepts: (value: unknown) => value instanceof AbortSignal },
  environment: isObject,
  random: isFunction,
  wait: isFunction
}

/**
 * A client of the parts of Digital River's API that webhooks need: `/webhooks` and `/events`. One confidential key, one
 * environment.
 *
 * Checks calls before they are sent, and retries them after a network error, 408, 429 and 5xx, with jitter and after
 * `Retry-After`. A failed call rejects with a DigitalRiverApiError, which can be logged.
 */
export class DigitalRiverClient {
  /** The environment of the key; undefined if the key does not show it. */
  readonly mode: 'test' | 'live' | undefined
  readonly webhooks: DigitalRiverWebhooks
  readonly events: DigitalRiverEvents

  /**
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is no key, or an option is wrong. Never quotes the key.
   */
  constructor(options: DigitalRiverClientOptions = {}) {
    const {
      timeoutMs = 10_000,
      retries = 4,
      apiVersion,
      application
    } = checkOptions({ ...options, environment: undefined, signal: undefined })
    checkAgainst(objectRules, pick(options, Object.keys(objectRules)), 'The options of the Digital River client')
    const { environment = process.env, random = Math.random, signal } = options
    const { wait = (ms: number) => delay(ms, undefined, signal && { signal }) } = options
    const key = readKey(options.apiKey, environment)
    const headers = {
      ...(apiVersion === undefined ? {} : { 'digitalriver-version': apiVersion }),
      ...(application === undefined ? {} : { 'upstream-application-id': application })
    }
    const connection = new Connection({
      Failure: DigitalRiverApiError,
      advice: adviceFor,
      key,
      url: readUrl(options, environment),
      headers,
      timeoutMs,
      retries,
      random,
      wait,
      signal
    })
    this.mode = modeOf(key)
    this.webhooks = webhooksOver(connection)
    this.events = eventsOver(connection)
  }
}

function pick(options: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)))
}

/** The base of all paths, without a slash at the end. Errors do not quote the value: a URL may contain a password. */
function readUrl({ apiUrl: option, allowHttp }: DigitalRiverClientOptions, environment: Environment): string {
  const name = 'DIGITAL_RIVER_API_URL'
  const [text, origin] = option === undefined ? [environment[name] ?? defaultUrl, name] : [option, 'The option apiUrl']
  if (text === '' && option === undefined)
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${name} is empty. Leave it out to use ${defaultUrl}.`)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (!plain || url.search !== '' || url.hash !== '') {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `${origin} must be an http or https URL without credentials, query and fragment, such as ${defaultUrl}`
    )
  }
  if (isExposed(url.href) && !(allowHttp ?? readAllowHttp(environment))) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `${origin} must be an https URL: over http, others could read the API key. Set allowHttp or DIGITAL_RIVER_ALLOW_HTTP=true if the network is your own`
    )
  }
  return url.href.replace(/\/+$/, '')
}

function readAllowHttp({ DIGITAL_RIVER_ALLOW_HTTP: text }: Environment): boolean {
  if (text === undefined || text === 'true' || text === 'false') return text === 'true'
  throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'DIGITAL_RIVER_ALLOW_HTTP must be true or false')
}

function adviceFor(status: number): string | undefined {
  if (status === 401)
    return 'Check the API key: it must be a confidential key that is still valid. A changed key takes up to ten minutes to work.'
  if (status === 403)
    return 'The key lacks a permission: grant it to the restricted key in the dashboard, or use a confidential key.'
  return undefined
}
