import type { RiverhookErrorCode } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'

/**
 * CONTRACT 1. A provider: how to verify its requests, and how to read the events in them.
 *
 * Most providers need no implementation: `hmacSource()` describes how they sign, as `shopify.ts` shows. The option
 * `source` of an endpoint takes one. `sources.ts` exports those of this package; `options/source-by-name.ts` names
 * them.
 *
 * The steps of a request: `greet`, `verify`, `split`, `read` and record each part, `answer`. Only `verifier` and `read`
 * are required. `sourceContract()` of `riverhook/testing` tests whether a source fulfils this contract.
 *
 * @typeParam E the union of the provider's events, which types the handlers
 */
export interface Source<out E extends AnyEvent = AnyEvent> {
  /** Stored with every event, and used in logs: for example `payments`. Unique among the sources of a receiver. */
  readonly name: string
  /** The known event types. Others may arrive. Empty: every type counts as known. */
  readonly types: readonly string[]
  /** Types that are still listed but no longer sent. */
  readonly withdrawnTypes?: readonly string[] | undefined
  /**
   * The JSON Schema of the payload of an event type; undefined if it is unknown. Return the same object each time: it
   * is compiled once.
   */
  schemaOf?(type: string): object | undefined
  /**
   * Types whose schema is a guess, for example from the name of the type. A payload that differs is reported but never
   * refused, because the guess may be wrong.
   */
  readonly inferredTypes?: readonly string[] | undefined
  /**
   * Where an event holds its payload, such as `['data', 'object']`; `[]` for the event itself. If given, every event
   * must have an object there. Default: `['data', 'object']`, not required.
   */
  readonly payloadPath?: readonly string[] | undefined
  /**
   * The names of headers that `read` needs, in lower case. They are stored with the event, and `read` gets only these
   * headers, both at arrival and later. Never name a header that holds a secret.
   */
  readonly keep?: readonly string[] | undefined
  /** Accepted media types besides JSON, such as `text/plain`, or `*` for every type. Others are answered 415. */
  readonly mediaTypes?: readonly string[] | undefined
  /** HTTP methods that `greet` answers besides POST, such as `GET`. Others are answered 405. */
  readonly methods?: readonly string[] | undefined
  /**
   * Answers a handshake before anything is verified, for example an endpoint check by GET. Return undefined if the
   * request is not a handshake. It is called for every request, and anybody can send one, so it must be cheap and must
   * never throw. Its answer ends the request; nothing is recorded.
   */
  greet?(request: IncomingRequest, prepared: Prepared): Answer | undefined
  /**
   * Splits a verified request into requests of one event each. Each part is read, stored and replayed separately, with
   * the headers of `keep`. Return an empty list if the request holds no event and only needs an answer. Return a body
   * that cannot be split unchanged, so that `read` refuses it with a reason. Never throws. Default: one part, the
   * request.
   */
  split?(request: IncomingRequest): readonly SourceRequest[]
  /**
   * Answers a request after its events are recorded. Never throws. Default: 202, and JSON with the id and the result.
   */
  answer?(recorded: Recorded): Answer
  /**
   * Prepares the secrets once.
   * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET if one of them cannot be used
   */
  verifier(secrets: readonly string[]): Verifier
  /**
   * Checks a request without a secret, so that the user's function for the secrets is not called for a request that no
   * secret could make valid. Anybody can send the request, so it must be cheap and must never throw. Without it, the
   * function is called for every request. Synchronous: if it returns a promise, the request is answered 500.
   */
  precheck?(request: IncomingRequest): Precheck
  /**
   * Reads the event in an authentic request, from its body and the headers of `keep`. Never throws. Synchronous: if it
   * returns a promise, the request is answered 500.
   */
  read(request: SourceRequest): Reading<E>
  /**
   * Lists the ids that an event is about, the most important ones first: of the resource, which lists show (so it is an
   * id, and no personal data), the order,
   * the customer, and the merchant's own id and the e-mail address, if it has them. People find the event by these:
   * `--about` of the commands, `about` of a filter. Only texts of at most 200 characters and whole numbers count, at
   * most 12 of them.
   * Never throws. Default: none.
   */
  keysOf?(event: E): readonly unknown[]
  /**
   * Paths of personal data in the JSON of a body, such as `data.**.email`: see the option `redact`. Default: the usual
   * names of such fields, anywhere. A text with an e-mail address in it is hidden at any path.
   */
  readonly redact?: readonly string[] | undefined
  /**
   * Returns the headers that make `body` authentic, as the provider would send them: for tests and `riverhook send`.
   */
  sign?(input: SignInput): Record<string, string>
  /**
   * Makes the body of an event as the provider would send it, small but valid: for tests, `riverhook trigger` and the
   * simulator. `sign` with the same id and type adds the headers. A batch holds this one event.
   * @returns what becomes JSON: an object, or a list for a provider that sends several events in a request
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a type that no event of the provider can have
   */
  sample?(input: SampleInput): object
  /** Headers that hold a signature or another credential, in lower case: the server's log omits their values. */
  readonly signatureHeaders?: readonly string[] | undefined
  /**
   * Where to find the signing secret of a new webhook: one sentence for the log, after its registration. It names the
   * place, such as a page of the provider's dashboard.
   */
  readonly secretSteps?: string | undefined
  /** How its webhooks differ from those of other providers. */
  readonly registration?: RegistrationRules | undefined
  /**
   * The addresses and ranges from which the provider sends, as it publishes them. An endpoint refuses others if its
   * option `allow` has the source's name.
   */
  readonly addresses?: readonly string[] | undefined
  /** How long the provider waits and retries, and how large its requests are. */
  readonly limits?: SourceLimits | undefined
  /**
   * Makes the request that would have delivered an event from the list of the provider's API, for backfill. Default:
   * the event as JSON, without headers.
   */
  requestOf?(listed: Readonly<Record<string, unknown>>): SourceRequest
  /**
   * The provider's API, if it has one: for the registration and for backfill.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if no key is given
   */
  api?(options: ApiOptions): SourceApi
}

/** The union of a source's events. */
export type EventsOf<S extends Source> = S extends Source<infer E> ? E : never

/** The second argument of a source's `greet`. */
export interface Prepared {
  /** The endpoint's secrets; empty until a user's function for them has answered once. */
  readonly secrets: readonly string[]
}

/** An answer that the source chooses. */
export interface Answer {
  /** From 200 to 299; from `greet` up to 499. */
  readonly status: number
  /** Default content type: `text/plain; charset=utf-8`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

/** A request after its events are recorded. */
export interface Recorded {
  readonly request: IncomingRequest
  /** The secret that matched; undefined if the endpoint has no signature check. */
  readonly secret: string | undefined
  /** In the order of the parts. */
  readonly events: readonly {
    readonly id: string
    readonly type: string
    /** `duplicate`: the event was already known. */
    readonly result: 'accepted' | 'duplicate'
  }[]
}

/** The request to sign. */
export interface SignInput {
  readonly body: Uint8Array
  readonly secret: string
  readonly at: Date
  /** For a source whose event id is a header. Default: the source generates one. */
  readonly id?: string | undefined
  /** For a source whose event type is a header. */
  readonly type?: string | undefined
}

/** The event of which a sample is made. */
export interface SampleInput {
  /** Default: one that the source chooses. */
  readonly type?: string | undefined
  /** The id, where the body holds one. Two ids must give two events. */
  readonly id: string
  /** When it happened. */
  readonly at: Date
  /** An event of the live environment, where the body says so. */
  readonly liveMode: boolean
}

export interface SourceLimits {
  /** How long the provider waits for an answer, in milliseconds: the upper limit of `ackTimeout`. */
  readonly answerMs?: number | undefined
  /** How long the provider retries a request, in milliseconds. `retention` must be longer. */
  readonly retryMs?: number | undefined
  /** The largest body that the provider sends, in bytes: the default of `bodyLimit`. */
  readonly bodyBytes?: number | undefined
  /** How far the signed time may be from this machine's clock, in milliseconds: the default of `tolerance`. */
  readonly toleranceMs?: number | undefined
}

export interface ApiOptions {
  /** Default: the source's own, for example from an environment variable. */
  readonly apiKey?: string | undefined
  /** Default: the provider's own. */
  readonly apiUrl?: string | undefined
  /** Aborts calls in progress. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The part of the provider's API that registration and backfill need. Every method rejects with an error whose message
 * can be logged: it names what failed and holds no key, password or secret. For an error answer of the provider it has
 * the HTTP `status`, and `retryAfterMs` if the provider asks to wait.
 */
export interface SourceApi {
  /** The environment of the key: test or live; undefined if the key does not show it. */
  readonly mode: 'test' | 'live' | undefined
  readonly webhooks: {
    /** All webhooks of the account. */
    list(): Promise<readonly Registration[]>
    /** One webhook. Default: it is looked for in the list. */
    retrieve?(id: string): Promise<Registration>
    /** Must not be retried without checking: a second webhook would send every event twice. */
    create(wanted: NewRegistration): Promise<CreatedRegistration>
    /** Changes only the given fields. */
    update(id: string, changes: Partial<NewRegistration>): Promise<Registration>
    delete(id: string): Promise<void>
  }
  /** Default: the provider lists no past events, so there is no backfill. */
  readonly events?: ListedEvents | undefined
}

/** The provider's list of past events. */
export interface ListedEvents {
  /** How far back events can be listed, in milliseconds. */
  readonly horizonMs: number
  /** Every event created at or after `since` and before `until`, all pages, each once. The order is not guaranteed. */
  all(filter: ListedRange): AsyncIterable<Readonly<Record<string, unknown>>>
}

export interface ListedRange {
  readonly since: Date
  readonly until: Date
  /** Only these types; any number of them. Default: all. */
  readonly types?: readonly string[] | undefined
}

/** A webhook as the provider has it. A source may give more fields, under the provider's names. */
export interface Registration {
  readonly id: string
  readonly address: string
  readonly types: readonly string[]
  readonly enabled: boolean
  readonly createdTime?: string | undefined
  readonly liveMode?: boolean | undefined
}

/** A webhook to create, or its changes. It also holds the fields of `RegistrationRules.fieldsOf`. */
export interface NewRegistration {
  readonly address: string
  readonly types: readonly string[]
  readonly enabled?: boolean | undefined
}

export interface CreatedRegistration extends Registration {
  /** The signing secret, if the provider shows it in this answer alone. Never logged. */
  readonly secret?: string | undefined
}

/** How the webhooks of a provider differ from those of others. */
export interface RegistrationRules {
  /**
   * The provider's own fields of a webhook. Each is compared with that of the webhook, and sent only if it differs.
   * Default: there are none.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an option that the provider has no field for
   */
  fieldsOf?(given: RegistrationGiven): Readonly<Record<string, unknown>>
  /** The value of a field that the provider leaves out. */
  readonly defaults?: Readonly<Record<string, unknown>> | undefined
  /** The name by which a type, or the types of a pattern, are requested. Default: the type; patterns are expanded. */
  requestedType?(type: string): string
  /** Requests all types. Default: the provider has no such name. */
  readonly everyType?: string | undefined
  /** `created`: only the answer to `create` shows the secret, so only a command creates a webhook, never a server. */
  readonly secretShown?: 'created' | undefined
}

/** The configuration of a webhook: from an endpoint and its option `register`. */
export interface RegistrationGiven {
  readonly apiVersion?: string | undefined
  /** The basic authentication of the callback. */
  readonly basicAuth?: { readonly username: string; readonly password: string } | undefined
  /** Where the provider fetches the callback's bearer token. */
  readonly oauth?: Readonly<Record<string, string | undefined>> | undefined
  /** The first signing secret of the endpoint. */
  readonly secret?: string | undefined
}

/** The part of an HTTP request that a source may use. Header names are in lower case. */
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
   * Compares secrets in constant time. Compares the signature first and judges the time second. Never throws for any
   * headers. An unauthenticated sender must not be able to raise its cost beyond what the size of the body explains. A
   * promise is awaited until the request must be answered; then the request is answered 500. It may reject with the
   * code RIVERHOOK_RECEIVE_FAULT if something that it needs cannot be fetched now, such as a certificate: the request
   * is answered 500, so that the provider sends it again.
   */
  verify(request: IncomingRequest, now: Date, toleranceMs: number): Verdict | Promise<Verdict>
  /**
   * Looks for the cause of a refusal: a body rewritten on the way, or a secret with white space around it. It costs
   * several times as much as `verify`, so the caller limits how often it is called, and for which sizes. Anybody can
   * send the request, so time, memory and depth must be limited. If it throws, the error is logged, and the request is
   * refused as before.
   * @returns a sentence for the log, or undefined if nothing was found
   */
  explain?(request: IncomingRequest): string | undefined
}

/** A result with its reason, never an exception or a bare boolean. Only the receiver turns it into an answer. */
export type Verdict =
  | {
      readonly ok: true
      /** The position of the secret that matched, counted from 1. */
      readonly secret: number
      /** Undefined: the source signs no time, or the time cannot be read and the endpoint accepts that. */
      readonly signedAt?: Date | undefined
      /** `now` minus `signedAt`, in milliseconds. Default: computed. */
      readonly skewMs?: number | undefined
    }
  | Refused<'no_header' | 'malformed_header' | 'clock'>
  /** With the time that it claims, if it can be read. A time outside the tolerance is not diagnosed further. */
  | (Refused<'no_match'> & { readonly signedAt?: Date | undefined })
  /** The signature matches, but its time cannot be read. `secret` is the position of the secret, as above. */
  | (Refused<'unreadable_time'> & { readonly secret: number })

/** The result of a check without a secret. */
export type Precheck =
  | {
      readonly ok: true
      /** Undefined if the time is missing, unreadable or ambiguous. */
      readonly signedAt: Date | undefined
      /** A time is present but cannot be read: only an endpoint with `timestamps: 'any'` can accept the request. */
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
