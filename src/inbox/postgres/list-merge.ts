import type { Bounds } from '../wanted.ts'
import type { Row, Session } from './database.ts'
import { checkEvent } from './list-checks.ts'
import type { Path, Reading } from './list-path.ts'
import { type AddValue, collectValues } from './list-values.ts'

/** How a page is read from the places of a path. */
interface Merging extends Omit<Reading, 'checks'> {
  /** Makes the conditions for the columns of `event`: at least one. */
  readonly checks: (value: AddValue) => readonly string[]
}

/** How many entries are read from each place at once: at first, and at most. */
const fewest = 16
const most = 4_096

/**
 * Reads the first events of several places, which have theirs in order. The entries of the index are merged first, and
 * then the events are read and checked in their order. Otherwise, a page of events would be read for each place.
 */
export async function mergePlaces(
  session: Session,
  selectHeads: NonNullable<Path['selectHeads']>,
  { bounds, order, limit, checks }: Merging
): Promise<readonly number[]> {
  const found: number[] = []
  let rest: Bounds | undefined = bounds
  for (let atOnce = fewest; rest !== undefined && found.length < limit; atOnce = Math.min(atOnce * 4, most)) {
    const { values, value } = collectValues()
    const heads = selectHeads(value, { bounds: rest, order, limit: atOnce })
    const sql = mergeSql(heads, { atOnce, order, limit: limit - found.length, checks, value })
    const rows: readonly Row[] = await session.query(sql, values)
    for (const { seq } of rows) if (seq !== null) found.push(Number(seq))
    const end = rows[0]?.['end']
    rest = typeof end !== 'string' ? undefined : { ...rest, [order === 'ASC' ? 'above' : 'below']: Number(end) }
  }
  return found
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
      WHERE ${checkEvent('sorted.seq', checks(value))} ORDER BY sorted.seq ${order} LIMIT ${value(limit, 'bigint')}) AS page ON true`
}
