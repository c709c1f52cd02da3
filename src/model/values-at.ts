/** The most entries of a list that are looked at: a payload may have a million. */
const mostEntries = 20
/** The most values that are looked at in an event: lists in lists multiply. */
const mostSteps = 1_000

/** Fields of an object that lead to values, as a tree of the paths: most paths have their first fields in common. */
interface Branch {
  /** A path ends here. */
  isEnd: boolean
  readonly fields: [name: string, branch: Branch][]
}

/**
 * Returns a function that finds the texts and numbers at paths such as `data.object.id`, in the order of the paths. A
 * list on the way stands for its first entries, and an object at the end for its `id`. It looks at few values, whatever
 * the event holds.
 */
export function valuesAt(paths: readonly string[]): (event: unknown) => readonly unknown[] {
  const root: Branch = { isEnd: false, fields: [] }
  for (const path of paths) path.split('.').reduce(grow, root).isEnd = true
  return (event) => {
    const walk: Walk = { found: [], steps: mostSteps }
    visit(event, root, walk)
    return walk.found
  }
}

function grow(branch: Branch, name: string): Branch {
  const known = branch.fields.find(([field]) => field === name)
  if (known !== undefined) return known[1]
  const grown: Branch = { isEnd: false, fields: [] }
  branch.fields.push([name, grown])
  return grown
}

interface Walk {
  readonly found: unknown[]
  steps: number
}

function visit(value: unknown, branch: Branch, walk: Walk): void {
  if (walk.steps === 0) return
  walk.steps -= 1
  if (typeof value !== 'object' || value === null) {
    if (branch.isEnd && isPlain(value)) walk.found.push(value)
  } else if (Array.isArray(value)) {
    // A list in a list has no name: its nesting could be endless.
    for (const entry of value.slice(0, mostEntries) as readonly unknown[])
      if (!Array.isArray(entry)) visit(entry, branch, walk)
  } else {
    const id = branch.isEnd ? ownField(value, 'id') : undefined
    if (isPlain(id)) walk.found.push(id)
    for (const [name, next] of branch.fields) {
      const field = ownField(value, name)
      if (field !== undefined) visit(field, next, walk)
    }
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}

function ownField(value: object, name: string): unknown {
  const field = (value as Readonly<Record<string, unknown>>)[name]
  return field === undefined || !Object.hasOwn(value, name) ? undefined : field
}
