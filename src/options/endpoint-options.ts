import type { Filled } from '../model/option-rules.ts'

/** One endpoint: a POST path with its own credentials. */
export interface EndpointOptions {
  /** The path of the POST route. Default: that of `endpointSettings`. */
  readonly path?: string | undefined
  /**
   * The signing secrets, all valid at once (two during a rotation; a list, not a text with commas), or a function
   * that gives them, so that they can be rotated without a restart. It is called for each request whose signature
   * header is there, well-formed and in time; requests that come while a call is under way share it.
   */
  readonly secrets?:
    | string
    | readonly string[]
    | (() => string | readonly string[] | PromiseLike<string | readonly string[]>)
    | undefined
  /** The user names and passwords that the callback may authenticate with. */
  readonly basicAuth?: BasicCredentials | readonly BasicCredentials[] | undefined
  /** The bearer tokens that the callback may carry, or a function that judges one. */
  readonly bearer?: string | readonly string[] | ((token: string) => boolean | Promise<boolean>) | undefined
  /**
   * Which events the endpoint is for: one whose `liveMode` says otherwise is answered 400 and quarantined, also one
   * that is fetched back or retried. Set it wherever test and live events meet in one inbox: without it, who has the
   * secret of the test webhook can send events that handlers take for live ones. Default: that of `register`, else
   * both are accepted.
   */
  readonly mode?: 'test' | 'live' | undefined
  /**
   * The trust domain of the endpoint's credentials. Events are identified by realm and id, so whoever has the secret of
   * one realm can do nothing to another's events. Endpoints that get the same events share a realm by its name; a realm
   * belongs to one source. Default: the source's name, with `mode: 'test'` the name and `:test`.
   */
  readonly realm?: string | undefined
  /**
   * How far the signed time may be from our clock, on both sides: milliseconds, or a text such as `5m` (default).
   */
  readonly tolerance?: number | string | undefined
  /**
   * What is done about a signature that matches and whose time cannot be read: `readable` (default) refuses it, and
   * the log shows the time; `any` accepts it. Nothing then tells an old request from a new one but its event id: a
   * replay is a duplicate while the inbox keeps the event (`retention`). A time that can be read is held to
   * `tolerance` in either case.
   */
  readonly timestamps?: 'readable' | 'any' | undefined
  /** The largest body, in bytes. Default 1 MiB. */
  readonly bodyLimit?: number | undefined
  /**
   * Answer 503 when the event is not on disk this long after the head of its request arrived; it is the deadline of a
   * slow body, too: milliseconds, or a text such as `2s`. Default `2500ms`; at most the time that the provider waits.
   */
  readonly ackTimeout?: number | string | undefined
  /**
   * What is done about a payload that is not as its schema says. Default `flag`: accepted, each kind logged once, and
   * counted. `reject` answers 400 and quarantines, but never over a new value of an enum, another format of a date,
   * or a resource that is only inferred from the type.
   */
  readonly validate?: 'flag' | 'reject' | 'off' | undefined
  /** Keeps the webhook of this endpoint at the provider as the handlers want it. */
  readonly register?: RegisterOptions | undefined
  /** Fetches back what was missed, now and then. */
  readonly backfill?: BackfillOptions | undefined
}

/** How the endpoint is registered with the provider. */
export interface RegisterOptions {
  /** The URL that the provider is to POST to, as it is reached from outside. */
  readonly address: string
  /**
   * The confidential key. Default: what the source reads from the environment, by the variable of its key or the file
   * that NAME_FILE names.
   */
  readonly apiKey?: string | undefined
  /** Default: by the source's variable, or the provider's own. */
  readonly apiUrl?: string | undefined
  /**
   * Which of the provider's environments the endpoint is for; a key of the other one is warned of. Default: the
   * endpoint's `mode`.
   */
  readonly mode?: 'test' | 'live' | undefined
  /**
   * Event types to ask for beside those that handlers name, for example some that the catalogue does not know yet. A
   * pattern such as `order.*` stands for the types that are known.
   */
  readonly types?: readonly string[] | undefined
  /** `default`, or a dated version such as `2021-12-13`. Default: left as it is. */
  readonly apiVersion?: string | undefined
  /** Where the provider fetches the callback's bearer token; it makes the transport OAUTH. */
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
  /** Puts the webhook right when it has been disabled, changed or deleted since. Default: it is only told. */
  readonly repair?: boolean | undefined
  /**
   * How often the webhook is looked at: milliseconds, or a text such as `5m` (default); from `50ms` to `365d`. Up to
   * a tenth sooner, so that replicas do not call the API together.
   */
  readonly every?: number | string | undefined
}

/** How missed events are fetched back. */
export interface BackfillOptions {
  /**
   * How often, up to a tenth sooner. Default `15m`; from `50ms`, and with `overlap` at most the `30d` for which
   * events are listed.
   */
  readonly every?: number | string | undefined
  /** How much of the time before is read again: an event may be listed some time after it was created. Default `1h`. */
  readonly overlap?: number | string | undefined
  /** Default: that of `register`, then what the source reads from the environment. */
  readonly apiKey?: string | undefined
  /** Default: that of `register`, then by the source's variable, or the provider's own. */
  readonly apiUrl?: string | undefined
}

export interface BasicCredentials {
  readonly username: string
  readonly password: string
}

/** An endpoint with every setting filled in; its spans are milliseconds. */
export type Endpoint = Omit<EndpointOptions, 'mode' | 'tolerance' | 'ackTimeout'> & {
  readonly mode: 'test' | 'live' | undefined
  readonly tolerance: number
  readonly ackTimeout: number
} & Filled<Pick<EndpointOptions, 'path' | 'timestamps' | 'bodyLimit' | 'validate'>>
