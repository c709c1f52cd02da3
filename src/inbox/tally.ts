import type { Outcome } from '../model/event.ts'
import { shorten } from '../model/shorten.ts'
import type { RefusedRequests, TallyKind, TallyQuery, TallyRow } from '../model/tally.ts'
import type { Arrival, PruneTallyRequest, RecordResult, Settlement } from './inbox.ts'

// Shared by the engines. The tally has one row for each minute, kind, name and outcome. Its minutes are counted since
// the epoch. Folding adds the rows of an hour to the row of its first minute.

export const minuteMs = 60_000
export const hourMinutes = 60

/** Converts milliseconds since the epoch to minutes. */
export function toMinute(ms: number): number {
  return Math.floor(ms / minuteMs)
}

/** Returns the first minute of the hour. */
export function toHour(minute: number): number {
  return minute - (minute % hourMinutes)
}

/** Converts a query to minutes: from the first one to that before `end`. */
export function toSpan({ since, until, step }: TallyQuery): { readonly first: number; readonly end: number } {
  const minutes = step === 'hour' ? hourMinutes : 1
  const stepMs = minutes * minuteMs
  return {
    first: Math.floor(since.getTime() / stepMs) * minutes,
    end: Math.ceil(until.getTime() / stepMs) * minutes
  }
}

/** Converts the times of a request to the minutes before which rows are deleted or folded. */
export function toLimits({ deleteBefore, foldBefore }: PruneTallyRequest): {
  readonly deleteBefore: number
  readonly foldBefore: number
} {
  return {
    deleteBefore: toHour(toMinute(deleteBefore.getTime())),
    foldBefore: toHour(toMinute(foldBefore.getTime()))
  }
}

export function toTallyRow({ minute, ...row }: Counted): TallyRow {
  return { at: new Date(minute * minuteMs), ...row }
}

/** A row, or what is to be added to it. */
export interface Counted {
  readonly kind: TallyKind
  readonly minute: number
  readonly name: string
  readonly outcome: string
  readonly count: number
  readonly totalMs: number
  readonly maxMs: number
}

/** The most event types that are counted by name in one minute. */
const mostNames = 200
/** The name for all others. */
const otherNames = 'other'
/** In characters. Sources reject longer event types. */
const longestName = 256

/** Limits the event types that are counted by name: a sender with a secret must not fill the disk. */
export class TallyNames {
  #minute = 0
  readonly #names = new Set<string>()

  /** @returns the name to count the type under */
  take(type: string, minute: number): string {
    if (minute !== this.#minute) this.#names.clear()
    this.#minute = minute
    const name = shorten(type, longestName)
    if (this.#names.size >= mostNames && !this.#names.has(name)) return otherNames
    this.#names.add(name)
    return name
  }
}

/** Counts by minute, kind, name and outcome. */
export class TallyCounts {
  readonly #names = new TallyNames()
  readonly #rows = new Map<string, Counted>()

  get rows(): readonly Counted[] {
    return [...this.#rows.values()]
  }

  /** @param now in milliseconds since the epoch */
  addEvent(type: string, outcome: EventOutcome, now: number): void {
    const minute = toMinute(now)
    this.add({ kind: 'event', minute, name: this.#names.take(type, minute), outcome, count: 1, totalMs: 0, maxMs: 0 })
  }

  /** @param ms how long the attempt ran @param now in milliseconds since the epoch */
  addAttempt(handler: string, outcome: Outcome['state'], ms: number, now: number): void {
    this.add({ kind: 'attempt', minute: toMinute(now), name: handler, outcome, count: 1, totalMs: ms, maxMs: ms })
  }

  addRefusals(refused: readonly RefusedRequests[]): void {
    for (const each of refused) this.add(refusalRow(each))
  }

  add(row: Counted): void {
    const key = keyText(row)
    const known = this.#rows.get(key)
    if (known === undefined) {
      this.#rows.set(key, row)
      return
    }
    this.#rows.set(key, {
      ...known,
      count: known.count + row.count,
      totalMs: known.totalMs + row.totalMs,
      maxMs: Math.max(known.maxMs, row.maxMs)
    })
  }

  delete(row: Counted): void {
    this.#rows.delete(keyText(row))
  }

  /** Deletes all counts. */
  clear(): void {
    this.#rows.clear()
  }
}

function keyText({ kind, minute, outcome, name }: Counted): string {
  return `${kind} ${minute} ${outcome} ${name}`
}

export function refusalRow({ endpoint, code, at, count }: RefusedRequests): Counted {
  return { kind: 'request', minute: toMinute(at.getTime()), name: endpoint, outcome: code, count, totalMs: 0, maxMs: 0 }
}

type EventOutcome = RecordResult | 'backfilled' | 'quarantined'

/** The outcome under which a recorded request is counted. */
export function eventOutcome(result: RecordResult, state: Arrival['state'], isBackfilled: boolean): EventOutcome {
  if (result !== 'accepted') return result
  if (state === 'quarantined') return 'quarantined'
  return isBackfilled ? 'backfilled' : 'accepted'
}

/** How long an attempt ran, in milliseconds. 0 for a lost run, because its end is unknown. */
export function attemptMs({ outcome, startedAt, endedAt }: Settlement): number {
  return outcome.state === 'lost' ? 0 : Math.max(0, endedAt.getTime() - startedAt.getTime())
}
