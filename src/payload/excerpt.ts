/**
 * Limits of an excerpt, so that the time to find all mismatches does not grow with the body. Most payloads stay below
 * all of them.
 */
const mostNodes = 3_000
const mostItems = 200
const deepest = 100
const longestKey = 256

export interface Excerpt {
  readonly value: unknown
  /** JSON pointers of the lists and objects that were shortened. */
  readonly cuts: ReadonlySet<string>
  /** JSON pointers of those, and of everything that contains them. */
  readonly around: ReadonlySet<string>
}

interface Copied {
  readonly from: object
  readonly to: unknown[] | Record<string, unknown>
  readonly pointer: string
  readonly depth: number
}

/**
 * Copies a payload, limited in size and depth. Of a long list it copies the first items; of a large map, the first keys
 * and all that the schema names. It works level by level, so that the deepest values are left out first.
 */
export function makeExcerpt(value: unknown, fields: ReadonlySet<string>): Excerpt {
  const cuts = new Set<string>()
  let nodes = 0
  const queue: Copied[] = []
  const copy = (from: unknown, pointer: string, depth: number): unknown => {
    nodes += 1
    if (typeof from !== 'object' || from === null) return from
    const to: Copied['to'] = Array.isArray(from) ? [] : {}
    if (depth > deepest) cuts.add(pointer)
    else queue.push({ from, to, pointer, depth })
    return to
  }
  const root = copy(value, '', 0)
  // The queue grows during this loop.
  for (const { from, to, pointer, depth } of queue) {
    let others = 0
    for (const key of Object.keys(from)) {
      const isNamed = !Array.isArray(from) && fields.has(key)
      if (
        nodes >= mostNodes ||
        key === '__proto__' ||
        (!isNamed && (key.length > longestKey || (others += 1) > mostItems))
      ) {
        cuts.add(pointer)
        if (Array.isArray(from)) break
        continue
      }
      const child = copy(
        (from as Record<string, unknown>)[key],
        `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        depth + 1
      )
      if (Array.isArray(to)) to.push(child)
      else to[key] = child
    }
  }
  return { value: cuts.size === 0 ? value : root, cuts, around: withAncestors(cuts) }
}

function withAncestors(pointers: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set<string>()
  for (const pointer of pointers) {
    for (let at = pointer; !all.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) all.add(at)
  }
  return all
}
