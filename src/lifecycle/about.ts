import type { AnyEvent } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { ignoreRejection, isThenable } from '../model/not-begun.ts'
import { toSearchKeys } from '../model/search-keys.ts'
import { valuesAt } from '../model/values-at.ts'
import { visible } from '../model/visible.ts'
import type { Source } from '../source/source.ts'

/** Lists the keys that a source finds in an event. */
type SourceKeys = (event: AnyEvent) => readonly unknown[]

/**
 * Returns a function that lists the search keys of an event: first those at the paths of the option `search.keys`, then
 * those of the source.
 */
export function keyReader(ofSource: SourceKeys, paths: readonly string[]): (event: AnyEvent) => readonly string[] {
  const ofPaths = valuesAt(paths)
  return (event) => toSearchKeys([...ofPaths(event), ...ofSource(event)])
}

/** Finds the search key of the resource that an event is about: the most important key of its source. */
export function resourceKeyOf(ofSource: SourceKeys, event: AnyEvent): string | undefined {
  for (const key of ofSource(event)) {
    const [first] = toSearchKeys([key])
    if (first !== undefined) return first
  }
  return undefined
}

/**
 * Returns `keysOf` of a source as a function that never throws. If it fails, it logs that, because an event must not be
 * lost for it. The log holds no text of that error, which may hold a key.
 */
export function sourceKeys(source: Pick<Source, 'name' | 'keysOf'>, log: Pick<Log, 'error'>): SourceKeys {
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
