import { optionRules } from '../../programs.ts'
import type { Clock } from '../clock.ts'
import type { SimulatedWebhook } from './account.ts'
import type { ApiCall, Dialect } from './api.ts'
import type { Attempt } from '../sender.ts'

const { checkAgainst, isBoolean, isDelay, isFunction, isListOf, isNumber, isObject, isOneOf, isText, isWholeNumber } =
  optionRules

export interface DigitalRiverOptions {
  /** Default: a free port. */
  readonly port?: number | undefined
  /** Simulates the production environment. Default false. */
  readonly liveMode?: boolean | undefined
  /** The confidential key of its API. Default: a random one in the form of the mode. */
  readonly apiKey?: string | undefined
  /** The first signing secret of new webhooks. Default: a new one for each. */
  readonly secret?: string | undefined
  /**
   * The clock for retries, rotations and creation times. Default: this machine's; `createClock()` makes one that a test
   * drives.
   */
  readonly clock?: Clock | undefined
  /**
   * The clock for the signed time. Default: this machine's, so that a receiver in real time accepts a retry of a driven
   * clock.
   */
  readonly signatureNow?: (() => Date) | undefined
  /**
   * The pauses before the 2nd, 3rd ... attempt, in milliseconds. Default: `retrySchedules` of the mode. The
   * provider documents only the extent of its schedule.
   */
  readonly retries?: readonly number[] | undefined
  /** How long it waits for an answer, in milliseconds. Default 3,000, as documented. */
  readonly timeoutMs?: number | undefined
  /**
   * The number of consecutive undelivered events after which a webhook is disabled. Default 3; the provider's number is
   * not documented.
   */
  readonly disableAfter?: number | undefined
  /** How late the scenario `delay` sends, in milliseconds. Default 60,000. */
  readonly delayMs?: number | undefined
  /**
   * How long a body takes in the scenario `slow-body`, in milliseconds of real time. Default 25; more than the
   * receiver's `ackTimeout` is a 503.
   */
  readonly slowBodyMs?: number | undefined
  /**
   * The secret for the scenario `wrong-mode`: that of the webhook in the other mode. Default: an unknown one.
   */
  readonly otherModeSecret?: string | undefined
  /**
   * Calls of the API per second; more get 429 and `Retry-After`. Default: no limit; documented are 25 in test mode and
   * 250 in production.
   */
  readonly rateLimit?: number | undefined
  /** Behaviours that the provider does not document. */
  readonly dialect?: Dialect | undefined
  /** Called for each request that it has sent. */
  readonly onAttempt?: ((attempt: Attempt) => unknown) | undefined
  /** Called for each call of its API. */
  readonly onCall?: ((call: ApiCall) => unknown) | undefined
  /**
   * Called for each webhook that a call of the API creates, with its signing secret, which otherwise only the dashboard
   * shows.
   */
  readonly onWebhook?: ((webhook: SimulatedWebhook, secret: string) => unknown) | undefined
}

/** Infinity means never, or no limit. */
const isCount: optionRules.OptionRule = {
  expected: 'a number from 1, or Infinity',
  accepts: (value) => value === Infinity || isNumber(1).accepts(value)
}

const rules: optionRules.OptionRules<DigitalRiverOptions> = {
  port: isWholeNumber(0, 65_535),
  liveMode: isBoolean,
  apiKey: isText,
  secret: isText,
  clock: isObject,
  signatureNow: isFunction,
  retries: isListOf(isNumber(0), 'a list of milliseconds'),
  timeoutMs: isDelay(1),
  disableAfter: isCount,
  delayMs: isNumber(0),
  slowBodyMs: isDelay(0),
  otherModeSecret: isText,
  rateLimit: isCount,
  dialect: isObject,
  onAttempt: isFunction,
  onCall: isFunction,
  onWebhook: isFunction
}

const dialectRules: optionRules.OptionRules<Dialect> = {
  webhooksAs: isOneOf('array', 'data'),
  typesEncoding: isOneOf('comma', 'repeated', 'both'),
  eventsOrder: isOneOf('newest', 'oldest'),
  createStatus: { expected: '200 or 201', accepts: (value) => value === 200 || value === 201 },
  userSpelling: isOneOf('username', 'userName'),
  signatureOrder: isOneOf('oldest', 'newest', 'alternating'),
  tokenClient: isOneOf('basic', 'form', 'either')
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID */
export function checkDigitalRiverOptions(options: DigitalRiverOptions): void {
  checkAgainst(rules, options, 'createDigitalRiver')
  if (options.dialect !== undefined) checkAgainst(dialectRules, options.dialect, 'createDigitalRiver', 'dialect.')
}
