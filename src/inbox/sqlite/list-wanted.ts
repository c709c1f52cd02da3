import { prefixOf } from '../../model/pattern.ts'
import type * as contract from '../inbox.ts'
import type { Row } from '../rows.ts'
import { type Bounds, type EventKind, hasDelivery, hasKind, hasTime, isOfKind } from '../wanted.ts'
import { readIndexedTo } from './list-index.ts'
import { join, type Term, term } from './list-path.ts'
import type { Sql } from './list-statements.ts'
import { listSpans, type Span } from './list-time.ts'

/** A kind of events, or of deliveries of a handler. Without an id, it is of events that are not in the index yet. */
export interface StoredKind extends EventKind {
  readonly id: number | null
  readonly handler: string | null
}

/** The kinds and spans that a filter wants and the inbox has. */
export interface Wanted {
  /** Those of deliveries if the filter wants deliveries. */
  readonly kinds?: readonly StoredKind[]
  /** The events among which are all of the time, in their order. */
  readonly spans?: readonly Span[]
}

/** Lists what the inbox has of what a filter wants. Without a filter for a thing, it is undefined. */
export function listWanted(sql: Sql, filter: contract.EventFilter, page: Bounds): Wanted {
  return {
    ...((hasKind(filter) || hasDelivery(filter)) && { kinds: listKinds(sql, filter) }),
    ...(hasTime(filter) && { spans: listSpans(sql, filter, page) })
  }
}

/** Lists the kinds that a filter wants, in the index and in the events that it does not have yet. */
function listKinds(sql: Sql, filter: contract.EventFilter): StoredKind[] {
  const indexedTo = readIndexedTo(sql)
  const { sql: where, values } = join(kindTerms(filter))
  const kinds = [
    ...sql.built.get(`SELECT id, source, realm, type, endpoint, live, handler FROM kind WHERE ${where}`).all(...values),
    ...sql.kindsBehind.all(indexedTo, indexedTo)
  ].map(readKind)
  const isOfHandler = ({ handler }: StoredKind): boolean =>
    hasDelivery(filter) ? handler !== null && (filter.handler ?? handler) === handler : handler === null
  return kinds.filter((kind) => isOfHandler(kind) && isOfKind(filter, kind))
}

/** Leaves out most kinds that are not wanted. Reading all, which are hundreds, would take longer than a page. */
function kindTerms(filter: contract.EventFilter): readonly Term[] {
  const { handler, type = '*', realm } = filter
  const ofHandler = hasDelivery(filter)
    ? handler === undefined
      ? term('handler IS NOT NULL')
      : term('handler = ?', handler)
    : term('handler IS NULL')
  const prefix = prefixOf(type)
  const ofType = prefix === undefined ? term('type = ?', type) : term('substr(type, 1, length(?)) = ?', prefix, prefix)
  return [ofHandler, ...(type === '*' ? [] : [ofType]), ...(realm === undefined ? [] : [term('realm = ?', realm)])]
}

function readKind(row: Row): StoredKind {
  const live = row['live'] === null ? undefined : row['live'] === 1
  return { ...(row as unknown as StoredKind), live }
}
