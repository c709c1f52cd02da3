import type { Bounds, Part } from '../wanted.ts'
import { checkEvent } from './list-checks.ts'
import { aboveOf, belowOf, type AddValue } from './list-values.ts'
import { withoutIndex } from './plan.ts'

/** A way to find events by an index. */
export interface Path {
  /** True if it has the events in their order, so that it can be read until the page is full. */
  readonly isOrdered: boolean
  /** True if its first and its last event are found by few looks into the index. */
  readonly hasEnds?: boolean
  /** The parts of the filter that it fulfils. */
  readonly covers: readonly Part[]
  /** How many events it leads to at most, if that is known. */
  readonly most?: number
  /** The statement that reads the column `seq` of its first events in an order. */
  select(value: AddValue, reading: Reading): string
}

/** A path by one or several places of an index. */
export interface IndexPath extends Path {
  /** The statement that reads the first entries of each place, as the number of the place and `seq`. Without checks. */
  selectHeads(value: AddValue, reading: Omit<Reading, 'checks'>): string
}

export interface Reading {
  readonly bounds: Bounds
  readonly order: 'ASC' | 'DESC'
  readonly limit: number
  /** Conditions for the columns of `event`. */
  readonly checks: readonly string[]
}

/** An index whose last column is the key of an event. */
interface Index {
  readonly table: string
  readonly alias: 'event' | 'd'
  readonly key: 'seq' | 'event_seq'
  /** The columns before the key. */
  readonly columns: readonly string[]
  /** The type of these columns. Default `text`. */
  readonly type?: 'bigint'
  /** The condition of a partial index. */
  readonly condition?: string
}

export function isIndexPath(path: Path): path is IndexPath {
  return 'selectHeads' in path
}

/** In how many places of an index the first and the last events are looked for. */
const mostEnds = 50

/** @param places what the columns before the key have in each place, by column */
export function indexPath(index: Index, places: readonly (readonly string[])[], covers: readonly Part[]): IndexPath {
  const { table, alias, key, columns, type = 'text', condition } = index
  const own = [...columns, key].map((column) => `${alias}.${column}`)
  const from = (value: AddValue, { bounds: { above, below }, order, limit, checks }: Reading): string => {
    const place = columns.map((_column, position) => `place.c${position}`)
    // Before version 18, PostgreSQL ends a comparison of rows behind the last one of its first column. So only the last
    // column before the key is in it.
    const [compared, last] = [own.slice(-2).join(', '), place.slice(-1)]
    const conditions = [
      ...place.slice(0, -1).map((given, position) => `${own[position]} = ${given}`),
      `(${compared}) > (${[...last, aboveOf({ above }, value)].join(', ')})`,
      `(${compared}) < (${[...last, belowOf({ below }, value)].join(', ')})`,
      ...(condition === undefined ? [] : [condition]),
      ...(alias === 'event'
        ? checks.map(withoutIndex)
        : checks.length === 0
          ? []
          : [checkEvent(`${alias}.${key}`, checks)])
    ]
    const found = `
      SELECT ${alias}.${key} AS seq FROM riverhook.${table} AS ${alias} WHERE ${conditions.join(' AND ')}
      ORDER BY ${own.map((column) => `${column} ${order}`).join(', ')} LIMIT ${value(limit, 'bigint')}`
    if (columns.length === 0) return `(${found}) AS found`
    const given = places.map((column) => value(column, `${type}[]`)).join(', ')
    const names = columns.map((_column, position) => `c${position}`).join(', ')
    return `unnest(${given}) WITH ORDINALITY AS place (${names}, number) CROSS JOIN LATERAL (${found}) AS found`
  }
  const number = columns.length === 0 ? '1 AS number' : 'place.number'
  return {
    isOrdered: true,
    hasEnds: (places[0]?.length ?? 1) <= mostEnds,
    covers,
    select: (value, reading) => `SELECT found.seq FROM ${from(value, reading)}`,
    selectHeads: (value, reading) => `SELECT ${number}, found.seq FROM ${from(value, { ...reading, checks: [] })}`
  }
}
