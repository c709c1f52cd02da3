import { segmentBits, type Bounds } from '../wanted.ts'
import { aboveOf, belowOf, type AddValue } from './list-values.ts'

/*
 * The index of search keys is divided into segments by the order of arrival. Most keys of new events go to different
 * pages: in one large index, a batch would change a page for each key, which PostgreSQL reads, and writes to its log as
 * a whole if it is the first time since a checkpoint. The newest segment has few pages. But a search looks into each.
 */

/** The columns of the index. */
const columns = (alias: string): readonly string[] => [
  `${alias}.event_seq >> ${segmentBits}`,
  `${alias}.value`,
  `${alias}.event_seq`
]

type Order = 'ASC' | 'DESC'

interface KeyReading {
  /** The entries are between these two, each of a value and a `seq`, as expressions. */
  readonly above: readonly [value: string, seq: string]
  readonly below: readonly [value: string, seq: string]
  readonly bounds: Bounds
  readonly order: Order
  /** An expression. */
  readonly limit: string
  /** More conditions for the entry `k`. */
  readonly checks?: readonly string[]
}

/**
 * Selects the column `seq` of index entries: the segments in the order of arrival, and each by value and `seq`. Those
 * behind the last entry are not read.
 */
export function selectKeys(value: AddValue, { above, below, bounds, order, limit, checks = [] }: KeyReading): string {
  const first = `greatest(${aboveOf(bounds, value)} >> ${segmentBits}, ${segmentAt('ASC', 0)})`
  const last = `least(${belowOf(bounds, value)} >> ${segmentBits}, ${segmentAt('DESC', -1)})`
  const entry = columns('k').join(', ')
  const sorted = columns('k').map((column) => `${column} ${order}`)
  const conditions = [
    `(${entry}) > (segment.number, ${above.join(', ')})`,
    `(${entry}) < (segment.number, ${below.join(', ')})`,
    ...checks
  ]
  return `
    SELECT found.seq FROM generate_series(${order === 'ASC' ? `${first}, ${last}` : `${last}, ${first}, -1`}) AS segment (number)
    CROSS JOIN LATERAL (
      SELECT k.event_seq AS seq FROM riverhook.event_key AS k WHERE ${conditions.join(' AND ')}
      ORDER BY ${sorted.join(', ')} LIMIT ${limit}) AS found
    LIMIT ${limit}`
}

/** The segment of the first or the last event. @param none if there are no events */
function segmentAt(order: Order, none: number): string {
  return `coalesce((SELECT seq >> ${segmentBits} FROM riverhook.event ORDER BY seq ${order} LIMIT 1), ${none})`
}
