import type { EventMode } from '../model/event.ts'

/** The realm of an endpoint: the given one, otherwise its source's name, with `:test` for `mode: 'test'`. */
export function chooseRealm(
  { realm, mode }: { readonly realm?: string | undefined; readonly mode?: EventMode | undefined },
  source: string
): string {
  return realm ?? (mode === 'test' ? `${source}:test` : source)
}

/**
 * Finds realms with two sources: equal ids of two providers would count as one event.
 * @returns sentences that name the realm, the endpoints and their sources
 */
export function realmProblems(
  endpoints: readonly { readonly path: string; readonly realm: string; readonly source: string }[]
): readonly string[] {
  return endpoints.flatMap(({ path, realm, source }, index) => {
    const other = endpoints.slice(0, index).find((before) => before.realm === realm && before.source !== source)
    return other === undefined
      ? []
      : `The endpoints ${other.path} (source ${other.source}) and ${path} (source ${source}) have one realm, "${realm}". A realm belongs to one source: give one of them another "realm"`
  })
}
