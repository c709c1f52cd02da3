import { nextTurn } from '../model/timers.ts'
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
/** The most events that are looked at before the time is. */
const partSize = 50
/** The most bytes of bodies in memory at a time. A single body may have more. */
const partBytes = 1_000_000
/** The bytes of bodies that are parsed in one turn of the event loop: some milliseconds. */
const turnBytes = 50_000

/** An event that the other filters select. */
export interface Candidate {
  readonly seq: number
  readonly event: EventSummary
  /** The length of its body in bytes. */
  readonly size: number
}

export interface CandidatePage {
  readonly candidates: readonly Candidate[]
  readonly next: number | undefined
}

/** The bodies of events, by the key of their event. */
export type Bodies = ReadonlyMap<number, Uint8Array>

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

/** One page of a search. The engine calls `next`, `parts` and a `check` until there is no next list. */
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
    for (let rest = candidates; rest.length > 0; ) {
      if (this.#isOver) return
      const part = this.#takePart(rest)
      rest = rest.slice(part.length)
      yield part
    }
    this.#after = next
    this.#isComplete = next === undefined
  }

  /**
   * Checks the events of a part, in a separate thread.
   * @param bodies those of the part, by the key of their event, if they are needed
   */
  check(part: readonly Candidate[], bodies: Bodies): void {
    for (const candidate of part) this.#check(candidate, bodies)
  }

  /** Checks the events of a part, in the thread that receives: other work has its turn in between. */
  async checkInTurns(part: readonly Candidate[], bodies: Bodies): Promise<void> {
    let bytes = 0
    for (const candidate of part) {
      this.#check(candidate, bodies)
      bytes += candidate.size
      if (bytes < turnBytes) continue
      bytes = 0
      await nextTurn()
    }
    await nextTurn()
  }

  result(): EventPage {
    const { limit } = this.#filter
    const found = this.#found.slice(0, limit)
    const events = found.map(({ event }) => event)
    if (this.#found.length > limit) return { events, next: found.at(-1)?.seq }
    if (this.#isComplete) return { events, next: undefined }
    return { events, next: this.#last?.seq, searchedTo: this.#last?.event.receivedAt }
  }

  /** The first events of a list, as many as are checked at a time: at least one. */
  #takePart(rest: readonly Candidate[]): readonly Candidate[] {
    let bytes = 0
    const end = rest.findIndex(({ size }, index) => {
      bytes += this.needsBodies ? size : 0
      return index > 0 && (index === partSize || bytes > partBytes)
    })
    return end === -1 ? rest : rest.slice(0, end)
  }

  #check(candidate: Candidate, bodies: Bodies): void {
    this.#last = candidate
    if (this.#isWanted(candidate, bodies.get(candidate.seq))) this.#found.push(candidate)
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
