import type { Bounds } from '../wanted.ts'
import { checkTime } from './list-choice.ts'
import { entriesOf, join, keyOf, type Place, tableOf, type Term, term } from './list-path.ts'
import type { Sql } from './list-statements.ts'
import { givenLimit, type PreparedOnce } from './prepared.ts'
import { inTime } from './read-limit.ts'

/** How a page is read from the places of a path. */
export interface Reading {
  readonly statements: PreparedOnce
  readonly bounds: Bounds
  /** Conditions that a path does not fulfil: they are checked for each event. */
  readonly checks: readonly Term[]
  readonly oldestFirst: boolean
  readonly limit: number
  /** How many entries are checked at most. */
  readonly most?: number
}

/** How many entries are read from a place at once: at first at least, and at most. */
const fewest = 8
const most = 1_024

/**
 * Reads the first events of several places, which have theirs in order. The entries of the indexes are merged first,
 * and then the events are read and checked in their order. Otherwise, a page of events would be read for each place.
 */
export function mergePlaces(sql: Sql, places: readonly Place[], reading: Reading): readonly number[] {
  const { checks, oldestFirst, limit, most: mostChecked = Infinity } = reading
  let checked = 0
  const count = places.reduce((sum, { kinds }) => sum + (kinds?.length ?? 1), 0)
  const atOnce = Math.max(fewest, Math.ceil(limit / count))
  const cursors = places.flatMap((place) =>
    place.kinds === undefined ? new Cursor(place, reading, atOnce) : openKinds(place, place.kinds, reading, atOnce)
  )
  // The triggers keep the index of kinds true. A delivery may be left of an event that was deleted by hand.
  const isRead = checks.length > 0 || places.some(({ table }) => table !== 'event' && table !== 'event_kind')
  const found = new Set<number>()
  for (let rest = cursors; rest.length > 0 && found.size < limit; rest = rest.filter(({ isDone }) => !isDone)) {
    for (const [index, cursor] of rest.filter(({ isEmpty }) => isEmpty).entries()) {
      checkTime(sql, index)
      cursor.fill()
    }
    // A place may have more entries after its last one that was read.
    const ends = rest.flatMap(({ end }) => end ?? [])
    const end = ends.length === 0 ? undefined : oldestFirst ? Math.min(...ends) : Math.max(...ends)
    const seqs = [...new Set(rest.flatMap((cursor) => cursor.take(end)))].sort(inOrder(oldestFirst))
    for (let from = 0; from < seqs.length && found.size < limit; from += limit) {
      const part = seqs.slice(from, from + limit)
      checked += part.length
      if (checked > mostChecked) return []
      for (const seq of isRead ? check(sql, part, reading) : part) found.add(seq)
    }
  }
  return [...found].slice(0, limit)
}

/** Returns those of some events that exist and for which the checks are true, in the same order. */
function check(sql: Sql, seqs: readonly number[], { statements, checks }: Reading): readonly number[] {
  const { sql: where, values } = join([term('true'), ...checks])
  sql.checkTime.get()
  return statements
    .get(`SELECT seq FROM json_each(?) AS given CROSS JOIN event ON event.seq = given.value WHERE ${where}`)
    .all(JSON.stringify(seqs), ...values)
    .map(({ seq }) => Number(seq))
}

/**
 * Reads the first entries of all kinds of a place with one statement: calling SQLite for each kind would take most of
 * the time of a page.
 */
function openKinds(place: Place, kinds: readonly number[], reading: Reading, atOnce: number): readonly Cursor[] {
  const { where } = entriesOf(place, reading.bounds)
  const found = join([where, term(inTime(keyOf(place)))])
  const first = `SELECT ${keyOf(place)} AS seq FROM ${tableOf(place)} WHERE ${found.sql} ${orderOf(place, reading)} ${givenLimit}`
  const rows = reading.statements
    .get(
      `SELECT given.value AS kind, (SELECT json_group_array(seq) FROM (${first})) AS seqs FROM json_each(?) AS given`
    )
    .all(...found.values, atOnce, JSON.stringify(kinds))
  return rows.map(({ kind, seqs }) => {
    const ofKind = { ...place, kinds: undefined, term: term('k.kind = ?', Number(kind)) }
    return new Cursor(ofKind, reading, atOnce, JSON.parse(String(seqs)) as readonly number[])
  })
}

function orderOf(place: Place, { oldestFirst }: Reading): string {
  return `ORDER BY ${keyOf(place)} ${oldestFirst ? 'ASC' : 'DESC'}`
}

/** The entries of one place. */
class Cursor {
  /** True if the place has no more entries than were taken. */
  isDone = false
  readonly #place: Place
  readonly #reading: Reading
  #entries: readonly number[] = []
  #last: number | undefined
  #atOnce: number
  #isRead = false

  /** @param first its first entries, if they were read already: up to `atOnce` */
  constructor(place: Place, reading: Reading, atOnce: number, first?: readonly number[]) {
    this.#atOnce = atOnce
    this.#place = place
    this.#reading = reading
    if (first !== undefined) this.#add(first)
  }

  /** The last entry that was read, if others may come after it. */
  get end(): number | undefined {
    return this.#isRead ? undefined : this.#last
  }

  /** True if all entries that were read are taken, and there may be more. */
  get isEmpty(): boolean {
    return this.#entries.length === 0 && !this.#isRead
  }

  /** Reads more entries. */
  fill(): void {
    const { statements, bounds, oldestFirst } = this.#reading
    const key = keyOf(this.#place)
    const rest = this.#last === undefined ? bounds : { ...bounds, [oldestFirst ? 'above' : 'below']: this.#last }
    const { from, where } = entriesOf(this.#place, rest)
    const order = orderOf(this.#place, this.#reading)
    const rows = statements
      .get(`SELECT ${key} AS seq FROM ${from.sql} WHERE ${where.sql} AND ${inTime(key)} ${order} ${givenLimit}`)
      .all(...from.values, ...where.values, this.#atOnce)
    this.#add(rows.map(({ seq }) => Number(seq)))
  }

  #add(entries: readonly number[]): void {
    this.#entries = entries
    this.#isRead = entries.length < this.#atOnce
    this.#last = entries.at(-1) ?? this.#last
    this.#atOnce = Math.min(this.#atOnce * 4, most)
  }

  /** Takes the entries up to one. */
  take(end: number | undefined): readonly number[] {
    const { oldestFirst } = this.#reading
    const count = end === undefined ? -1 : this.#entries.findIndex((seq) => (oldestFirst ? seq > end : seq < end))
    const taken = count === -1 ? this.#entries : this.#entries.slice(0, count)
    this.#entries = this.#entries.slice(taken.length)
    this.isDone = this.#isRead && this.#entries.length === 0
    return taken
  }
}

/** Compares the keys of events in the order of a page. */
export function inOrder(oldestFirst: boolean): (a: number, b: number) => number {
  return oldestFirst ? (a, b) => a - b : (a, b) => b - a
}
