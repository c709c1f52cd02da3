/** A place in the tree of all paths, which have their first steps in common. */
interface Place {
  /** By the name of the next field, in lower case; `*` and `**` are names, too. */
  readonly named: Map<string, Place>
  /** Those with a `*` in their name, such as `billing*`. */
  readonly patterns: (readonly [isName: (name: string) => boolean, place: Place])[]
  /** Finds a part of each of these, so that most names are compared with all of them at once. */
  part: RegExp | undefined
  /** The step that led here was `**`: any field leads here again. */
  readonly isDeep: boolean
  /** A path ends here. */
  isEnd: boolean
}

/** The places in the tree to which a field of an event leads. */
type Places = readonly Place[]

/** Where a value of an event is: at these places, or at or below the end of a path. */
export type Where = Places | 'end'

/** The most names whose places are kept: senders choose the names of fields. */
export const mostKept = 2_000
/** In characters. */
const longestKept = 100

/** Paths of fields, such as `data.**.email`. See `Redaction`. */
export class FieldPaths {
  readonly #root = makePlace(false)
  readonly #first: Where
  /** The places after each field, by the places before it: names repeat, and each is compared with many patterns. */
  #kept = new Map<Places, Map<string, Where>>()
  #keptNames = 0

  constructor(paths: readonly string[]) {
    for (const path of paths) path.toLowerCase().split('.').reduce(grow, this.#root).isEnd = true
    this.#first = whereOf(reach([], this.#root))
  }

  /** How many names are kept with their places. */
  get keptNames(): number {
    return this.#keptNames
  }

  /** The places before the first field. */
  begin(): Where {
    return this.#first
  }

  /** The places after a field. */
  next(where: Where, name: string): Where {
    if (where === 'end') return where
    const found = this.#kept.get(where)?.get(name)
    if (found !== undefined) return found
    const next = findNext(where, name.toLowerCase())
    if (name.length <= longestKept) this.#keep(where, name, next)
    return next
  }

  #keep(places: Places, name: string, next: Where): void {
    if (this.#keptNames >= mostKept) {
      this.#kept = new Map()
      this.#keptNames = 0
    }
    const names = this.#kept.get(places) ?? new Map<string, Where>()
    this.#kept.set(places, names.set(name, next))
    this.#keptNames += 1
  }
}

function whereOf(places: Places): Where {
  return places.some((place) => place.isEnd) ? 'end' : places
}

function makePlace(isDeep: boolean): Place {
  return { named: new Map(), patterns: [], part: undefined, isDeep, isEnd: false }
}

function grow(place: Place, name: string): Place {
  const known = place.named.get(name)
  if (known !== undefined) return known
  const grown = makePlace(name === '**')
  place.named.set(name, grown)
  if (name.includes('*') && !/^\*+$/.test(name)) {
    place.patterns.push([patternOf(name), grown])
    const parts = [...(place.part === undefined ? [] : [place.part.source]), partOf(name)]
    place.part = new RegExp(parts.join('|'))
  }
  return grown
}

/** The longest part of a pattern, at its place. */
function partOf(pattern: string): string {
  const parts = pattern.split('*')
  const [longest = ''] = parts.toSorted((one, other) => other.length - one.length)
  const at = parts.indexOf(longest)
  const text = longest.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
  return `${at === 0 ? '^' : ''}${text}${at === parts.length - 1 ? '$' : ''}`
}

/** Without backtracking: a name may have a million characters. */
function patternOf(pattern: string): (name: string) => boolean {
  const [start = '', ...rest] = pattern.split('*')
  const end = rest.pop() ?? ''
  return (name) => {
    if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false
    const last = name.length - end.length
    let from = start.length
    for (const part of rest) {
      const found = name.indexOf(part, from)
      if (found === -1 || found + part.length > last) return false
      from = found + part.length
    }
    return true
  }
}

/** Adds a place, and those that `**` leads to without a field. */
function reach(places: Place[], place: Place | undefined): Place[] {
  if (place === undefined || places.includes(place)) return places
  places.push(place)
  return reach(places, place.named.get('**'))
}

function findNext(places: Places, key: string): Where {
  const found: Place[] = []
  for (const place of places) {
    if (place.isDeep) reach(found, place)
    reach(found, place.named.get(key))
    reach(found, place.named.get('*'))
    if (place.part?.test(key) === true) for (const [isName, next] of place.patterns) if (isName(key)) reach(found, next)
  }
  // The same list for the same places, so that what follows is kept for it, too.
  return places.length === found.length && places.every((place, index) => place === found[index])
    ? places
    : whereOf(found)
}
