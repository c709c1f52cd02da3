import type * as contract from '../inbox.ts'
import type { Bounds } from '../wanted.ts'
import { blockBits, readIndexedTo } from './list-index.ts'
import type { Sql } from './list-statements.ts'

/** The times before and after all dates. */
const [earliest, latest] = [-8.64e15, 8.64e15]

/** The events between two keys. */
export interface Span {
  readonly above: number
  readonly below: number
}

/** Lists the spans of a page that have events in the time of a filter. */
export function listSpans(sql: Sql, filter: contract.EventFilter, { above = 0, below = Infinity }: Bounds): Span[] {
  const times = timesOf(filter)
  const indexedTo = readIndexedTo(sql)
  const size = 2 ** blockBits
  const numbers = JSON.parse(String(sql.blocksInTime.get(...times)?.['numbers'])) as readonly number[]
  const blocks = numbers.map(
    (number): Span => ({ above: number * size - 1, below: Math.min((number + 1) * size, indexedTo + 1) })
  )
  const { first, last } = sql.timeBounds.get(indexedTo, ...times) ?? {}
  const behind = typeof first === 'number' ? [{ above: first - 1, below: Number(last) + 1 }] : []
  const spans: Span[] = []
  for (const each of [...blocks, ...behind]) {
    const span = { above: Math.max(each.above, above), below: Math.min(each.below, below) }
    const before = spans.at(-1)
    if (before?.below === span.above + 1) spans[spans.length - 1] = { above: before.above, below: span.below }
    else if (span.below > span.above + 1) spans.push(span)
  }
  return spans
}

/** The times from which and before which a filter wants events. */
function timesOf({ since, until }: contract.EventFilter): readonly [number, number] {
  return [since?.getTime() ?? earliest, until?.getTime() ?? latest]
}
