import type { Bounds } from '../wanted.ts'
import { checkTime, type PreparedOnce } from './list-choice.ts'
import { join, keyOf, type Place, tableOf, type Term, term, withinBounds } from './list-path.ts'
import type { Sql } from './list-statements.ts'
import { inTime } from './read-limit.ts'

/** How a page is read from the places of a path. */
export interface Reading {
  readonly statements: PreparedOnce
  readonly bounds: Bounds
  /** Conditions that a path does not fulfil: they are checked for each event. */
  readonly checks: readonly Term[]
  readonly oldestFirst: boolean
  readonly limit: number
}

/** How many entries are read from a place at once: at first at least, and at most. */
const fewest = 8
const most = 1_024

/**
 * Reads the first events of several places, which have theirs in order. The entries of the indexes are merged first,
 * and then the events are read and checked in their order. Otherwise, a page of events would be read for each place.
 */
export function mergePlaces(sql: Sql, places: readonly Place[], reading: Reading): readonly number[] {
  const { checks, oldestFirst, limit } = reading
  const cursors = places.map((place) => new Cursor(place, reading, Math.max(fewest, Math.ceil(limit / places.length))))
  // The triggers keep the index of kinds true. A delivery may be left of an event that was deleted by hand.
  const isRead = checks.length > 0 || places.some(({ table }) => table !== 'event' && table !== 'event_kind')
  const found = new Set<number>()
  for (let rest = cursors; rest.length > 0 && found.size < limit; rest = rest.filter(({ isDone }) => !isDone)) {
    for (const [index, cursor] of rest.entries()) {
      checkTime(sql, index)
      cursor.fill()
    }
    // A place may have more entries after its last one that was read.
    const ends = rest.flatMap(({ end }) => end ?? [])
    const end = ends.length === 0 ? undefined : oldestFirst ? Math.min(...ends) : Math.max(...ends)
    const seqs = [...new Set(rest.flatMap((cursor) => cursor.take(end)))].sort(inOrder(oldestFirst))
    for (let from = 0; from < seqs.length && found.size < limit; from += limit) {
      const part = seqs.slice(from, from + limit)
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

  constructor(place: Place, reading: Reading, atOnce: number) {
    this.#atOnce = atOnce
    this.#place = place
    this.#reading = reading
  }

  /** The last entry that was read, if others may come after it. */
  get end(): number | undefined {
    return this.#isRead ? undefined : this.#last
  }

  /** Reads more entries if all were taken. */
  fill(): void {
    if (this.#entries.length > 0 || this.#isRead) return
    const { statements, bounds, oldestFirst } = this.#reading
    const key = keyOf(this.#place)
    const rest = this.#last === undefined ? bounds : { ...bounds, [oldestFirst ? 'above' : 'below']: this.#last }
    const { sql, values } = join([this.#place.term, ...withinBounds(this.#place, rest), term(inTime(key))])
    const text = `SELECT ${key} AS seq FROM ${tableOf(this.#place)} WHERE ${sql} ORDER BY ${key} ${oldestFirst ? 'ASC' : 'DESC'} LIMIT ?`
    this.#entries = statements
      .get(text)
      .all(...values, this.#atOnce)
      .map(({ seq }) => Number(seq))
    this.#isRead = this.#entries.length < this.#atOnce
    this.#last = this.#entries.at(-1) ?? this.#last
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
