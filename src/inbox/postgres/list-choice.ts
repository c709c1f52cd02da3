import { few, many, type Bounds } from '../wanted.ts'
import type { Session } from './database.ts'
import type { Path } from './list-path.ts'
import { everything } from './list-paths.ts'
import { collectValues, narrowTo } from './list-values.ts'

/** A path, and the bounds in which it is to be read. */
export interface Choice {
  readonly path: Path
  readonly bounds: Bounds
}

/** The path that is best if all lead to many events. */
export function usualPath(paths: readonly Path[]): Path {
  return paths.find(({ isOrdered }) => isOrdered) ?? everything
}

/** Chooses the path to the fewest events. If all lead to many, one that has them in their order. */
export async function choosePath(session: Session, paths: readonly Path[], bounds: Bounds): Promise<Choice> {
  const best = await findFewest(session, paths, bounds, few)
  // Sorting the keys, which are counted already, takes less time than counting the other paths.
  const counted = best ?? paths.find(({ most }) => most !== undefined)
  if (counted !== undefined) return { path: counted, bounds }
  const ordered = paths.filter(({ isOrdered }) => isOrdered)
  const first = usualPath(ordered)
  if (ordered.length < 2) return { path: first, bounds }
  const narrow = await narrowToEnds(session, ordered, bounds)
  return { path: (await findFewest(session, ordered, narrow, many)) ?? first, bounds: narrow }
}

/** Leaves out the events before the first one, and after the last one, of any of the paths. */
async function narrowToEnds(session: Session, paths: readonly Path[], bounds: Bounds): Promise<Bounds> {
  const { values, value } = collectValues()
  const end = (path: Path, order: 'ASC' | 'DESC'): string => path.select(value, { bounds, order, limit: 1, checks: [] })
  const ends = paths
    .filter(({ hasEnds = false }) => hasEnds)
    .map(
      (path) =>
        `SELECT (SELECT min(entry.seq) FROM (${end(path, 'ASC')}) AS entry) AS first, (SELECT max(entry.seq) FROM (${end(path, 'DESC')}) AS entry) AS last`
    )
  if (ends.length === 0) return bounds
  const [row] = await session.query(
    `SELECT max(ends.first) AS first, min(ends.last) AS last FROM (${ends.join(' UNION ALL ')}) AS ends`,
    values
  )
  return narrowTo(bounds, row)
}

/** Finds the path to the fewest events, if it leads to fewer than `limit`. */
async function findFewest(
  session: Session,
  paths: readonly Path[],
  bounds: Bounds,
  limit: number
): Promise<Path | undefined> {
  let fewest: Path | undefined
  let most = limit
  for (const path of paths) {
    const count = path.most ?? (await countUpTo(session, path, bounds, most))
    if (count < most) [fewest, most] = [path, count]
  }
  return fewest
}

/** Counts the entries of a path, up to a limit. */
async function countUpTo(session: Session, path: Path, bounds: Bounds, limit: number): Promise<number> {
  const { values, value } = collectValues()
  const entries = path.select(value, { bounds, order: 'ASC', limit, checks: [] })
  const [row] = await session.query(
    `SELECT count(*)::integer AS count FROM (SELECT 1 FROM (${entries}) AS entry LIMIT ${value(limit, 'bigint')}) AS counted`,
    values
  )
  return Number(row?.['count'])
}
