import type { CustomEventType } from '../../model/event.ts'
import type { catalogue } from './catalogue.ts'
import type { Resources } from './resources/index.ts'

type Catalogue = typeof catalogue

/**
 * The type of `data.object` for each event type of Digital River: a resource, all of whose fields may be missing after
 * a deletion.
 */
export type DigitalRiverPayloads = {
  readonly [Type in keyof Catalogue]: Catalogue[Type] extends { readonly resource: infer Name extends keyof Resources }
    ? Catalogue[Type] extends { readonly mayBeEmpty: true }
      ? Partial<Resources[Name]>
      : Resources[Name]
    : Record<string, unknown>
}

/** The event types of the catalogue. Events of other types may arrive. */
export type KnownEventType = Extract<keyof DigitalRiverPayloads, string>

/** The type of `data.object` of an event type. */
export type PayloadOf<Type extends string> = Type extends KnownEventType
  ? DigitalRiverPayloads[Type]
  : Record<string, unknown>

/**
 * The changed attributes of a resource, with their former values; null for an attribute that did not exist. The same
 * applies to nested objects: one sample has `stateTransitions: { activated: null }`. A list has its whole former value.
 */
export type PreviousAttributes<Resource> = {
  readonly [Attribute in keyof Resource]?: PreviousValue<Resource[Attribute]> | null
}

type PreviousValue<Value> = Value extends string | readonly unknown[]
  ? Value
  : Value extends object
    ? PreviousAttributes<Value>
    : Value

/**
 * An event of Digital River: one thing that happened. Every retry has the same `id`.
 *
 * @typeParam Type the literal event type if it is known, otherwise `string`
 * @typeParam Resource the shape of `data.object`
 */
export interface Event<Type extends string = string, Resource = PayloadOf<Type>> {
  /** Opaque and non-empty: a UUID in every known sample, but its format may change without notice. */
  readonly id: string
  /** Dot-separated, for example `order.accepted`. The set is open. */
  readonly type: Type
  readonly data: {
    /** Usually the resource that changed; possibly empty, possibly without an `id`. */
    readonly object: Resource
    /** Attributes that changed, with their former values. */
    readonly previousAttributes?: PreviousAttributes<Resource>
  }
  /** False in the provider's test environment. */
  readonly liveMode: boolean
  /** An ISO 8601 instant in UTC, with any number of fraction digits or none. */
  readonly createdTime: string
  /** The API version of the payload, for example `2021-12-13`. */
  readonly digitalriverVersion?: string
  /** Another spelling of `digitalriverVersion` by the provider. */
  readonly digitalRiverVersion?: string
  /** The webhooks that the event was sent to. */
  readonly webhookIds?: readonly string[]
  /** Required by the provider's OpenAPI document, which does not explain it. Not in any sample. */
  readonly pendingWebhooks?: unknown
}

/** Every event that Digital River may send: one member for each known type, and one for all other types. */
export type DigitalRiverEvent = { [Type in KnownEventType]: Event<Type> }[KnownEventType] | Event<CustomEventType>
