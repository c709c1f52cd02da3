import { readDefinition } from '../handlers/define-handler.ts'
import type {
  EventOf,
  HandlerDefinition,
  HandlerFunction,
  HandlerOptions,
  PatternOf,
  RetryOptions,
  TypesOf
} from '../handlers/handler.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import { forwardName, forwardSecretProblem, forwardUrlProblem } from '../model/forwarding.ts'
import {
  fieldProblems,
  isObject,
  isPlainObject,
  isSpan,
  isText,
  joinProblems,
  type OptionRule,
  type OptionRules
} from '../model/option-rules.ts'
import { msOf } from '../model/span.ts'
import { handlerSettings, retrySettings } from '../options/settings.ts'
import type { EventsOf, Source } from '../source/source.ts'
import { errorOf, type Backoff } from './answer.ts'
import { describingHeaders, isReserved } from './headers.ts'
import { Poster } from './post.ts'
import { signatureHeaders } from './sign.ts'

/** See `forward`. */
export interface ForwardOptions<E extends AnyEvent = AnyEvent>
  extends Pick<HandlerOptions<E>, 'name' | 'retry' | 'concurrency' | 'orderBy' | 'onFailure'> {
  /**
   * Where the events are POSTed: http or https. A user name and a password in it are sent as basic authentication.
   * Refused: link-local and metadata addresses, also if the host's name leads there.
   */
  readonly url: string
  /**
   * Signs the requests by the rules of Standard Webhooks: at least 24 bytes in Base64 after `whsec_`, or an Ed25519 key
   * after `whsk_`. With several, each signs, so that receivers can change over one after the other. Default: unsigned.
   */
  readonly secret?: string | readonly string[] | undefined
  /** More headers, for example `{ authorization: 'Bearer ...' }`. They are never logged. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How long the receiver may take to answer: milliseconds, or a text such as `30s` (default). */
  readonly timeout?: number | string | undefined
}

/**
 * See `forward` of the package.
 * @typeParam E the default source's union of events
 */
export interface Forward<E extends AnyEvent> {
  <S extends Source, const Pattern extends string = '*'>(
    options: ForwardOptions<EventOf<EventsOf<S>, TypesOf<EventsOf<S>, Pattern>>> & {
      /** Whose events are forwarded. Default: the default source. */
      readonly source: S
      /** Which events are forwarded: an event type, a prefix like `order.*`, or `*` (default). */
      readonly pattern?: PatternOf<EventsOf<S>, Pattern> | undefined
    }
  ): HandlerDefinition
  <const Pattern extends string = '*'>(
    options: ForwardOptions<EventOf<E, TypesOf<E, Pattern>>> & {
      readonly source?: undefined
      /** Which events are forwarded: an event type, a prefix like `order.*`, or `*` (default). */
      readonly pattern?: PatternOf<E, Pattern> | undefined
    }
  ): HandlerDefinition
}

type Options = ForwardOptions & { readonly source?: Source | undefined; readonly pattern?: string | undefined }

/** A rule whose text is given. */
const inWords = (problem: (value: unknown) => string | undefined, expected: string): OptionRule => ({
  expected,
  accepts: (value) => problem(value) === undefined,
  problem
})

const { name, retry, concurrency, orderBy, onFailure } = handlerSettings
const rules: OptionRules<Options> = {
  url: inWords(forwardUrlProblem, 'an http or https URL'),
  source: isObject,
  pattern: isText,
  secret: inWords(secretsProblem, 'a secret, or a list of them'),
  headers: inWords(headersProblem, 'an object of texts'),
  timeout: isSpan({ min: '1ms', max: '1h' }),
  name: name.rule,
  retry: retry.rule,
  concurrency: concurrency.rule,
  orderBy: orderBy.rule,
  onFailure: onFailure.rule
}
const synonyms = { to: 'url', target: 'url', types: 'pattern', type: 'pattern', events: 'pattern', secrets: 'secret' }

/**
 * Milliseconds by which the handler's own time limit is longer, so that the error names the receiver as the slow one.
 */
const marginMs = 1_000

/**
 * Makes a handler that POSTs the stored bytes of each event to a URL. See `forward` of the package, which is typed.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_HANDLERS_PATTERN
 */
export function forwardTo(given: unknown): HandlerDefinition {
  const options = checked(given)
  const { url, pattern = '*', source, secret = [], headers = {}, timeout = '30s', ...more } = options
  const target = new URL(url)
  const timeoutMs = msOf(timeout)
  const poster = new Poster(target)
  const secrets = [secret].flat()
  const backoff = backoffOf(more.retry)
  const run: HandlerFunction = async (event, context) => {
    const { attempt, body, delivery, signal, source } = context
    const now = Date.now()
    const answer = await poster.send({
      headers: {
        ...describingHeaders({ event, source, realm: delivery.realm, attempt, kept: context.headers, own: headers }),
        ...(await signatureHeaders(messageId(context.idempotencyKey), body, secrets, new Date(now)))
      },
      body,
      timeoutMs,
      signal
    })
    const error = errorOf(answer, target, { attempt, backoff, now: Date.now(), random: Math.random() })
    if (error !== undefined) throw error
  }
  const handlerOptions: HandlerOptions = {
    ...more,
    name: more.name ?? forwardName(pattern, url),
    timeout: timeoutMs + marginMs
  }
  return readDefinition([...(source === undefined ? [] : [source]), pattern, handlerOptions, run])
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which shows no value: any of them may be a credential */
function checked(given: unknown): Options {
  if (!isPlainObject(given)) throw invalid('the options must be an object such as { url: ... }')
  const wrong = fieldProblems({ fields: rules, required: ['url'], synonyms }, given, '').map(
    ({ name, problem }) => `option "${name}" ${problem}`
  )
  const options = given as unknown as Options
  if (wrong.length === 0 && hasTwoCredentials(options))
    wrong.push('option "url" has a user name, and "headers" has an authorization: a request has one, so leave one out')
  if (wrong.length > 0) throw invalid(joinProblems(wrong))
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as Options
}

function hasTwoCredentials({ url, headers = {} }: Options): boolean {
  const { username, password } = new URL(url)
  return (
    (username !== '' || password !== '') && Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
  )
}

function secretsProblem(given: unknown): string | undefined {
  if (Array.isArray(given) && given.length === 0) return 'must not be an empty list: leave it out to sign nothing'
  return [given]
    .flat()
    .map(forwardSecretProblem)
    .find((problem) => problem !== undefined)
}

function headersProblem(given: unknown): string | undefined {
  if (!isPlainObject(given)) return 'must be an object of texts'
  for (const [name, value] of Object.entries(given)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'has a name that no header can have'
    if (isReserved(name)) return `must not have ${name}, which Riverhook sets itself`
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      return `has a value for ${name} that no header can have: it must be a text in one line, of Latin-1 characters`
  }
  return undefined
}

/** How deliveries of this handler wait before a retry, by its own options. */
function backoffOf(own: RetryOptions = {}): Backoff {
  const {
    base = retrySettings.base.default,
    factor = retrySettings.factor.default,
    cap = retrySettings.cap.default
  } = own
  return { baseMs: msOf(base), factor, capMs: msOf(cap) }
}

/**
 * In the signed text a full stop ends the id, so the id has none. Keys stay distinct, because "%" is encoded in them.
 */
function messageId(idempotencyKey: string): string {
  return idempotencyKey.replaceAll('.', '%2E')
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `forward: ${message}`)
}
