import { useLocation } from 'preact-iso/router'
import { useMemo } from 'preact/hooks'

// Frozen, because the server gives a path relative to the first address, and other code reads it after a navigation.
const baseElement = document.querySelector('base')
if (baseElement !== null) baseElement.href = document.baseURI

/** The path under which the page is mounted, with a slash at its end. */
export const base = new URL(document.baseURI).pathname

export type Query = Readonly<Record<string, string | undefined>>

/** Kept in every address, so that a copied one shows the same times. */
const kept = 'tz'

/** Makes the address of a view, relative to the base. Leaves out what is undefined or empty. */
export function link(segments: readonly string[], query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') params.set(name, value)
  const zone = new URLSearchParams(location.search).get(kept)
  if (zone !== null && !params.has(kept)) params.set(kept, zone)
  const search = params.toString()
  return segments.map(encodeURIComponent).join('/') + (search === '' ? '' : `?${search}`)
}

export interface Place {
  /** The parts of the path below the base, decoded. */
  readonly segments: readonly string[]
  readonly query: Query
  /** Goes to another view. `replace`: without a step in the history. */
  readonly go: (to: string, replace?: boolean) => void
  /** The same view with some parameters changed. */
  readonly with: (changes: Query) => string
}

/** Where the browser is. */
export function usePlace(): Place {
  const { url, route } = useLocation()
  return useMemo(() => {
    const { pathname, searchParams } = new URL(url, location.origin)
    const segments = pathname.slice(base.length).split('/').filter(Boolean).map(decode)
    const query = Object.fromEntries(searchParams)
    return {
      segments,
      query,
      go: (to, replace) => {
        route(base + to, replace)
      },
      with: (changes) => link(segments, { ...query, ...changes })
    }
  }, [url])
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
