import { isOneType, matches } from '../../model/pattern.ts'
import type { RegistrationRules } from '../../source/source.ts'

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
  readonly registration?: Pick<RegistrationRules, 'requestedType' | 'everyType'> | undefined
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
  const { types, withdrawnTypes = [], registration = {} } = known
  if (registration.requestedType !== undefined || types.length === 0)
    return namedTypes([...interest.all.map(({ pattern }) => pattern), ...extra], registration)
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

/** For a provider that names its types otherwise, or whose types are not known: nothing can be expanded. */
function namedTypes(
  patterns: readonly string[],
  { requestedType, everyType }: NonNullable<KnownTypes['registration']>
): WantedTypes {
  const nameOf = (pattern: string): string | undefined => {
    if (pattern === '*') return everyType
    if (requestedType !== undefined) return requestedType(pattern)
    return isOneType(pattern) ? pattern : everyType
  }
  const wanted = new Set(patterns.flatMap((pattern) => nameOf(pattern) ?? []))
  const unknown = patterns.filter((pattern) => nameOf(pattern) === undefined)
  const isEvery = everyType !== undefined && wanted.has(everyType)
  return { types: isEvery ? [everyType] : [...wanted].sort(), unknown: [...new Set(unknown)] }
}
