import type { RiverhookErrorCode } from '../model/errors.ts'
import type { Event } from '../model/event.ts'

/**
 * CONTRACT 1. What the core needs of a provider: to tell an authentic request from another, to read the
 * Event in it, and to sign one (for tests and for `riverhook send`).
 */
export interface Source {
  /** The provider's name in logs, for example `digital-river`. */
  readonly name: string
  /** The event types that are known. The set is open: others may arrive. */
  readonly types: readonly string[]
  /** Types that are still listed but no longer sent. */
  readonly withdrawnTypes?: readonly string[]
  /**
   * The JSON Schema of `data.object` of an event type; undefined where it is not known. The same object each time is
   * compiled once.
   */
  schemaOf?(type: string): object | undefined
  /**
   * Types whose schema is a guess, such as from the name of the type. A payload that differs is reported, and never
   * refused: the guess may be what is wrong.
   */
  readonly inferredTypes?: readonly string[]
  /**
   * Prepares the secrets once.
   * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET when one of them cannot be used
   */
  verifier(secrets: readonly string[]): Verifier
  /**
   * What a request tells without a secret, so that a function that gives the secrets is not called for what would be
   * refused whatever they are. Never throws, and does little: anybody can send the request. Without it the function
   * is called for every request. Answers at once, as `verify` and `read` do: for a promise the request is answered
   * 500.
   */
  precheck?(request: SourceRequest): Precheck
  /**
   * Reads the Event in an authentic request. A function of the request, not of the body alone: with some
   * providers the event id is a header. Never throws.
   */
  read(request: SourceRequest): Reading
  /** The headers that make `body` authentic, as the provider would send them. */
  sign(input: { readonly body: Uint8Array; readonly secret: string; readonly at: Date }): Record<string, string>
  /**
   * The provider's API, where it has one: to keep the registration, and to fetch events back.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given
   */
  api?(options: ApiOptions): SourceApi
}

export interface ApiOptions {
  /** Default: `DIGITAL_RIVER_API_KEY`, or the content of the file that `DIGITAL_RIVER_API_KEY_FILE` names. */
  readonly apiKey?: string | undefined
  /** Default: `DIGITAL_RIVER_API_URL`, or the provider's own. */
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

export interface Verifier {
  /**
   * Pure, and in constant time where secrets are compared. Compares the signature first and judges the time second.
   * Never throws, whatever the headers hold, and does an amount of work that the sender cannot raise beyond what the
   * body's size explains.
   */
  verify(request: SourceRequest, now: Date, toleranceMs: number): Verdict
  /**
   * Looks for the cause of a refusal: a body rewritten on the way, a secret with white space around it. Costs several
   * times what `verify` costs, so the caller limits how often it asks, and for which sizes. Anybody can send the
   * request: time, memory and depth must be bounded. An error that it throws is logged, and the request is refused as
   * it would have been.
   * @returns a sentence for the log, or undefined when nothing was found
   */
  explain(request: SourceRequest): string | undefined
}

/** A value with its reason, never an exception or a bare boolean: only the edge turns it into an answer. */
export type Verdict =
  | {
      readonly ok: true
      /** The position, counted from 1, of the secret that matched. */
      readonly secret: number
      /** Undefined: the time cannot be read, and the endpoint accepts that. */
      readonly signedAt?: Date | undefined
      /** `now` minus `signedAt`, in milliseconds. */
      readonly driftMs?: number | undefined
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

export type Reading =
  | { readonly ok: true; readonly event: Event }
  | {
      readonly ok: false
      readonly code: Extract<
        RiverhookErrorCode,
        'RIVERHOOK_RECEIVE_BAD_ENCODING' | 'RIVERHOOK_RECEIVE_BAD_JSON' | 'RIVERHOOK_RECEIVE_BAD_ENVELOPE'
      >
      /** Names the field and the rule, never the value. */
      readonly message: string
    }
