import type { AddressList } from '../model/address-list.ts'
import { errorText } from '../model/error-text.ts'
import { publish, type AnsweredMessage, type CommittedMessage } from '../model/channels.ts'
import { RiverhookError } from '../model/errors.ts'
import { modeFault, quarantineIdOf, type AnyEvent, type EventMode, type Receipt } from '../model/event.ts'
import { deliveriesFor } from '../handlers/deliveries.ts'
import type { SourceHandlers } from '../handlers/registry.ts'
import type { AcceptedArrival, Arrival, RecordResult } from '../inbox/inbox.ts'
import type { Recorder } from '../inbox/recorder.ts'
import type { Log } from '../model/log.ts'
import type { RequestNote } from '../model/tally.ts'
import { withLimit } from '../model/time-limit.ts'
import type { FindTracing, SpanIds } from '../model/tracing.ts'
import { eventKeys } from '../model/visible.ts'
import type { SearchKeys } from '../model/search-keys.ts'
import type { Hide } from '../model/hidden-values.ts'
import { describePayload, type PayloadChecks, type PayloadMode } from '../payload/checks.ts'
import type { DriftLog } from '../payload/drift-log.ts'
import type { Redaction } from '../payload/redaction.ts'
import type { IncomingRequest, Recorded, Source } from '../source/source.ts'
import type { Authenticator, Judgement } from './authenticate/authenticate.ts'
import type { Diagnosis } from './authenticate/diagnose.ts'
import { readRequestBody, type BodyStream } from './body.ts'
import type { BodyBudget } from './budget.ts'
import { Incoming } from './incoming.ts'
import { ownAnswer } from './own-answer.ts'
import { splitRequest, type Part } from './parts.ts'
import { readEvent } from './read-event.ts'
import { chooseRefusal } from './choose-refusal.ts'
import type { ClockSkew } from './clock-skew.ts'
import type { RequestCounts } from './request-counts.ts'
import type { Rejections, Thrown } from './rejections.ts'
import { acknowledge, refuse, type AnswerCode, type Refusal, type Reply, notPost } from './reply.ts'
import { Sends } from './sends.ts'
import type { RequestHead, Served } from './served.ts'

export interface ReceiverOptions {
  /** The full path, with the prefixes of the host. Names the endpoint in the log and in the inbox. */
  readonly path: string
  /** In bytes. */
  readonly bodyLimit: number
  /** In milliseconds, since the head of the request arrived. */
  readonly ackTimeout: number
  /** Shared by all endpoints. */
  readonly budget: BodyBudget
  /** The trust domain of the endpoint's credentials. Its events are stored in this realm. */
  readonly realm: string
  /** The mode of the events that the endpoint accepts; undefined: both. */
  readonly mode: EventMode | undefined
  /** How to treat payloads that do not match their schema. */
  readonly validate: PayloadMode
  readonly payloads: Pick<PayloadChecks, 'check'>
  /** Hides the personal data of a request. */
  readonly wideRedaction: Pick<Redaction, 'hiderOf'>
  readonly drift: Pick<DriftLog, 'count'>
  readonly authenticator: Authenticator
  readonly diagnosis: Diagnosis
  readonly source: Source
  readonly handlers: Pick<SourceHandlers, 'for'>
  /** Lists the search keys of an event. Never throws. */
  readonly keysOf: (event: AnyEvent) => SearchKeys
  readonly recorder: Pick<Recorder, 'record' | 'recordAll'>
  readonly log: Log
  /** Whether requests are refused, because the process is shutting down. */
  readonly isRefusing: () => boolean
  readonly rejections: Rejections
  /** Counts the requests of all endpoints. */
  readonly counts: Pick<RequestCounts, 'count'>
  readonly clockSkew: Pick<ClockSkew, 'add'>
  /** The addresses that may send. Undefined: all. */
  readonly allow: Pick<AddressList, 'has'> | undefined
  readonly tracing: FindTracing
}

interface PartRefusal {
  readonly code: AnswerCode
  readonly message: string
}

/** The outcome for one part of a request. */
interface Decision {
  readonly arrival: Arrival
  /** The event, if a handler may have it: no function of the user has seen it. */
  readonly event?: AnyEvent | undefined
  /** The age of the event at its arrival. */
  readonly ageMs?: number | undefined
  /** Why it is quarantined; undefined if it is accepted. */
  readonly refusal: PartRefusal | undefined
}

/** An answer that is decided, with what is published about it. */
interface Decided {
  readonly reply: Reply
  readonly result: AnsweredMessage['result']
  readonly code?: AnswerCode
  readonly skewMs?: number | undefined
  /** Which of these apply, beside `answered`, `slow` and `skewed`. */
  readonly notes?: readonly RequestNote[]
}

/** One endpoint. */
export class Receiver implements Served {
  readonly #options: ReceiverOptions
  /** The HTTP methods that the endpoint answers: POST, and those of the source's handshakes. */
  readonly methods: readonly string[]

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.methods = [...new Set(['POST', ...(options.source.methods ?? [])])]
  }

  get path(): string {
    return this.#options.path
  }

  get bodyLimit(): number {
    return this.#options.bodyLimit
  }

  get mediaTypes(): readonly string[] {
    return this.#options.source.mediaTypes ?? []
  }

  /** Judges the address of the sender. */
  admit(head: RequestHead, incoming: Incoming): Reply | undefined {
    const { allow } = this.#options
    if (allow === undefined || (head.ip !== undefined && allow.has(head.ip))) return undefined
    if (head.ip === undefined)
      return this.refuse(head, incoming, new RiverhookError('RIVERHOOK_RECEIVE_FAULT', unknownAddress))
    const why = `the address ${head.ip} is not in "allow"; if it is that of a proxy in front, set "trustProxy" of the server`
    const refusal = { code: 'RIVERHOOK_RECEIVE_ADDRESS', message: 'This address may not send here' } as const
    return this.#publish(incoming, this.#reject(head, refusal, why))
  }

  begin(elapsedMs = 0): Incoming {
    return new Incoming(this.#options.budget, elapsedMs)
  }

  readBody(body: BodyStream, headers: RequestHead['headers'], incoming: Incoming): Promise<Buffer> {
    const { bodyLimit, ackTimeout } = this.#options
    return readRequestBody(body, headers, incoming, { bodyLimit, ackTimeout, mediaTypes: this.mediaTypes })
  }

  /** Runs the steps in order: greet, authenticate, split, read, record, answer. */
  async receive(head: RequestHead, incoming: Incoming, body: () => Uint8Array | Promise<Uint8Array>): Promise<Reply> {
    incoming.hold()
    let kept: Uint8Array | undefined
    const read = (): Uint8Array | Promise<Uint8Array> => {
      const bytes = body()
      const keep = (whole: Uint8Array): Uint8Array => {
        kept = whole
        return whole
      }
      return bytes instanceof Promise ? bytes.then(keep) : keep(bytes)
    }
    try {
      return this.#publish(incoming, await this.#receive(head, incoming, read))
    } catch (error) {
      return this.refuse(head, incoming, error, kept)
    } finally {
      incoming.unhold()
    }
  }

  /** @param body that of the request: an error that a function of the user or of the source threw may quote it */
  refuse(head: RequestHead, incoming: Incoming, error: unknown, body?: Uint8Array): Reply {
    const isForeign = !(error instanceof RiverhookError) || error.code === 'RIVERHOOK_RECEIVE_FAULT'
    const hide = body !== undefined && isForeign ? this.#options.wideRedaction.hiderOf(body) : undefined
    return this.#publish(incoming, this.#reject(head, chooseRefusal(error), reasonOf(error, hide), { error, hide }))
  }

  #publish({ elapsedMs: duration_ms }: Incoming, { reply, result, code, skewMs: skew_ms, notes = [] }: Decided): Reply {
    const { path: endpoint, realm, counts, tracing } = this.#options
    for (const note of notes) counts.count(endpoint, note)
    counts.count(endpoint, 'answered')
    if (duration_ms > slowFromMs) counts.count(endpoint, 'slow')
    if (skew_ms !== undefined && Math.abs(skew_ms) > skewedFromMs) counts.count(endpoint, 'skewed')
    publish('answered', { endpoint, realm, result, code, status_code: reply.status, duration_ms, skew_ms })
    tracing()?.answered({ endpoint, result, code })
    return reply
  }

  async #receive(
    head: RequestHead,
    incoming: Incoming,
    read: () => Uint8Array | Promise<Uint8Array>
  ): Promise<Decided> {
    const { path, authenticator, source, mode, log, isRefusing, clockSkew, tracing } = this.#options
    if (isRefusing()) {
      return this.#reject(head, { code: 'RIVERHOOK_RECEIVE_DRAINING', message: 'Shutting down; try again' })
    }
    const now = new Date()
    const { method, url, headers } = head
    const bytes = read()
    const body = bytes instanceof Promise ? await bytes : bytes
    const request: IncomingRequest = { method, url, headers, body }
    const greeting = source.greet?.(request, { secrets: authenticator.signature?.secrets ?? [] })
    if (greeting !== undefined) {
      const answer = ownAnswer(source, 'greet', greeting)
      log.info({ endpoint: path, method, status_code: answer.status, ...tracing()?.activeIds() }, 'handshake answered')
      return { reply: answer, result: 'handshake' }
    }
    if (method !== 'POST') return this.#reject(head, notPost)
    const judgement = authenticator.judge(request, now)
    // The rejection must be handled even if no time is left to wait for it.
    if (judgement instanceof Promise) judgement.catch(() => undefined)
    const settled = judgement instanceof Promise ? await judgedWithin(this.#left(incoming), judgement) : judgement
    if (!settled.ok) return this.#unauthenticated(head, request, settled, now)
    const receipt = mode === undefined ? settled.receipt : { ...settled.receipt, mode }
    const decisions = splitRequest(source, request).map((part) => this.#decide(part, receipt, now))
    const arrivals = decisions.map(({ arrival }) => arrival)
    const events = decisions.map(({ event }) => event)
    const active = tracing()
    const sends = active && new Sends(active, arrivals, headers)
    const results =
      sends === undefined
        ? await this.#record(incoming, arrivals, events)
        : await sends.record((onCommitted) => this.#record(incoming, sends.arrivals, events, onCommitted))
    const recorded = decisions.flatMap(({ arrival, ageMs }, index) =>
      arrival.state === 'accepted' ? [this.#accepted(incoming, arrival, ageMs, results[index], sends?.ids(index))] : []
    )
    const refused = decisions.findIndex(({ refusal }) => refusal !== undefined)
    const { skewMs } = receipt
    if (skewMs !== undefined) clockSkew.add(skewMs)
    const isLate = decisions.some(({ ageMs = 0 }, index) => results[index] === 'accepted' && ageMs > lateFromMs)
    const notes: readonly RequestNote[] = isLate ? ['authentic', 'late'] : ['authentic']
    if (refused !== -1) return { ...this.#refuseParts(head, decisions, refused, results), skewMs, notes }
    const reply =
      source.answer === undefined
        ? acknowledge(recorded)
        : ownAnswer(source, 'answer', source.answer({ request, secret: settled.secret, events: recorded }))
    return { reply, result: wholeResult(results), skewMs, notes }
  }

  /** Reads and validates one part of a request. */
  #decide(part: Part, receipt: Receipt, receivedAt: Date): Decision {
    const { path, realm, source, handlers, keysOf, mode, validate, payloads, drift, log } = this.#options
    const { headers, body } = part
    const common = { realm, source: source.name, headers, body, endpoint: path, receivedAt, receipt } as const
    // Store it before refusing it, so that it can be examined and replayed after the provider gives up.
    const quarantined = (refusal: PartRefusal): Decision => ({
      arrival: {
        ...common,
        state: 'quarantined',
        id: quarantineIdOf({ realm, endpoint: path, headers, body }),
        reason: refusal.message
      },
      refusal
    })
    if (part.fault !== undefined) return quarantined({ code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message: part.fault })
    const reading = readEvent(source, part)
    if (!reading.ok) return quarantined(reading)
    const { event } = reading
    const fault = modeFault(mode, event)
    if (fault !== undefined) return quarantined({ code: 'RIVERHOOK_RECEIVE_WRONG_MODE', message: fault })
    const own = handlers.for(event.type)
    const { mismatches, isRejected } = payloads.check(event, own, validate)
    if (mismatches.length > 0) drift.count(event, { realm, path }, mismatches)
    if (isRejected) {
      const message = describePayload(event.type, mismatches)
      return quarantined({ code: 'RIVERHOOK_RECEIVE_BAD_PAYLOAD', message })
    }
    const { id, type, liveMode, createdTime } = event
    const deliveries = deliveriesFor(realm, event, handlers, log)
    return {
      arrival: { ...common, state: 'accepted', id, type, liveMode, createdTime, ...keysOf(event), deliveries },
      ageMs: ageOf(createdTime, receivedAt),
      event: own.some(({ orderBy }) => orderBy !== undefined) ? undefined : event,
      refusal: undefined
    }
  }

  /**
   * Logs a recorded event.
   * @returns the result for the sender
   */
  #accepted(
    incoming: Incoming,
    event: AcceptedArrival,
    age_ms: number | undefined,
    result: RecordResult | undefined = 'duplicate',
    ids?: SpanIds
  ): Recorded['events'][number] {
    const { path, realm, log } = this.#options
    const { id, type } = event
    const duration_ms = Math.round(incoming.elapsedMs * 10) / 10
    publish('received', { endpoint: path, realm, event_id: id, event_type: type, result, duration_ms, age_ms })
    const keys = { endpoint: path, ...eventKeys(realm, event), result, duration_ms, ...ids }
    if (result === 'conflict') log.warn(keys, 'duplicate event id with a different body; the first body is kept')
    else log.info(keys, result === 'accepted' ? 'event accepted' : 'duplicate of a known event')
    // To the sender, a conflict is a duplicate.
    return { id, type, result: result === 'accepted' ? 'accepted' : 'duplicate' }
  }

  /**
   * Refuses a request because of one of its parts. Its other events are recorded; they are duplicates when the request
   * comes again.
   */
  #refuseParts(
    head: RequestHead,
    decisions: readonly Decision[],
    index: number,
    results: readonly (RecordResult | undefined)[]
  ): Decided {
    const { arrival, refusal } = decisions[index] as Decision
    const { code, message: why } = refusal as PartRefusal
    const message = decisions.length === 1 ? why : `Event ${index + 1} of ${decisions.length}: ${why}`
    const { id } = arrival
    const kept = results[index] === 'conflict' ? `not kept, as another request has the id ${id}` : `kept as ${id}`
    return this.#reject(head, { code, message }, `${message}; ${kept}`)
  }

  #unauthenticated(
    head: RequestHead,
    request: IncomingRequest,
    { reason, unmatched, isTokenInvalid }: Extract<Judgement, { ok: false }>,
    now: Date
  ): Decided {
    const { authenticator, diagnosis } = this.#options
    const { signature, challenges } = authenticator
    const more = unmatched && signature !== undefined ? diagnosis.explain(request, signature, now) : undefined
    const why = more === undefined ? reason : `${reason}: ${more}`
    const challenge = `${challenges.join(', ')}${isTokenInvalid === true ? ', error="invalid_token"' : ''}`
    const headers: Record<string, string> = challenges.length === 0 ? {} : { 'www-authenticate': challenge }
    return this.#reject(
      head,
      { code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', message: 'Authentication failed', headers },
      why
    )
  }

  /** The time counts from the arrival of the request's head, so it includes reading the body. */
  async #record(
    incoming: Incoming,
    arrivals: readonly Arrival[],
    events: readonly (AnyEvent | undefined)[],
    onCommitted?: (commit: CommittedMessage) => void
  ): Promise<readonly (RecordResult | undefined)[]> {
    const { recorder } = this.#options
    const leftMs = this.#left(incoming)
    const [only] = arrivals
    if (only === undefined) return []
    if (arrivals.length === 1) return [await recorder.record(only, leftMs, events[0], onCommitted)]
    return recorder.recordAll(arrivals, leftMs, events, onCommitted)
  }

  /** @throws {RiverhookError} RIVERHOOK_INBOX_DEADLINE if no time is left; the message does not blame the inbox */
  #left({ elapsedMs }: Incoming): number {
    const { ackTimeout } = this.#options
    const left = ackTimeout - elapsedMs
    if (left >= 1) return left
    throw new RiverhookError(
      'RIVERHOOK_INBOX_DEADLINE',
      `The request itself took ${Math.round(elapsedMs)} ms to arrive and to be checked: nothing was left of the ${ackTimeout} ms to record it in`
    )
  }

  #reject({ id }: RequestHead, refusal: Refusal, why = refusal.message, thrown?: Thrown): Decided {
    const { code } = refusal
    this.#options.rejections.add(id, code, why, thrown)
    return { reply: refuse(refusal), result: 'refused', code }
  }
}

const unknownAddress =
  'Option "allow" needs the address of the sender, and the host passes none: give toWebHandler() the option "ip", or pass "ip" to receive(). Over a Unix socket, set "trustProxy" of Fastify'

/** In milliseconds. The default provider gives up after 3 s. */
const slowFromMs = 2_000
/** In milliseconds. Most providers tolerate five minutes. */
const skewedFromMs = 60_000
/** In milliseconds. */
const lateFromMs = 3_600_000

/** Limits how long a request waits for the user's functions (secrets, bearer): the rest of the time to answer. */
async function judgedWithin<Value>(ms: number, pending: Promise<Value>): Promise<Value> {
  return withLimit(
    ms,
    pending,
    () =>
      new RiverhookError(
        'RIVERHOOK_RECEIVE_FAULT',
        `The function that gives the secrets or keys, judges the bearer token or verifies the signature did not answer within ${Math.round(ms)} ms`
      )
  )
}

/** The result of a request with several events: the best of them. */
function wholeResult(results: readonly (RecordResult | undefined)[]): RecordResult {
  if (results.length === 0 || results.includes('accepted')) return 'accepted'
  return results.includes('conflict') ? 'conflict' : 'duplicate'
}

/** Milliseconds from the creation of an event to its arrival; 0 if the sender's clock is ahead. */
function ageOf(createdTime: string | undefined, receivedAt: Date): number | undefined {
  const createdAt = createdTime === undefined ? NaN : Date.parse(createdTime)
  return Number.isNaN(createdAt) ? undefined : Math.max(0, receivedAt.getTime() - createdAt)
}

function reasonOf(error: unknown, hide?: Hide): string {
  if (error instanceof RiverhookError) return hide?.(error.message) ?? error.message
  return errorText(error, hide)
}
