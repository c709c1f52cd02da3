import { RiverhookError } from '../model/errors.ts'
import type { EventMode } from '../model/event.ts'

/** The realm of an endpoint: the given one, otherwise its source's name, with `:test` for `mode: 'test'`. */
export function chooseRealm(
  { realm, mode }: { readonly realm?: string | undefined; readonly mode?: EventMode | undefined },
  source: string
): string {
  return realm ?? (mode === 'test' ? `${source}:test` : source)
}

/**
 * Refuses a realm with two sources: equal ids of two providers would count as one event.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID that names the realm, the endpoints and their sources
 */
export function checkRealms(
  endpoints: readonly { readonly path: string; readonly realm: string; readonly source: string }[]
): void {
  for (const [index, { path, realm, source }] of endpoints.entries()) {
    const other = endpoints.slice(0, index).find((before) => before.realm === realm && before.source !== source)
    if (other === undefined) continue
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The endpoints ${other.path} (source ${other.source}) and ${path} (source ${source}) have one realm, "${realm}". A realm belongs to one source: give one of them another "realm"`
    )
  }
}
