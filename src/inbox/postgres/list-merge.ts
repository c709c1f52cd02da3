import type { Bounds } from '../wanted.ts'
import type { Row, Session } from './database.ts'
import { checkEvent } from './list-checks.ts'
import type { IndexPath, Reading } from './list-path.ts'
import { type AddValue, collectValues } from './list-values.ts'

/** How a page is read from the places of a path. */
interface Merging extends Omit<Reading, 'checks'> {
  /** Makes the conditions for the columns of `event`. */
  readonly checks: (value: AddValue) => readonly string[]
  /** After how many readings it ends. Default: when the page is full, or the places are read to their ends. */
  readonly rounds?: number
}

/** The first events of a page, in their order. */
export interface Merged {
  readonly seqs: readonly number[]
  /** Where the others are; undefined if there are none. */
  readonly rest: Bounds | undefined
}

/** How many entries are read from each place at once: at first, and at most. */
const fewest = 16
const most = 4_096

/**
 * Reads the first events of several places, which have theirs in order. The entries of the indexes are merged first,
 * and then the events are read and checked in their order. Otherwise, a page of events would be read for each place.
 */
export async function mergePlaces(
  session: Session,
  path: IndexPath,
  { bounds, order, limit, checks, rounds = Infinity }: Merging
): Promise<Merged> {
  const seqs: number[] = []
  let rest: Bounds | undefined = bounds
  let atOnce = fewest
  for (let round = 0; rest !== undefined && seqs.length < limit && round < rounds; round += 1) {
    const { values, value } = collectValues()
    const heads = path.selectHeads(value, { bounds: rest, order, limit: atOnce })
    const sql = mergeSql(heads, { atOnce, order, limit: limit - seqs.length, checks, value })
    const rows: readonly Row[] = await session.query(sql, values)
    for (const { seq } of rows) if (seq !== null) seqs.push(Number(seq))
    const end = rows[0]?.['end']
    rest = typeof end !== 'string' ? undefined : { ...rest, [order === 'ASC' ? 'above' : 'below']: Number(end) }
    atOnce = Math.min(atOnce * 4, most)
  }
  return { seqs, rest }
}

/**
 * The statement of one reading. What lies behind the last entry of a place may have others of it before, so the places
 * are merged up to the first of their last entries: `end`, which is null if all were read to their ends.
 */
function mergeSql(
  heads: string,
  {
    atOnce,
    order,
    limit,
    checks,
    value
  }: Omit<Merging, 'bounds'> & { readonly atOnce: number; readonly value: AddValue }
): string {
  const conditions = checks(value)
  const isTrue = conditions.length === 0 ? 'true' : checkEvent('sorted.seq', conditions)
  const [last, nearest, comparison] = order === 'ASC' ? ['max', 'min', '<='] : ['min', 'max', '>=']
  return `
    WITH head AS MATERIALIZED (${heads}),
    last AS MATERIALIZED (
      SELECT ${nearest}(each.seq) AS seq FROM (
        SELECT ${last}(seq) AS seq FROM head GROUP BY number HAVING count(*) = ${value(atOnce, 'bigint')}) AS each)
    SELECT last.seq AS "end", page.seq FROM last LEFT JOIN LATERAL (
      SELECT sorted.seq FROM (
        SELECT DISTINCT head.seq FROM head WHERE (last.seq IS NULL OR head.seq ${comparison} last.seq)
        ORDER BY head.seq ${order}) AS sorted
      WHERE ${isTrue} ORDER BY sorted.seq ${order} LIMIT ${value(limit, 'bigint')}) AS page ON true`
}
