import type { AnyEvent, KeptHeaders } from '../../model/event.ts'
import type { SignInput, Source } from '../source.ts'

/** A provider that signs its requests with an HMAC, described as data. See `hmacSource`. */
export interface HmacSourceOptions<E extends AnyEvent = HmacEvent> extends PassedOn {
  /** Stored with every event, and used in logs: for example `payments`. */
  readonly name: string

  /**
   * The header that holds the signature, such as `X-Hub-Signature-256`. Several names: it is in any of them, as with
   * providers that send a second one while the secret is changed.
   */
  readonly header: string | readonly string[]
  /** Default: `sha256`. */
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
   * For a header of fields such as `t=1492774577,v1=5257a8...`: the field that holds a signature (there may be several
   * of that name), and the one that holds the time. Other fields are ignored.
   */
  readonly fields?: { readonly signature: string; readonly timestamp?: string | undefined } | undefined
  /** The header that holds the time. It must be signed: `signed` has `{timestamp}`. */
  readonly timestampHeader?: string | undefined
  /** How the time is written. Default: `seconds` since 1970. */
  readonly timestampFormat?: HmacTimestampFormat | undefined
  /**
   * The signed text, with the placeholders `{body}` (the exact bytes), `{timestamp}` (as it was sent) and `{id}` (the
   * header of `id`). Default: `{body}`.
   */
  readonly signed?: string | undefined
  /** How the secret becomes the key. Default: the bytes of its text, `{ encoding: 'utf8' }`. */
  readonly key?: HmacKeyOptions | undefined
  /**
   * The default of an endpoint's `tolerance`: how far the signed time may be from this machine's clock. Milliseconds,
   * or a text such as `5m` (default). Only where a time is signed.
   */
  readonly tolerance?: number | string | undefined

  /**
   * Where the id of the event is: it must be the same on every retry. `digest`: the SHA-256 of the body, for a
   * provider that signs no id, or sends none.
   */
  readonly id: Place | 'digest'
  /** Where the type of the event is. */
  readonly type: Place
  /** Where the time of the event is. A number is seconds, or milliseconds from 10^11 on; it is stored as ISO 8601. */
  readonly createdTime?: Place | undefined
  /** Where the event says that it is of the live environment: a boolean. */
  readonly liveMode?: { readonly field: string } | undefined
  /** The field of a form that holds the JSON, for a provider that may also send `application/x-www-form-urlencoded`. */
  readonly form?: string | undefined
  /**
   * Makes the event that handlers are given. Default: the body itself where the id is its field `id` and the type its
   * field `type`; else `{ id, type, createdTime, liveMode, payload }`, where `payload` is the body.
   */
  readonly event?: ((body: JsonObject, found: FoundEvent) => E) | undefined

  /** For `sign`: further headers that the provider sends. `type` is undefined where the caller gives none. */
  readonly sentHeaders?: ((input: SignInput & { readonly id: string }) => Record<string, string>) | undefined
}

/** Members of the source that are passed on as they are. */
type PassedOn = Partial<
  Pick<
    Source,
    | 'types'
    | 'withdrawnTypes'
    | 'inferredTypes'
    | 'schemaOf'
    | 'payloadPath'
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
    | 'api'
  >
>

export const algorithms = ['sha1', 'sha256', 'sha384', 'sha512'] as const
export type HmacAlgorithm = (typeof algorithms)[number]
export const encodings = ['hex', 'base64', 'base64url'] as const
export type HmacEncoding = (typeof encodings)[number]
export const keyEncodings = ['utf8', 'hex', 'base64'] as const
export const timestampFormats = ['seconds', 'milliseconds', 'iso'] as const
export type HmacTimestampFormat = (typeof timestampFormats)[number]

export interface HmacKeyOptions {
  readonly encoding: (typeof keyEncodings)[number]
  /** Stands before the encoded key, such as `whsec_`, and is no part of it. A secret without it is accepted, too. */
  readonly prefix?: string | undefined
}

/**
 * Where a value is: in a header, in a field of the body (a path such as `data.id`), or what a function makes of the
 * body and the headers of `keep`. Undefined: it is not there.
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

/** The event of a source that does not say more. */
export interface HmacEvent extends AnyEvent {
  readonly payload: JsonObject
}
