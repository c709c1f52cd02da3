import type { RiverhookErrorCode } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'

/**
 * CONTRACT 1. A provider: how its requests are verified, and how the events in them are read.
 *
 * The path of a request: `greet`, then `verify`, then `split`, then `read` and record each part, then `answer`. Only
 * `verifier` and `read` are required. `sourceContract()` of `riverhook/testing` holds a source to what is promised
 * here.
 *
 * @typeParam E the union of the provider's events; the types of handlers are taken from it
 */
export interface Source<out E extends AnyEvent = AnyEvent> {
  /** Stored with every event, and used in logs: for example `payments`. Unique among the sources of a receiver. */
  readonly name: string
  /** The event types that are known. Others may arrive. Empty: any type is accepted as known. */
  readonly types: readonly string[]
  /** Types that are still listed but no longer sent. */
  readonly withdrawnTypes?: readonly string[] | undefined
  /**
   * The JSON Schema of the payload of an event type; undefined where it is not known. Return the same object each time:
   * it is compiled once.
   */
  schemaOf?(type: string): object | undefined
  /**
   * Types whose schema is a guess, such as from the name of the type. A payload that differs is reported, and never
   * refused: the guess may be wrong.
   */
  readonly inferredTypes?: readonly string[] | undefined
  /**
   * Where the payload is in an event, such as `['data', 'object']`; `[]` for the event itself. When it is given, every
   * event must have an object there. Default: `['data', 'object']`, not required.
   */
  readonly payloadPath?: readonly string[] | undefined
  /**
   * The names of headers that `read` needs, in lower case. They are stored with the event, and `read` is given these
   * headers and no others, at arrival as at every later reading. Never name a header that holds a secret.
   */
  readonly keep?: readonly string[] | undefined
  /** Media types of bodies that are accepted beside JSON, such as `text/plain`. Others are answered 415. */
  readonly mediaTypes?: readonly string[] | undefined
  /** HTTP methods that `greet` answers beside POST, such as `GET`. Others are answered 405. */
  readonly methods?: readonly string[] | undefined
  /**
   * Answers a handshake before anything is verified: an endpoint check by GET, say. Undefined: it is no handshake. It
   * is called for every request, and anybody can send one: it must never throw, and do little. Its answer ends the
   * request; nothing is recorded.
   */
  greet?(request: IncomingRequest, prepared: Prepared): Answer | undefined
  /**
   * Splits a verified request into requests of one event each. Each part is read, stored, and replayed by itself, with
   * the headers of `keep`. An empty list: the request holds no event and is only answered. A body that cannot be split
   * is returned as it is, so that `read` refuses it with a reason. Never throws. Default: one part, the request.
   */
  split?(request: IncomingRequest): readonly SourceRequest[]
  /** Answers a request whose events are recorded. Never throws. Default: 202, and JSON with the id and the result. */
  answer?(recorded: Recorded): Answer
  /**
   * Prepares the secrets once.
   * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET when one of them cannot be used
   */
  verifier(secrets: readonly string[]): Verifier
  /**
   * What a request tells without a secret, so that a function that gives the secrets is not called for what would be
   * refused whatever they are. Never throws, and does little: anybody can send the request. Without it the function
   * is called for every request. Synchronous: for a promise the request is answered 500.
   */
  precheck?(request: IncomingRequest): Precheck
  /**
   * Reads the event in an authentic request, from its body and the headers of `keep`. Never throws. Synchronous: for a
   * promise the request is answered 500.
   */
  read(request: SourceRequest): Reading<E>
  /**
   * Returns the headers that make `body` authentic, as the provider would send them: for tests and `riverhook send`.
   */
  sign?(input: SignInput): Record<string, string>
  /** Headers that hold a signature or another credential, in lower case: the server's log leaves out their values. */
  readonly signatureHeaders?: readonly string[] | undefined
  /**
   * Where the signing secret of a new webhook is found: one sentence for the log, after its registration. Names the
   * place, such as a page of the provider's dashboard.
   */
  readonly secretSteps?: string | undefined
  /** How long the provider waits and retries, and how much it sends. */
  readonly limits?: SourceLimits | undefined
  /**
   * Makes the request that would have brought an event that the provider's API lists, for backfill. Default: its JSON
   * as the body, without headers.
   */
  requestOf?(listed: Readonly<Record<string, unknown>>): SourceRequest
  /**
   * The provider's API, where it has one: to keep the registration, and to fetch events back.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given
   */
  api?(options: ApiOptions): SourceApi
}

/** The union of a source's events. */
export type EventsOf<S extends Source> = S extends Source<infer E> ? E : never

/** What a source's `greet` may use. */
export interface Prepared {
  /** The endpoint's secrets; empty until a function that gives them has answered once. */
  readonly secrets: readonly string[]
}

/** An answer that is a source's own. */
export interface Answer {
  /** From 200 to 299, or from `greet` up to 499. */
  readonly status: number
  /** Default content type: `text/plain; charset=utf-8`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

/** A request whose events are recorded. */
export interface Recorded {
  readonly request: IncomingRequest
  /** The secret that matched; undefined where the endpoint has no signature check. */
  readonly secret: string | undefined
  /** In the order of the parts. */
  readonly events: readonly {
    readonly id: string
    readonly type: string
    /** `duplicate`: it was known. */
    readonly result: 'accepted' | 'duplicate'
  }[]
}

/** What to sign. */
export interface SignInput {
  readonly body: Uint8Array
  readonly secret: string
  readonly at: Date
  /** For a source whose event id is a header. Default: one that the source makes up. */
  readonly id?: string | undefined
  /** For a source whose event type is a header. */
  readonly type?: string | undefined
}

export interface SourceLimits {
  /** How long the provider waits for an answer, in milliseconds: the longest `ackTimeout`. */
  readonly answerMs?: number | undefined
  /** How long the provider retries a request, in milliseconds: the shortest `retention` is longer. */
  readonly retryMs?: number | undefined
  /** The largest body that the provider sends, in bytes: the default of `bodyLimit`. */
  readonly bodyBytes?: number | undefined
}

export interface ApiOptions {
  /** Default: the source's own, such as from an environment variable. */
  readonly apiKey?: string | undefined
  /** Default: the provider's own. */
  readonly apiUrl?: string | undefined
  /** Gives up what is under way. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The part of the provider's API that registration and backfill need. Every method rejects with an error whose
 * message can be logged: it names what failed and holds no key, password or secret; for an answer of the provider it
 * has the HTTP `status`, and `retryAfterMs` where the provider asks to be left alone for that time.
 */
export interface SourceApi {
  /** Which of the provider's environments the key belongs to; undefined where the key does not tell. */
  readonly mode: 'test' | 'live' | undefined
  readonly webhooks: {
    /** All of the account. */
    list(): Promise<readonly Registration[]>
    /** Never repeated blindly: a second one would send every event twice. */
    create(wanted: NewRegistration): Promise<Registration>
    /** Changes only what is given. */
    update(id: string, changes: Partial<NewRegistration>): Promise<Registration>
    delete(id: string): Promise<void>
  }
  readonly events: {
    /** How far back events can be listed, in milliseconds. */
    readonly horizonMs: number
    /** Every event created at or after `since` and before `until`, all pages, each once. The order is not promised. */
    all(filter: ListedRange): AsyncIterable<Readonly<Record<string, unknown>>>
  }
}

export interface ListedRange {
  readonly since: Date
  readonly until: Date
  /** Only these types; any number of them. Default: all. */
  readonly types?: readonly string[] | undefined
}

/** A webhook as the provider has it: which address is sent which event types, and how the callback authenticates. */
export interface Registration extends NewRegistration {
  readonly id: string
  readonly types: readonly string[]
  readonly enabled: boolean
  readonly createdTime?: string
  readonly liveMode?: boolean
}

export interface NewRegistration {
  readonly address: string
  readonly types: readonly string[]
  readonly enabled?: boolean
  readonly apiVersion?: string
  readonly transportType?: 'HTTP' | 'OAUTH'
  /** With the transport HTTP: basic authentication of the callback. */
  readonly authentication?: { readonly username?: string; readonly password?: string }
  /** With the transport OAUTH: where the provider fetches the callback's bearer token. */
  readonly oauth?: {
    readonly tokenEndPoint: string
    readonly clientID: string
    readonly clientSecret: string
    readonly userName?: string | undefined
    readonly password?: string | undefined
    readonly grantType?: string | undefined
  }
}

/** The part of an HTTP request that a source may look at. Header names are in lower case. */
export interface SourceRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The exact bytes received. */
  readonly body: Uint8Array
}

/** A request as it arrives. */
export interface IncomingRequest extends SourceRequest {
  /** In upper case. */
  readonly method: string
  /** The path and the query, as they were sent. */
  readonly url: string
}

export interface Verifier {
  /**
   * Compares secrets in constant time. Compares the signature first and judges the time second. Never throws, whatever
   * the headers hold, and does an amount of work that the sender cannot raise beyond what the body's size explains. A
   * promise is awaited until the request has to be answered; after that the request is answered 500.
   */
  verify(request: IncomingRequest, now: Date, toleranceMs: number): Verdict | Promise<Verdict>
  /**
   * Looks for the cause of a refusal: a body rewritten on the way, a secret with white space around it. Costs several
   * times what `verify` costs, so the caller limits how often it asks, and for which sizes. Anybody can send the
   * request: time, memory and depth must be bounded. An error that it throws is logged, and the request is refused as
   * it would have been.
   * @returns a sentence for the log, or undefined when nothing was found
   */
  explain?(request: IncomingRequest): string | undefined
}

/** A value with its reason, never an exception or a bare boolean: only the edge turns it into an answer. */
export type Verdict =
  | {
      readonly ok: true
      /** The position, counted from 1, of the secret that matched. */
      readonly secret: number
      /** Undefined: the source signs no time, or the time cannot be read and the endpoint accepts that. */
      readonly signedAt?: Date | undefined
      /** `now` minus `signedAt`, in milliseconds. Default: computed. */
      readonly skewMs?: number | undefined
    }
  | Refused<'no_header' | 'malformed_header' | 'clock'>
  /** With the time that it claims, if that can be read: what is outside the tolerance is not looked into. */
  | (Refused<'no_match'> & { readonly signedAt?: Date | undefined })
  /** The signature matches, but its time cannot be read. `secret`: as above. */
  | (Refused<'unreadable_time'> & { readonly secret: number })

/** What can be said of a request without a secret. */
export type Precheck =
  | {
      readonly ok: true
      /** Undefined where the time is not there, cannot be read, or is in doubt. */
      readonly signedAt: Date | undefined
      /** There is a time, and it cannot be read: only an endpoint with `timestamps: 'any'` can accept the request. */
      readonly isUnreadable?: boolean | undefined
    }
  | Refused<'no_header' | 'malformed_header'>

interface Refused<Reason extends string> {
  readonly ok: false
  readonly reason: Reason
  /** A sentence for the log. Never holds a secret or a valid signature. */
  readonly detail: string
}

export type Reading<E extends AnyEvent = AnyEvent> =
  | { readonly ok: true; readonly event: E }
  | {
      readonly ok: false
      readonly code: Extract<
        RiverhookErrorCode,
        'RIVERHOOK_RECEIVE_BAD_ENCODING' | 'RIVERHOOK_RECEIVE_BAD_JSON' | 'RIVERHOOK_RECEIVE_BAD_ENVELOPE'
      >
      /** Names the field and the rule, never the value. */
      readonly message: string
    }
