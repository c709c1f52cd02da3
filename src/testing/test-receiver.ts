import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'

import { digitalRiver, memoryInbox, riverhook, RiverhookError } from '../index.ts'
import { defaultPathOf, optionRules } from '../programs.ts'
import type {
  AnyEvent,
  DeliveryState,
  Event,
  Failure,
  HandlerDefinition,
  Inbox,
  InboxTransaction,
  Registrar,
  RiverhookErrorCode,
  RiverhookOptions,
  Source
} from '../index.ts'
import { impatientInbox } from './impatient-inbox.ts'
import { sampleEvent } from './sample-event.ts'
import { completeBody, eventIn, newSecret, signedHeaders, type SampleBody } from './sample-request.ts'
import { whenSettled } from './when-settled.ts'
import { nextTurn } from './timers.ts'

const { checkAgainst, isDate, isFunction, isObject, isText } = optionRules

/**
 * The part of an event that a test gives: the type, and the fields that matter to it. They are merged into a sample of
 * the type, as `sampleEvent` makes it: lists are replaced, and undefined removes a field of `data`. A whole event, with
 * `id`, `createdTime`, `liveMode` and `data.object`, is sent as it is.
 */
export type TestEvent = Partial<Omit<Event, 'type' | 'data'>> & {
  readonly type: string
  readonly data?: {
    readonly object?: Readonly<Record<string, unknown>>
    readonly previousAttributes?: Readonly<Record<string, unknown>>
  }
}

/**
 * The part of an event of another source that a test gives: the type, and fields as handlers see them. The source's
 * `sample` gives the rest. Or a whole event, such as `sampleEvent` returns.
 */
export type TestEventOfSource =
  | (Readonly<Record<string, unknown>> & { readonly type: string; readonly id?: string })
  | AnyEvent

export interface TestReceiverOptions extends Omit<RiverhookOptions, 'handlers' | 'inbox' | 'endpoints'> {
  /** A definition, several, a folder of files, or a function that gets the registrar. */
  readonly handlers: HandlerDefinition | readonly HandlerDefinition[] | string | ((riverhook: Registrar) => unknown)
  /**
   * The client for `context.transaction()`: a client of the package pg, for example in a transaction that the test
   * rolls back, or a fake. Nothing is begun or committed on it. Default: none, and a handler that uses transactions
   * fails, as on an inbox without them.
   */
  readonly client?: InboxTransaction | undefined
}

/** How `send` differs from what the provider would do. */
export interface SendOptions {
  /** Signs with another secret. */
  readonly secret?: string | undefined
  /** Signs another time. */
  readonly at?: Date | undefined
  /** More headers, or other values of the signed ones. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sends these exact bytes instead of the event. */
  readonly body?: string | Uint8Array | undefined
}

/** The result of one delivery. */
export interface TestDelivery {
  readonly handler: string
  readonly state: DeliveryState
  readonly attempts: number
  /** The errors of the failed attempts, in order. */
  readonly errors: readonly unknown[]
  /**
   * How long production would have waited before each retry, in milliseconds, accurate to a few: the backoff is random.
   */
  readonly waitsMs: readonly number[]
}

export interface Sent<E extends AnyEvent = Event> {
  /** The HTTP status that the provider would get. */
  readonly status: number
  /** The answer, if it is a JSON object; otherwise an empty object. */
  readonly body: Readonly<Record<string, unknown>>
  /** The answer, as it is. */
  readonly text: string
  readonly event: E
  /** Empty if the request was refused. */
  readonly deliveries: readonly TestDelivery[]
}

/** A line of the log, as pino wrote it. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string }

export interface TestReceiver<E extends AnyEvent = Event, Given = TestEvent> {
  /**
   * Sends a signed event through the whole path, and waits until each of its deliveries is done or dead. Retries happen
   * at once.
   */
  send(event: Given, options?: SendOptions): Promise<Sent<E>>
  /** The log lines, oldest first. */
  readonly log: readonly LogLine[]
  readonly inbox: Inbox
  /** Closes the receiver. `await using` does this, too, from Node 24 on. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * All of Riverhook in this process, for tests of handlers: no port, no file, no waiting. Events are signed,
 * authenticated, validated, recorded and delivered as in production. Works with the fake timers of node:test and
 * Vitest. Those of Jest also replace `process.nextTick` and `queueMicrotask`, which Fastify needs:
 * `jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] })`.
 *
 * With `source`, events are completed by its `sample` and signed by its `sign`, with the id and the type in the headers
 * where the provider sends them there. A source without `sign`, such as `sns()`, cannot be signed for: if no
 * credentials are given, the receiver checks basic authentication instead, and all the rest is as in production.
 * @throws {RiverhookError} what the plugin throws
 */
export async function createTestReceiver<E extends AnyEvent>(
  options: TestReceiverOptions & { readonly source: Source<E> }
): Promise<TestReceiver<E, TestEventOfSource>>
export async function createTestReceiver(options: TestReceiverOptions): Promise<TestReceiver>
export async function createTestReceiver(options: TestReceiverOptions): Promise<TestReceiver> {
  return startReceiver(options, { once: false })
}

/** The result of one run of a handler. */
export interface HandlerRun {
  /** `retry`: production would retry after `waitMs`. */
  readonly state: 'done' | 'retry' | 'dead'
  /** The error that it threw. */
  readonly error: unknown
  /**
   * How long production would wait before the next attempt, in milliseconds, accurate to a few; undefined if there is
   * none.
   */
  readonly waitMs: number | undefined
  /** Only what the handler logged. */
  readonly log: readonly LogLine[]
}

/**
 * Runs a handler once with an event, with the same context as in production. For fake timers see
 * `createTestReceiver`.
 * @throws {TypeError} if the handler's pattern does not match the event's type
 * @throws {RiverhookError} with the code of the answer, if the event is refused as in production;
 * RIVERHOOK_OPTIONS_INVALID
 */
export async function runHandler(
  handler: HandlerDefinition,
  event: TestEvent | TestEventOfSource,
  options: Pick<TestReceiverOptions, 'client'> = {}
): Promise<HandlerRun> {
  checkAgainst({ client: isObject }, options, 'runHandler')
  if (!isDefinition(handler))
    throw new TypeError('runHandler: the first argument must be a handler, as defineHandler(...) returns it')
  // The log at the end of the run: the result is logged after that.
  let lines: readonly LogLine[] = []
  const onSettle = (log: readonly LogLine[]): void => {
    lines = log.filter((line) => 'handler' in line && 'attempt' in line)
  }
  // A transaction settles the delivery before the run ends.
  const run: HandlerDefinition['run'] = async (...given) => {
    try {
      return await handler.run(...given)
    } finally {
      onSettle(receiver.log)
    }
  }
  const receiver: TestReceiver<AnyEvent, TestEvent | TestEventOfSource> = await startReceiver(
    { ...options, source: handler.source, handlers: { ...handler, run } },
    { once: true, onSettle }
  )
  // Not `await using`: Node 22 does not support it.
  const { deliveries, status, body } = await receiver.send(event).finally(() => receiver.close())
  // The answer names the field and the rule, as in production.
  if (status >= 300)
    throw new RiverhookError(
      body['code'] as RiverhookErrorCode,
      `runHandler: the event was refused with ${status}: ${String(body['message'])}`
    )
  const [delivery] = deliveries
  if (delivery === undefined)
    throw new TypeError(
      `The handler for ${handler.pattern} does not get events of the type ${event.type} (answer ${status})`
    )
  const [error] = delivery.errors
  const [waitMs] = delivery.waitsMs
  return {
    state: delivery.state === 'done' ? 'done' : waitMs === undefined ? 'dead' : 'retry',
    error,
    waitMs,
    log: lines
  }
}

interface Mode {
  /** A failed attempt is the last one. */
  readonly once: boolean
  /** Called with the log when an attempt has ended. */
  readonly onSettle?: (log: readonly LogLine[]) => void
}

const sendRules: optionRules.OptionRules<SendOptions> = {
  secret: isText,
  at: isDate,
  headers: isObject,
  body: { expected: 'a text or bytes', accepts: (value) => typeof value === 'string' || value instanceof Uint8Array }
}

async function startReceiver(
  { handlers, client, ...options }: TestReceiverOptions,
  { once, onSettle }: Mode
): Promise<TestReceiver> {
  checkAgainst({ handlers: handlersRule, client: isObject }, { handlers, client }, 'createTestReceiver', '', [
    'handlers'
  ])
  const { source = digitalRiver() } = options
  const hasCredentials =
    options.secrets !== undefined || options.basicAuth !== undefined || options.bearer !== undefined
  const canSign = source.sign !== undefined
  const secret = hasCredentials || !canSign ? undefined : newSecret(source)
  const basicAuth = hasCredentials || canSign ? undefined : { username: 'test', password: randomUUID() }
  const log: LogLine[] = []
  const failures = new Map<string, { readonly error: unknown; readonly waitMs: number | undefined }[]>()
  // Import it here: samples and the simulator need no server.
  const { default: Fastify } = await import('fastify')
  const app = Fastify({
    logger: {
      level: 'debug',
      stream: {
        write: (line: string) => {
          log.push(JSON.parse(line) as LogLine)
        }
      }
    }
  })
  const inbox = impatientInbox(memoryInbox(), { once, onSettle: () => onSettle?.(log), client })
  await app.register(riverhook, {
    ...options,
    // Longer than any provider retries: a source must not need the option in a test.
    retention: options.retention ?? '8760h',
    ...(secret === undefined ? {} : { secrets: secret }),
    ...(basicAuth === undefined ? {} : { basicAuth }),
    ...(typeof handlers === 'string' ? { handlers } : {}),
    inbox,
    onError: (error: unknown, failure: Failure) => {
      const waitMs = failure.retryAt && Math.max(0, failure.retryAt.getTime() - Date.now())
      const key = keyOf(failure.event.id, failure.handler)
      failures.set(key, [...(failures.get(key) ?? []), { error, waitMs }])
      return options.onError?.(error, failure)
    }
  })
  if (typeof handlers === 'function') await handlers(app.riverhook)
  else if (typeof handlers !== 'string') for (const definition of [handlers].flat()) app.riverhook.on(definition)
  await app.ready()
  const path = options.path ?? defaultPathOf(source)
  const configured = await firstSecret(options.secrets)
  const liveMode = options.mode === 'live'

  return { log, inbox, send, close: () => app.close(), [Symbol.asyncDispose]: () => app.close() }

  async function send(given: TestEvent, options: SendOptions = {}): Promise<Sent> {
    checkAgainst(sendRules, options, 'send')
    const { secret: other, at = new Date(), headers = {}, body } = options
    const made = complete(source, given, liveMode)
    const payload = Buffer.from(body ?? JSON.stringify(made.body))
    const signWith = other ?? configured ?? secret
    // A test can give a request that the provider has signed.
    if (signWith !== undefined && !canSign && body === undefined)
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `send: the source ${source.name} has no sign(), so nothing can be signed in its name. Create the receiver ` +
          'without "secrets", or give the "body" and the "headers" of a request of the provider'
      )
    const sent: Readonly<Record<string, string>> = {
      'content-type': 'application/json',
      'content-length': String(payload.byteLength),
      ...(basicAuth === undefined ? {} : { authorization: basicHeader(basicAuth) }),
      ...(signWith === undefined || !canSign
        ? {}
        : signedHeaders(source, { body: payload, secret: signWith, at, id: made.id, type: made.type })),
      ...lowered(headers)
    }
    const answer = await app.inject({ method: 'POST', url: path, payload: Readable.from([payload]), headers: sent })
    const answered = parseAnswer(answer.body)
    const event = source.sample === undefined ? undefined : eventIn(source, { headers: sent, body: payload })
    // The bytes of the test may have another id.
    const id = typeof answered['id'] === 'string' ? answered['id'] : (event?.id ?? made.id)
    const settled = answer.statusCode < 300 ? await whenSettled(inbox, id) : []
    // An outcome is stored just before onError is called: wait for the next turn of the event loop.
    await nextTurn()
    const deliveries = settled.map(({ handler, state, attempts }): TestDelivery => {
      const failed = failures.get(keyOf(id, handler)) ?? []
      const waitsMs = failed.flatMap(({ waitMs }) => waitMs ?? [])
      return { handler, state, attempts, errors: failed.map(({ error }) => error), waitsMs }
    })
    return {
      status: answer.statusCode,
      body: answered,
      text: answer.body,
      event: (event ?? made.body) as Event,
      deliveries
    }
  }
}

const handlersRule: optionRules.OptionRule = {
  expected: 'what defineHandler(...) returns, a list of that, a folder of files, or a function',
  accepts: (value) =>
    isText.accepts(value) || isFunction.accepts(value) || (Array.isArray(value) ? value : [value]).every(isDefinition)
}

function isDefinition(value: unknown): value is HandlerDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pattern' in value &&
    'run' in value &&
    typeof value.run === 'function'
  )
}

function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function parseAnswer(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    // A source may answer with text.
    return {}
  }
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Fills in missing fields. A field that is undefined is missing. */
function complete(source: Source, given: TestEvent, liveMode: boolean): SampleBody {
  checkAgainst({ event: isObject }, { event: given }, 'send', '', ['event'])
  checkAgainst(
    { type: { ...isText, expected: 'an event type such as order.accepted' } },
    { type: given.type },
    'send: the event',
    '',
    ['type']
  )
  if (source.sample !== undefined) {
    const { type, id, createdTime, liveMode: live = liveMode } = given
    const at = createdTime === undefined ? undefined : new Date(createdTime)
    return completeBody(source, given, { type, id, at, liveMode: live })
  }
  const { type, data, ...rest } = given
  const fields = Object.fromEntries(Object.entries<unknown>(rest).filter(([, value]) => value !== undefined))
  const id = rest.id ?? randomUUID()
  const isWhole = 'id' in fields && 'createdTime' in fields && 'liveMode' in fields && data?.object !== undefined
  const event = { id, type, liveMode, createdTime: new Date().toISOString(), ...fields }
  const body =
    isWhole || source.name !== digitalRiver().name
      ? { ...event, data: { ...data, object: { ...data?.object } } }
      : sampleEvent(type, { ...event, ...(data === undefined ? {} : { data }) })
  return { body, id, type }
}

async function firstSecret(secrets: RiverhookOptions['secrets']): Promise<string | undefined> {
  const given = typeof secrets === 'function' ? await secrets() : secrets
  return typeof given === 'string' ? given : given?.[0]
}

function keyOf(eventId: string, handler: string): string {
  return `${eventId} ${handler}`
}
