import type { AnyEvent, KeptHeaders } from '../../model/event.ts'
import type { SampleInput, SignInput, Source } from '../source.ts'

/** Describes, as data, a provider that signs its requests with an HMAC. See `hmacSource`. */
export interface HmacSourceOptions<E extends AnyEvent = HmacEvent> extends PassedOn {
  /** Stored with every event, and used in logs: for example `payments`. */
  readonly name: string

  /**
   * The header with the signature, such as `X-Hub-Signature-256`. With several names, any of them may have it: some
   * providers send a second header during a rotation of the secret.
   */
  readonly header: string | readonly string[]
  /** The hash function of the HMAC. Default: `sha256`. */
  readonly algorithm?: HmacAlgorithm | undefined
  /** How the signature is written. Default: `hex`, in upper or lower case. */
  readonly encoding?: HmacEncoding | undefined
  /** The prefix of a signature, such as `sha256=`. A signature without it is ignored. */
  readonly prefix?: string | undefined
  /**
   * The separator of the signatures, or of the fields, of a header. Default: `,` with `fields`; otherwise one
   * signature.
   */
  readonly separator?: string | undefined
  /**
   * For a header of fields such as `t=1492774577,v1=5257a8...`: the name of the field with a signature (there may be
   * several of them), and of the one with the time. Other fields are ignored.
   */
  readonly fields?: { readonly signature: string; readonly timestamp?: string | undefined } | undefined
  /** The header with the time. It must be signed: `signed` contains `{timestamp}`. */
  readonly timestampHeader?: string | undefined
  /** The format of the time. Default: `seconds` since 1970. */
  readonly timestampFormat?: HmacTimestampFormat | undefined
  /**
   * The signed text, with the placeholders `{body}` (the exact bytes), `{timestamp}` (as it was sent) and `{id}` (the
   * header of `id`). Default: `{body}`.
   */
  readonly signed?: string | undefined
  /** How the secret becomes the key. Default: the bytes of its text, `{ encoding: 'utf8' }`. */
  readonly key?: HmacKeyOptions | undefined
  /**
   * The default of an endpoint's `tolerance`: how far the signed time may differ from this machine's clock.
   * Milliseconds, or a text such as `5m` (default). Only if a time is signed.
   */
  readonly tolerance?: number | string | undefined

  /**
   * Where to find the id of the event, which must be the same on every retry. `digest`: the SHA-256 of the body, for a
   * provider that sends or signs no id.
   */
  readonly id: Place | 'digest'
  /** Where to find the type of the event. */
  readonly type: Place
  /**
   * Where to find the time of the event. A number is seconds, or milliseconds from 10^11 on; it is stored as ISO 8601.
   */
  readonly createdTime?: Place | undefined
  /** Where to find whether the event is from the live environment: a boolean. */
  readonly liveMode?: { readonly field: string } | undefined
  /** The form field with the JSON, for a provider that may also send `application/x-www-form-urlencoded`. */
  readonly form?: string | undefined
  /**
   * Makes the event for the handlers. Default: the body itself if its fields `id` and `type` are the id and the type;
   * otherwise `{ id, type, createdTime, liveMode, payload }`, where `payload` is the body.
   */
  readonly event?: ((body: JsonObject, found: FoundEvent) => E) | undefined
  /**
   * Where an event holds its payload, such as `['data', 'object']`; `[]` for the event itself. If given, every event
   * must have an object there. Default: `['payload']` if the default of `event` has a `payload`; otherwise
   * `['data', 'object']`, not required.
   */
  readonly payloadPath?: Source['payloadPath']
  /**
   * Where an event, as handlers see it, has the ids that it is about, by which people find it: paths such as
   * `payload.order.id`, the most important ones first. A list on the way stands for its entries, an object at the end
   * for its `id`. Default: none.
   */
  readonly keys?: readonly string[] | undefined

  /** For `sign`: further headers that the provider sends. `type` is undefined if the caller passes none. */
  readonly sentHeaders?: ((input: SignInput & { readonly id: string }) => Record<string, string>) | undefined
  /**
   * For `sample`: the fields that every body of the provider has. Those of `id`, `type`, `createdTime` and `liveMode`
   * are added where they are missing. Default: only those. With `split`: the whole body, with one event.
   */
  readonly sample?: ((input: SampleInput) => object) | undefined
}

/** Members of the source that are passed on unchanged. */
type PassedOn = OrUndefined<
  Pick<
    Source,
    | 'types'
    | 'withdrawnTypes'
    | 'inferredTypes'
    | 'schemaOf'
    | 'keysOf'
    | 'redact'
    | 'keep'
    | 'mediaTypes'
    | 'methods'
    | 'greet'
    | 'split'
    | 'answer'
    | 'signatureHeaders'
    | 'secretSteps'
    | 'limits'
    | 'requestOf'
    | 'registration'
    | 'api'
  >
>

type OrUndefined<Members> = { readonly [Name in keyof Members]?: Members[Name] | undefined }

export const algorithms = ['sha1', 'sha256', 'sha384', 'sha512'] as const
export type HmacAlgorithm = (typeof algorithms)[number]
export const encodings = ['hex', 'base64', 'base64url'] as const
export type HmacEncoding = (typeof encodings)[number]
export const keyEncodings = ['utf8', 'hex', 'base64'] as const
export const timestampFormats = ['seconds', 'milliseconds', 'iso'] as const
export type HmacTimestampFormat = (typeof timestampFormats)[number]

export interface HmacKeyOptions {
  /** `utf8`: the text is the key. Otherwise the text is the encoded key. */
  readonly encoding: (typeof keyEncodings)[number]
  /** The prefix of the encoded key, such as `whsec_`. A secret without it is accepted too. */
  readonly prefix?: string | undefined
}

/**
 * The place of a value: a header, a field of the body (a path such as `data.id`), or a function of the body and the
 * headers of `keep`. Undefined: the value is missing.
 */
export type Place =
  | { readonly header: string }
  | { readonly field: string }
  | ((body: JsonObject, headers: KeptHeaders) => string | undefined)

export type JsonObject = Readonly<Record<string, unknown>>

/** The parts that were found in a request. */
export interface FoundEvent {
  readonly id: string
  readonly type: string
  readonly createdTime?: string
  readonly liveMode?: boolean
  /** The headers of `keep`. */
  readonly headers: KeptHeaders
}

/** The default event of a source. */
export interface HmacEvent extends AnyEvent {
  readonly payload: JsonObject
}
