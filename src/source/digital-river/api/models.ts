import { Type, type Static, type TSchema } from 'typebox'

/**
 * The objects of the webhooks and events API. Types and JSON Schemas have one definition. Requests are checked
 * strictly: a wrong one is refused with a better message than the provider's. Answers are read leniently
 * (`read-webhook.ts`): new fields and values may appear at any time. A `description` completes the sentence "must be
 * ...".
 */

/** The value of a schema, read-only: arguments are never changed. */
type Fixed<Value> = Value extends readonly (infer Item)[]
  ? readonly Fixed<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Fixed<Value[Name]> }
    : Value
type ValueOf<Schema extends TSchema> = Fixed<Static<Schema>>

const text = Type.String({ minLength: 1 })
const strict = { additionalProperties: false } as const
/** No pattern: the provider's document has none here, so it would be read as a name. */
const eventName = Type.String({ pattern: '^[^*]+$', description: 'the name of an event type, not a pattern' })
const address = Type.String({ pattern: '^https?://[^\\s/]+', description: 'an http or https URL' })

/**
 * A date such as `2021-12-13`, or `default`: the version of the account. One document of the provider has `latest`,
 * too.
 */
const apiVersion = Type.String({
  pattern: '^(default|latest|\\d{4}-\\d{2}-\\d{2})$',
  description: 'default, latest or a date such as 2021-12-13'
})

/** The credentials that are sent as basic authentication with each callback. */
const webhookAuthentication = Type.Object({ username: text, password: text }, strict)
export type WebhookAuthentication = ValueOf<typeof webhookAuthentication>

/**
 * Where the provider fetches the bearer token of the callback. The spelling (`tokenEndPoint`, `clientID`, `userName`)
 * is the provider's. Only the dashboard offers the grant type `client_credentials`; the official SDK has only
 * `password`.
 */
const webhookOauth = Type.Object(
  {
    tokenEndPoint: address,
    clientID: text,
    clientSecret: text,
    userName: Type.Optional(text),
    password: Type.Optional(text),
    grantType: Type.Optional(text)
  },
  strict
)
export type WebhookOauth = ValueOf<typeof webhookOauth>

/**
 * The body of `POST /webhooks`. The provider's documentation requires `types`; without any, nothing would be sent.
 */
export const webhookRequest = Type.Object(
  {
    address,
    types: Type.Array(eventName, { minItems: 1, uniqueItems: true }),
    enabled: Type.Optional(Type.Boolean()),
    apiVersion: Type.Optional(apiVersion),
    transportType: Type.Optional(Type.Enum(['HTTP', 'OAUTH'], { description: 'HTTP or OAUTH' })),
    authentication: Type.Optional(webhookAuthentication),
    oauth: Type.Optional(webhookOauth)
  },
  strict
)
export type WebhookRequest = ValueOf<typeof webhookRequest>

/** The body of `PATCH /webhooks/{id}`: only the changed fields, at least one. */
export const webhookChanges = Type.Partial(webhookRequest, { ...strict, minProperties: 1 })
export type WebhookChanges = ValueOf<typeof webhookChanges>

// A comma would split a type in two if the list is sent comma-separated.
const listedType = Type.String({ pattern: '^[^\\s,]+$', description: 'an event type without white space or comma' })

/**
 * Which webhooks to list: all, those with `type` (may contain `*`), or those with one of `types` (at most 20).
 */
export const webhooksFilter = Type.Object(
  {
    type: Type.Optional(listedType),
    types: Type.Optional(Type.Array(listedType, { minItems: 1, maxItems: 20, uniqueItems: true }))
  },
  strict
)
export type WebhooksFilter = ValueOf<typeof webhooksFilter>

const instant = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$',
  description: 'a valid Date, or an ISO 8601 instant in UTC such as 2026-01-31T12:00:00Z'
})

/**
 * The query of `GET /events`; instants are text. `types` has fewer than 20 entries, one less than for webhooks.
 */
export const eventsQuery = Type.Object(
  {
    createdTime: Type.Optional(instant),
    'createdTime[gt]': Type.Optional(instant),
    'createdTime[gte]': Type.Optional(instant),
    'createdTime[lt]': Type.Optional(instant),
    'createdTime[lte]': Type.Optional(instant),
    type: Type.Optional(listedType),
    types: Type.Optional(Type.Array(listedType, { minItems: 1, maxItems: 19, uniqueItems: true })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    startingAfter: Type.Optional(text),
    endingBefore: Type.Optional(text)
  },
  strict
)
export type EventsQuery = ValueOf<typeof eventsQuery>

/** A webhook, whichever spelling the provider used. Contains secrets in clear: never log one. */
export interface Webhook {
  readonly id: string
  /** Empty if the provider shows none. */
  readonly address: string
  /** In the provider's order, which may differ from that of the request. */
  readonly types: readonly string[]
  readonly enabled: boolean
  readonly apiVersion?: string
  readonly transportType?: 'HTTP' | 'OAUTH'
  readonly authentication?: { readonly username?: string; readonly password?: string }
  /** A required field that the provider does not show is empty. */
  readonly oauth?: WebhookOauth
  readonly createdTime?: string
  readonly updatedTime?: string
  /** Seen in one example of the provider only. */
  readonly liveMode?: boolean
}

/** An event as the API lists it. Not validated, so that no event is lost because of an unimportant field. */
export type ListedEvent = Readonly<Record<string, unknown>>
