import { holdAll, readCondition, type Condition } from '../model/where.ts'
import type { DeliverySummary, EventFilter, EventPage, EventSummary } from './inbox.ts'

/*
 * The filters that no index can hold: `error` and `where`. An engine lists the events that the other filters select,
 * and the search looks at each, for a limited time. See list.ts of the engines.
 */

/** How long a search begins new parts, in milliseconds: half of a read's time, because the last part takes some. */
const searchMs = 1_000
/** Events per list. Each list has to choose its index again. */
const pageSize = 1_000
/** The most bodies in memory at a time: each may have a megabyte. */
const partSize = 50

/** An event that the other filters select. */
export interface Candidate {
  readonly seq: number
  readonly event: EventSummary
}

export interface CandidatePage {
  readonly candidates: readonly Candidate[]
  readonly next: number | undefined
}

export function isSearch({ error, where }: EventFilter): boolean {
  return error !== undefined || (where !== undefined && where.length > 0)
}

/** True if the last attempt of a delivery failed, and it is a dead letter or waits for a retry. */
export function isFailing({ state, lastError, attempts }: DeliverySummary): boolean {
  if (lastError === undefined) return false
  return state === 'dead' || ((state === 'pending' || state === 'waiting') && attempts > 0)
}

/** True if the error of a failing delivery contains the text, in upper or lower case. */
export function hasError(delivery: DeliverySummary, text: string): boolean {
  return isFailing(delivery) && delivery.lastError?.toLowerCase().includes(text.toLowerCase()) === true
}

/** One page of a search. The engine calls `next`, `parts` and `check` until there is no next list. */
export class Search {
  readonly #filter: EventFilter
  readonly #conditions: readonly Condition[]
  readonly #now: () => number
  readonly #endsAt: number
  readonly #found: Candidate[] = []
  /** The last event that was looked at. */
  #last: Candidate | undefined
  #after: number | undefined
  #isComplete = false

  /** @param now for tests: the time in milliseconds */
  constructor(filter: EventFilter, now = () => performance.now()) {
    this.#filter = filter
    this.#now = now
    this.#endsAt = now() + searchMs
    this.#after = filter.after
    this.#conditions = (filter.where ?? []).map(readCondition).filter((condition) => condition !== undefined)
  }

  /** True if the bodies are needed. */
  get needsBodies(): boolean {
    return this.#conditions.length > 0
  }

  /** The filter of the next list; undefined if the search is over. */
  next(): EventFilter | undefined {
    if (this.#isComplete || this.#isOver) return undefined
    const { where: _where, ...filter } = this.#filter
    return { ...filter, after: this.#after, limit: pageSize }
  }

  /** The parts of a list to check, until the search is over. */
  *parts({ candidates, next }: CandidatePage): Generator<readonly Candidate[]> {
    for (let start = 0; start < candidates.length; start += partSize) {
      if (this.#isOver) return
      yield candidates.slice(start, start + partSize)
    }
    this.#after = next
    this.#isComplete = next === undefined
  }

  /** @param bodies those of the part, by the key of their event, if they are needed */
  check(part: readonly Candidate[], bodies: ReadonlyMap<number, Uint8Array>): void {
    for (const candidate of part) {
      this.#last = candidate
      if (this.#isWanted(candidate, bodies.get(candidate.seq))) this.#found.push(candidate)
    }
  }

  result(): EventPage {
    const { limit } = this.#filter
    const found = this.#found.slice(0, limit)
    const events = found.map(({ event }) => event)
    if (this.#found.length > limit) return { events, next: found.at(-1)?.seq }
    if (this.#isComplete) return { events, next: undefined }
    return { events, next: this.#last?.seq, searchedTo: this.#last?.event.receivedAt }
  }

  /** At least one part is checked, so that each page gets further. */
  get #isOver(): boolean {
    return this.#found.length > this.#filter.limit || (this.#last !== undefined && this.#now() > this.#endsAt)
  }

  #isWanted({ event }: Candidate, body: Uint8Array | undefined): boolean {
    const { error, handler } = this.#filter
    const { state } = this.#filter
    const isOfError = (delivery: DeliverySummary): boolean =>
      (handler ?? delivery.handler) === delivery.handler &&
      (state === undefined || state === event.state || state === delivery.state) &&
      hasError(delivery, error ?? '')
    if (error !== undefined && !event.deliveries.some(isOfError)) return false
    return !this.needsBodies || (body !== undefined && holdAll(this.#conditions, body))
  }
}
