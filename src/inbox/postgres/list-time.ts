import type { EventFilter } from '../inbox.ts'
import { blockBits, few, type Bounds } from '../wanted.ts'
import type { Session } from './database.ts'
import type { Path } from './list-path.ts'
import { aboveOf, belowOf, narrowTo } from './list-values.ts'
import { withoutIndex } from './plan.ts'

/** Lists the blocks that have events in the time of a filter. */
export async function findBlocks(session: Session, filter: EventFilter): Promise<readonly number[]> {
  return (await session.query(blocksInTimeSql, timesOf(filter))).map((row) => Number(row['number']))
}

/** The events of a block that arrived in a time, by the index `event_received`. */
const receivedIn = (block: string, since: string, until: string): string => `
  event.seq >> ${blockBits} = ${block} AND event.received_at >= ${since} AND event.received_at < ${until}`

/** Reads one index entry of each block, because the blocks of a time need not follow each other. */
const blocksInTimeSql = `
WITH RECURSIVE block (number) AS (
  (SELECT seq >> ${blockBits} FROM riverhook.event ORDER BY seq LIMIT 1)
  UNION ALL
  SELECT next.number FROM block CROSS JOIN LATERAL (
    SELECT seq >> ${blockBits} AS number FROM riverhook.event WHERE seq >= (block.number + 1) << ${blockBits} ORDER BY seq LIMIT 1) AS next)
SELECT number FROM block WHERE (
  SELECT true FROM riverhook.event AS event WHERE ${receivedIn('number', '$1::timestamptz', '$2::timestamptz')}
  ORDER BY event.seq >> ${blockBits}, event.received_at LIMIT 1)`

const seqInBlock = (which: 'min' | 'max', block: string): string => `(
  SELECT ${which}(found.seq) FROM (
    SELECT event.seq FROM riverhook.event AS event WHERE ${receivedIn(block, '$3::timestamptz', '$4::timestamptz')} OFFSET 0) AS found)`

const timeBoundsSql = `SELECT ${seqInBlock('min', '$1::bigint')} AS first, ${seqInBlock('max', '$2::bigint')} AS last`

/** Adds the first and the last event in the time to the bounds of a page. */
export async function narrowToTime(
  session: Session,
  filter: EventFilter,
  page: Bounds,
  blocks: readonly number[]
): Promise<Bounds> {
  const [row] = await session.query(timeBoundsSql, [blocks[0], blocks.at(-1), ...timesOf(filter)])
  return narrowTo(page, row)
}

/** The times from which and before which a filter wants events. */
function timesOf({ since, until }: EventFilter): readonly [Date | string, Date | string] {
  return [since ?? '-infinity', until ?? 'infinity']
}

/** The path by the time of arrival. Must lead to a few events. */
export function timePath(filter: EventFilter, blocks: readonly number[]): Path {
  return {
    isOrdered: false,
    covers: ['time'],
    select(value, { bounds, checks }) {
      const [since, until] = timesOf(filter)
      const conditions = [
        receivedIn('block.number', value(since, 'timestamptz'), value(until, 'timestamptz')),
        withoutIndex(`event.seq > ${aboveOf(bounds, value)}`),
        withoutIndex(`event.seq < ${belowOf(bounds, value)}`),
        ...checks.map(withoutIndex)
      ]
      return `
        SELECT found.seq FROM unnest(${value(blocks, 'bigint[]')}) AS block (number) CROSS JOIN LATERAL (
          SELECT event.seq FROM riverhook.event AS event WHERE ${conditions.join(' AND ')}
          ORDER BY event.seq >> ${blockBits}, event.received_at LIMIT ${few}) AS found`
    }
  }
}
