import type { AnyEvent } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { ignoreRejection, isThenable } from '../model/not-begun.ts'
import { toResource, toSearchKeys, type SearchKeys } from '../model/search-keys.ts'
import { valuesAt } from '../model/values-at.ts'
import { visible } from '../model/visible.ts'
import type { Source } from '../source/source.ts'

/** Lists the values that a source finds in an event, the most important first. */
type SourceValues = (event: AnyEvent) => readonly unknown[]

/**
 * Returns a function that finds the search keys of an event: first those at the paths of the option `search.keys`, then
 * those of the source. The first one of the source is the resource.
 */
export function keyReader(ofSource: SourceValues, paths: readonly string[]): (event: AnyEvent) => SearchKeys {
  const ofPaths = paths.length === 0 ? undefined : valuesAt(paths)
  return (event) => {
    const values = ofSource(event)
    const all = ofPaths === undefined ? values : [...ofPaths(event), ...values]
    return { about: toSearchKeys(all), resource: toResource(values) }
  }
}

/**
 * Returns `keysOf` of a source as a function that never throws. If it fails, it logs that, because an event must not be
 * lost for it. The log holds no text of that error, which may hold a key.
 */
export function sourceKeys(source: Pick<Source, 'name' | 'keysOf'>, log: Pick<Log, 'error'>): SourceValues {
  return (event) => {
    let what: string
    try {
      const keys: unknown = source.keysOf?.(event) ?? []
      if (Array.isArray(keys)) return keys as readonly unknown[]
      ignoreRejection(keys)
      what = `returned ${isThenable(keys) ? 'a promise' : 'something else'} instead of a list`
    } catch (error) {
      what = `threw ${error instanceof Error ? error.name : 'a value that is no Error'}`
    }
    log.error(
      { source: source.name, event_id: visible(event.id), reason: what },
      'keysOf of the source failed; this event has none of its search keys'
    )
    return []
  }
}
