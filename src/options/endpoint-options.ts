import type { Filled } from '../model/option-rules.ts'

/** One endpoint: a POST path with its own credentials. */
export interface EndpointOptions {
  /** The path of the POST route. Default: that of `endpointSettings`. */
  readonly path?: string | undefined
  /**
   * The signing secrets, all valid at the same time (two during a rotation; a list, not a text with commas). Or a
   * function that returns them, so that they can be rotated without a restart. The function is called for each request
   * whose signature header is present, well-formed and within the tolerance; requests that arrive during a call share
   * its result.
   */
  readonly secrets?:
    | string
    | readonly string[]
    | (() => string | readonly string[] | PromiseLike<string | readonly string[]>)
    | undefined
  /** The accepted user names with their passwords. */
  readonly basicAuth?: BasicCredentials | readonly BasicCredentials[] | undefined
  /** The accepted bearer tokens, or a function that decides about one. */
  readonly bearer?: string | readonly string[] | ((token: string) => boolean | Promise<boolean>) | undefined
  /**
   * Serves the token endpoint from which the provider fetches the bearer token of its requests (OAuth 2.0, RFC 6749).
   * Only such tokens are accepted then, in addition to the signature where the endpoint has `secrets`.
   */
  readonly tokenEndpoint?: TokenEndpointOptions | undefined
  /**
   * The addresses that may send, in addition to the other checks: addresses or ranges such as `203.0.113.0/24`, or the
   * name of the endpoint's source for the ranges that the provider publishes. Others are answered 403 before their body
   * is read. Judged is the peer of the connection, or with Fastify's `trustProxy` the address that Fastify finds
   * (`request.ip`). Does not replace a credential.
   */
  readonly allow?: string | readonly string[] | undefined
  /**
   * The mode of the endpoint's events. An event with another `liveMode` is answered 400 and quarantined, also if it was
   * backfilled or retried. Set it if test and live events share an inbox. Otherwise a sender with the secret of the
   * test webhook can send events that handlers treat as live. Default: that of `register`, otherwise both are accepted.
   */
  readonly mode?: 'test' | 'live' | undefined
  /**
   * The trust domain of the endpoint's credentials. Events are identified by realm and id, so the secret of one realm
   * gives no power over the events of another. Endpoints that get the same events share a realm by its name; a realm
   * belongs to one source. Default: the source's name, with `mode: 'test'` the name and `:test`.
   */
  readonly realm?: string | undefined
  /**
   * How far the signed time may differ from our clock, in both directions: milliseconds, or a text such as `5m`
   * (default).
   */
  readonly tolerance?: number | string | undefined
  /**
   * How to treat a matching signature whose time cannot be read: `readable` (default) refuses the request, and the log
   * shows the time; `any` accepts it. Then only the event id distinguishes an old request from a new one: a replayed
   * request is a duplicate as long as the inbox keeps the event (`retention`). A readable time must be within
   * `tolerance` in either case.
   */
  readonly timestamps?: 'readable' | 'any' | undefined
  /** The largest body, in bytes. Default 1 MiB. */
  readonly bodyLimit?: number | undefined
  /**
   * Answers 503 if the event is not on disk this long after the head of its request arrived; also the time limit for
   * the body: milliseconds, or a text such as `2s`. Default `2500ms`; at most the time that the provider waits.
   */
  readonly ackTimeout?: number | string | undefined
  /**
   * How to treat a payload that does not match its schema. Default `flag`: accepts the event, logs each kind of
   * mismatch once, and counts it. `reject` answers 400 and quarantines, but never for a new enum value, another date
   * format, or a resource that is only inferred from the type.
   */
  readonly validate?: 'flag' | 'reject' | 'off' | undefined
  /** Registers the webhook of this endpoint with the provider, and watches it. */
  readonly register?: RegisterOptions | undefined
  /** Fetches missed events at intervals. */
  readonly backfill?: BackfillOptions | undefined
}

/** The token endpoint of an endpoint. Replicas with the same keys and clients accept each other's tokens. */
export interface TokenEndpointOptions {
  /** The path of the POST route. Default `/oauth/token`. */
  readonly path?: string | undefined
  /** The clients that may fetch a token. The tokens of a client that is removed are refused. */
  readonly clients: readonly TokenClient[]
  /**
   * The keys that sign the tokens, each of at least 32 characters. The first signs, all are valid. To rotate: add the
   * new key at the end, then put it first, then remove the old one after `lifetime`. Or a function that returns them:
   * called for each well-formed token; requests that arrive during a call share its result.
   */
  readonly keys:
    | string
    | readonly string[]
    | (() => string | readonly string[] | PromiseLike<string | readonly string[]>)
  /** How long a token is valid: milliseconds, or a text such as `15m` (default). */
  readonly lifetime?: number | string | undefined
}

/**
 * A client, in the fields of the registration. With `userName` and `password` it uses the grant `password`, without
 * them the grant `client_credentials`.
 */
export interface TokenClient {
  readonly clientID: string
  /** At least 16 characters. */
  readonly clientSecret: string
  readonly userName?: string | undefined
  readonly password?: string | undefined
}

/** How the endpoint is registered with the provider. */
export interface RegisterOptions {
  /** The public URL that the provider POSTs to. */
  readonly address: string
  /**
   * The confidential key. Default: what the source reads from the environment, from its own variable or the file that
   * NAME_FILE names.
   */
  readonly apiKey?: string | undefined
  /** Default: from the source's variable, otherwise the provider's default. */
  readonly apiUrl?: string | undefined
  /**
   * The environment of the endpoint's events; a key for the other environment causes a warning. Default: the endpoint's
   * `mode`.
   */
  readonly mode?: 'test' | 'live' | undefined
  /**
   * Event types to request in addition to those of the handlers, for example some that the catalogue does not know yet.
   * A pattern such as `order.*` stands for the known types that it covers.
   */
  readonly types?: readonly string[] | undefined
  /** `default`, or a dated version such as `2021-12-13`. Default: unchanged. */
  readonly apiVersion?: string | undefined
  /**
   * Where the provider fetches the callback's bearer token. Sets the transport to OAUTH. Default: the `tokenEndpoint`
   * at the host of `address`, with its first client.
   */
  readonly oauth?:
    | {
        readonly tokenEndPoint: string
        readonly clientID: string
        readonly clientSecret: string
        readonly userName?: string | undefined
        readonly password?: string | undefined
        readonly grantType?: string | undefined
      }
    | undefined
  /** Restores a webhook that was disabled, changed or deleted. Default: this is only logged. */
  readonly repair?: boolean | undefined
  /**
   * How often the webhook is checked: milliseconds, or a text such as `5m` (default); from `50ms` to `365d`. Each
   * interval is up to a tenth shorter, so that replicas do not call the API at the same time.
   */
  readonly every?: number | string | undefined
}

/** How missed events are fetched. */
export interface BackfillOptions {
  /**
   * The interval, shortened by up to a tenth. Default `15m`; from `50ms`, and together with `overlap` at most the `30d`
   * for which events are listed.
   */
  readonly every?: number | string | undefined
  /**
   * How much earlier each run begins than the last one ended: an event may be listed some time after it was created.
   * Default `1h`.
   */
  readonly overlap?: number | string | undefined
  /** Default: that of `register`, otherwise what the source reads from the environment. */
  readonly apiKey?: string | undefined
  /** Default: that of `register`, otherwise from the source's variable, otherwise the provider's default. */
  readonly apiUrl?: string | undefined
}

export interface BasicCredentials {
  readonly username: string
  readonly password: string
}

/** An endpoint with every setting filled in. Spans are in milliseconds. */
export type Endpoint = Omit<EndpointOptions, 'mode' | 'tolerance' | 'ackTimeout' | 'tokenEndpoint' | 'allow'> & {
  /** Addresses and ranges. */
  readonly allow?: readonly string[] | undefined
  readonly mode: 'test' | 'live' | undefined
  readonly tokenEndpoint?: (Filled<TokenEndpointOptions> & { readonly lifetime: number }) | undefined
  readonly tolerance: number
  readonly ackTimeout: number
} & Filled<Pick<EndpointOptions, 'path' | 'timestamps' | 'bodyLimit' | 'validate'>>
