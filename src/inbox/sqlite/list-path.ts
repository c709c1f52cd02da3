import type { Bounds, Part } from '../wanted.ts'

/** A condition of SQL. */
export interface Term {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** The tables that lead to events, as they are named in a statement, and their columns with the key of an event. */
const tables = {
  event: { name: 'event', key: 'event.seq' },
  delivery: { name: 'delivery AS d', key: 'd.event_seq' },
  event_key: { name: 'event_key AS k', key: 'k.event_seq' },
  event_kind: { name: 'event_kind AS k', key: 'k.event_seq' }
} as const

/** A way to find events by an index. */
export type Path = Merged | Sequence

/** A path whose places are read together. */
export interface Merged {
  /**
   * The places in the index that lead to the events of the path. Each has them in the order of `seq`, so that it can be
   * read until the page is full.
   */
  readonly places: readonly Place[]
  readonly isSequence?: false
  /** The parts of the filter that its places fulfil. */
  readonly covers: readonly Part[]
}

/** A path whose places follow each other in the order of the page, and are looked for when they are read. */
export interface Sequence {
  readonly places: Iterable<Place>
  readonly isSequence: true
  readonly covers: readonly Part[]
}

export interface Place {
  readonly table: keyof typeof tables
  readonly index?: string
  /** The condition that the index fulfils. */
  readonly term: Term
  /** The kinds that a place of `event_kind` consists of: each has its own events in their order. */
  readonly kinds?: readonly number[] | undefined
  /** True if its entries must be sorted by `seq`, before anything else of the events is read. */
  readonly isSorted?: boolean
  /** The same events in their order, if its entries are too many to sort. */
  readonly inOrder?: Place
  /** The keys that its events come after and before. */
  readonly above?: number
  readonly below?: number
}

/** All events, in their order. */
export const everything: Merged = { places: [{ table: 'event', term: term('true') }], covers: [] }

export function ordered(covers: readonly Part[], ...places: readonly Place[]): Merged {
  return { places, covers }
}

export function place(table: Place['table'], index: string, found: Term): Place {
  return { table, index, term: found }
}

export function keyOf({ table }: Place): string {
  return tables[table].key
}

export function tableOf({ table, index }: Place): string {
  // Without an index, events are read by their key, in their order.
  const by = index === undefined ? (table === 'event' ? 'NOT INDEXED' : '') : `INDEXED BY ${index}`
  return `${tables[table].name} ${by}`
}

/** The table and the condition of all entries of a place. */
export function entriesOf(place: Place, bounds: Bounds): { readonly from: Term; readonly where: Term } {
  const from = term(tableOf(place))
  const where = join([place.term, ...withinBounds(place, bounds)])
  if (place.kinds === undefined) return { from, where }
  // One statement for all kinds: calling SQLite takes longer than finding a kind.
  return {
    from: term(`json_each(?) AS given CROSS JOIN ${from.sql}`, JSON.stringify(place.kinds)),
    where: join([term('k.kind = given.value'), where])
  }
}

export function withinBounds(place: Place, bounds: Bounds): readonly Term[] {
  const column = keyOf(place)
  // Of two limits, SQLite would use one, and read all entries up to the other.
  const above = Math.max(bounds.above ?? 0, place.above ?? 0)
  const below = Math.min(bounds.below ?? Infinity, place.below ?? Infinity)
  return [
    ...(above <= 0 ? [] : [term(`${column} > ?`, above)]),
    ...(below === Infinity ? [] : [term(`${column} < ?`, below)])
  ]
}

export function term(sql: string, ...values: (string | number)[]): Term {
  return { sql, values }
}

export function join(terms: readonly Term[]): Term {
  return term(terms.map(({ sql }) => sql).join(' AND '), ...terms.flatMap(({ values }) => values))
}
