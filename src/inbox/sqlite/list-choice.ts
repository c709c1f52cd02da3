import { type Bounds, many } from '../wanted.ts'
import { entriesOf, everything, type Path } from './list-path.ts'
import type { Sql } from './list-statements.ts'
import { givenLimit } from './prepared.ts'

/*
 * SQLite knows nothing about the distribution of our rows, and would often choose to read millions of them. So this
 * file chooses the index of each list: the one that leads to the fewest events, counted up to `many`. Each index has
 * the events in their order, so it is read until the page is full.
 */

/** The time limit is checked at one of this many places: a statement that finds nothing checks none. A power of two. */
const checkEvery = 32

/** Chooses the path to the fewest events. If all lead to many, the first one. */
export function choosePath(sql: Sql, paths: readonly Path[], bounds: Bounds): Path {
  const [first = everything] = paths
  return paths.length > 1 ? (findFewest(sql, paths, bounds, many) ?? first) : first
}

/** Finds the path to the fewest events, if it leads to fewer than `limit`. */
function findFewest(sql: Sql, paths: readonly Path[], bounds: Bounds, limit: number): Path | undefined {
  let fewest: Path | undefined
  let most = limit
  for (const path of paths) {
    const count = countUpTo(sql, path, bounds, most)
    if (count < most) [fewest, most] = [path, count]
  }
  return fewest
}

/** Counts the entries of a path, up to a limit. Those between two keys are at most as many as these. */
export function countUpTo(sql: Sql, path: Path, bounds: Bounds, limit: number): number {
  let count = path === everything ? limit : 0
  let index = 0
  for (const place of path.places) {
    if (count >= limit) break
    checkTime(sql, index)
    index += 1
    if (place.above !== undefined && place.below !== undefined) {
      count += place.below - place.above - 1
      continue
    }
    const { from, where } = entriesOf(place, bounds)
    const row = sql.built
      .get(`SELECT count(*) AS count FROM (SELECT 1 FROM ${from.sql} WHERE ${where.sql} ${givenLimit})`)
      .get(...from.values, ...where.values, limit - count)
    count += Number(row?.['count'])
  }
  return count
}

/** Ends the list if its time is over. */
export function checkTime(sql: Sql, index: number): void {
  if (index % checkEvery === checkEvery - 1) sql.checkTime.get()
}
