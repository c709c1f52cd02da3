/** Whom events are for: a registry, or the handlers that an inbox knows of. */
export interface Interest {
  /** Who wants this event type. */
  for(type: string): readonly unknown[]
  readonly all: readonly { readonly pattern: string }[]
}

/** The event types that a provider has, as far as is known. */
export interface KnownTypes {
  readonly types: readonly string[]
  /** Still listed, but no longer sent: asked for only where a handler names one. */
  readonly withdrawnTypes?: readonly string[] | undefined
}

export interface WantedTypes {
  /** Sorted. */
  readonly types: readonly string[]
  /**
   * Patterns, of handlers or asked for besides, that cover no type that is known: a spelling mistake, or a type newer
   * than the catalogue.
   */
  readonly unknown: readonly string[]
}

/**
 * The event types that the handlers ask for, and those in `extra`: patterns of both are expanded through the
 * catalogue, as a registration takes names alone. A type that only a handler names, and nobody knows, is left out
 * unless it is `accepted` already: the provider would refuse the whole registration because of one spelling mistake.
 */
export function wantedTypes(
  interest: Interest,
  known: KnownTypes,
  extra: readonly string[] = [],
  accepted: readonly string[] = []
): WantedTypes {
  const { types, withdrawnTypes = [] } = known
  const exact = interest.all.map(({ pattern }) => pattern).filter((pattern) => !pattern.endsWith('*'))
  const named = extra.filter((type) => !type.includes('*'))
  const grouped = extra.filter((type) => type.includes('*'))
  const believed = new Set([...types, ...withdrawnTypes, ...named, ...accepted])
  const wanted = [
    ...types.filter((type) => interest.for(type).length > 0 || grouped.some((pattern) => covers(pattern, type))),
    ...exact.filter((type) => believed.has(type)),
    ...named
  ]
  const covered = new Set(wanted)
  const unknown = [...interest.all.map(({ pattern }) => pattern), ...grouped].filter(
    (pattern) => ![...covered].some((type) => covers(pattern, type))
  )
  return { types: [...covered].sort(), unknown: [...new Set(unknown)] }
}

function covers(pattern: string, type: string): boolean {
  return pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
}
