import { deliveryStates, type DeliveryState } from '../model/event.ts'
import { matches } from '../model/pattern.ts'
import type { EventFilter } from './inbox.ts'

/*
 * Parts of a list's search that work with any index: see list.ts of the engines.
 */

/** The fields that many events have in common. An inbox has a few hundred kinds. */
export interface EventKind {
  readonly source: string
  readonly realm: string
  /** Empty for quarantined requests. */
  readonly type: string
  readonly endpoint: string
  /** Undefined if the source does not say. */
  readonly live: boolean | undefined
}

/** The handler, realm and state of deliveries. */
export interface DeliveryKind {
  readonly handler: string
  readonly realm: string
  readonly state: DeliveryState
}

/** The kinds of events and deliveries, and the blocks of events, that a filter wants. */
export interface Wanted<Kind = EventKind> {
  readonly kinds?: readonly Kind[]
  readonly deliveryKinds?: readonly DeliveryKind[]
  /** The blocks that have events in the time. */
  readonly blocks?: readonly number[]
}

/** The parts of a filter. `delivery`: the handler and the state of a delivery. `time`: `since` and `until`. */
export type Part = 'about' | 'error' | KindPart | 'state' | 'delivery' | 'time'
export type KindPart = keyof EventKind

/** The events between two keys. */
export interface Bounds {
  readonly above?: number | undefined
  readonly below?: number | undefined
}

/** How many events may be read and sorted: it takes a few milliseconds. */
export const few = 5_000

/** How many events are counted to choose between ways that lead to more than a few. */
export const many = 20_000

/** The most search keys that are sorted, in some tens of milliseconds. If there are more, many events have one. */
export const sortable = 50_000

/** The events of a block, in PostgreSQL, have the same `seq >> blockBits`. */
export const blockBits = 13
const blockSize = 2 ** blockBits

/** The search keys of a segment's events, in PostgreSQL, have the same `seq >> segmentBits`. */
export const segmentBits = 17

/** The keys of the events of a page. */
export function boundsOf({ after, upTo, oldestFirst = false }: EventFilter): Bounds {
  const end = upTo === undefined ? undefined : upTo + 1
  if (oldestFirst) return { above: after, below: end }
  return { below: end === undefined ? after : Math.min(end, after ?? end) }
}

export function hasKind(filter: EventFilter): boolean {
  return kindPartsOf(filter).length > 0
}

/** The parts of a kind that a filter limits. Almost all events have the type `*`. */
export function kindPartsOf(filter: EventFilter): readonly KindPart[] {
  return kindParts.filter((part) => filter[part] !== undefined && !(part === 'type' && filter.type === '*'))
}

const kindParts: readonly KindPart[] = ['source', 'realm', 'type', 'endpoint', 'live']

export function isOfKind({ source, realm, type, endpoint, live }: EventFilter, kind: EventKind): boolean {
  if ((source ?? kind.source) !== kind.source || (realm ?? kind.realm) !== kind.realm) return false
  if ((endpoint ?? kind.endpoint) !== kind.endpoint || (live ?? kind.live) !== kind.live) return false
  // Only quarantined requests have no type.
  return type === undefined || (kind.type !== '' && matches(type, kind.type))
}

export function hasDelivery({ handler, state }: EventFilter): boolean {
  return handler !== undefined || isDeliveryState(state)
}

export function isOfDeliveryKind({ handler, state }: EventFilter, kind: DeliveryKind): boolean {
  return (handler ?? kind.handler) === kind.handler && (!isDeliveryState(state) || kind.state === state)
}

export function isDeliveryState(state: EventFilter['state']): state is DeliveryState {
  return (deliveryStates as readonly string[]).includes(state ?? '')
}

export function hasTime({ since, until }: EventFilter): boolean {
  return (since ?? until) !== undefined
}

/** Leaves out blocks without events between two keys. */
export function withinBlocks(blocks: readonly number[], { above = 0, below = Infinity }: Bounds): readonly number[] {
  return blocks.filter((block) => block >= Math.floor(above / blockSize) && block <= Math.floor(below / blockSize))
}
