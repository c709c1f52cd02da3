import { isOneType, matches } from '../../model/pattern.ts'
/** The handlers that want events: a registry, or the list that an inbox keeps. */
export interface Interest {
  /** The handlers of this event type. */
  for(type: string): readonly unknown[]
  readonly all: readonly { readonly pattern: string }[]
}

/** The known event types of a provider. */
export interface KnownTypes {
  readonly types: readonly string[]
  /** Still listed, but no longer sent: requested only if a handler names one. */
  readonly withdrawnTypes?: readonly string[] | undefined
}

export interface WantedTypes {
  /** Sorted. */
  readonly types: readonly string[]
  /**
   * Patterns, of handlers or of `extra`, that match no known type: a spelling mistake, or a type newer than the
   * catalogue.
   */
  readonly unknown: readonly string[]
}

/**
 * The event types of the handlers, and those in `extra`. Patterns are expanded to known types, because a webhook takes
 * only names. An unknown type that only a handler names is left out, unless the provider has `accepted` it before: one
 * spelling mistake would make the provider refuse the whole webhook.
 */
export function wantedTypes(
  interest: Interest,
  known: KnownTypes,
  extra: readonly string[] = [],
  accepted: readonly string[] = []
): WantedTypes {
  const { types, withdrawnTypes = [] } = known
  const exact = interest.all.map(({ pattern }) => pattern).filter(isOneType)
  const named = extra.filter(isOneType)
  const grouped = extra.filter((type) => !isOneType(type))
  const believed = new Set([...types, ...withdrawnTypes, ...named, ...accepted])
  const wanted = [
    ...types.filter((type) => interest.for(type).length > 0 || grouped.some((pattern) => matches(pattern, type))),
    ...exact.filter((type) => believed.has(type)),
    ...named
  ]
  const covered = new Set(wanted)
  const unknown = [...interest.all.map(({ pattern }) => pattern), ...grouped].filter(
    (pattern) => ![...covered].some((type) => matches(pattern, type))
  )
  return { types: [...covered].sort(), unknown: [...new Set(unknown)] }
}
