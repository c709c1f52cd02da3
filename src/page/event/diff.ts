import { entriesOf, isBranch, shortText } from './json.ts'

/** A place where two payloads differ. `before` is missing if it is new, `after` if it is gone. */
export interface Difference {
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** More differences than a person reads. */
const most = 500

/** The places where two payloads differ, in the order of the second. */
export function differences(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = []
  compare(before, after, '', found)
  return found
}

function compare(before: unknown, after: unknown, path: string, found: Difference[]): void {
  if (found.length >= most) return
  if (isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after)) {
    const isList = Array.isArray(after)
    const old = new Map(entriesOf(before))
    const now = new Map(entriesOf(after))
    for (const key of new Set([...now.keys(), ...old.keys()])) {
      const place = isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
      if (!old.has(key)) add({ path: place, before: undefined, after: shortText(now.get(key)) }, found)
      else if (!now.has(key)) add({ path: place, before: shortText(old.get(key)), after: undefined }, found)
      else compare(old.get(key), now.get(key), place, found)
    }
    return
  }
  const [old, now] = [shortText(before), shortText(after)]
  if (old !== now) add({ path, before: old, after: now }, found)
}

function add(difference: Difference, found: Difference[]): void {
  if (found.length < most) found.push(difference)
}
