import type { EventState, Outcome } from '../model/event.ts'
import { shorten } from '../model/shorten.ts'
import {
  minuteMs,
  toMinute,
  type CountedRequests,
  type TallyKind,
  type TallyQuery,
  type TallyRow
} from '../model/tally.ts'
import type { PruneTallyRequest, RecordResult, Settlement } from './inbox.ts'

// Shared by the engines. The tally has one row for each minute, kind, name and outcome. Its minutes are counted since
// the epoch. Folding adds the rows of an hour to the row of its first minute.

export const hourMinutes = 60

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

/** Reverses `toTallyRow`. */
export function toCounted({ at, ...row }: TallyRow): Counted {
  return { minute: toMinute(at.getTime()), ...row }
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
  readonly #groups = new Map<string, Group>()
  /** The group that was used last. Mostly, it is the next one too: this makes counting several times as fast. */
  #last: Group | undefined

  get rows(): readonly Counted[] {
    return [...this.#groups.values()].flatMap(({ rows }) => [...rows.values()])
  }

  /** @param now in milliseconds since the epoch */
  addEvent(type: string, outcome: EventOutcome, now: number): void {
    const group = this.#group('event', toMinute(now), outcome)
    const known = group.rows.get(type)
    if (known === undefined) addTo(group, this.#names.take(type, group.minute), 1, 0, 0)
    else known.count += 1
  }

  /** @param ms how long the attempt ran @param now in milliseconds since the epoch */
  addAttempt(handler: string, outcome: Outcome['state'], ms: number, now: number): void {
    addTo(this.#group('attempt', toMinute(now), outcome), handler, 1, ms, ms)
  }

  addRequests(requests: readonly CountedRequests[]): void {
    for (const each of requests) this.add(requestRow(each))
  }

  add({ kind, minute, name, outcome, count, totalMs, maxMs }: Counted): void {
    addTo(this.#group(kind, minute, outcome), name, count, totalMs, maxMs)
  }

  delete({ kind, minute, name, outcome }: Counted): void {
    this.#group(kind, minute, outcome).rows.delete(name)
  }

  /** Deletes all counts. */
  clear(): void {
    this.#groups.clear()
    this.#last = undefined
  }

  #group(kind: TallyKind, minute: number, outcome: string): Group {
    const last = this.#last
    if (last?.kind === kind && last.minute === minute && last.outcome === outcome) return last
    const key = `${kind} ${minute} ${outcome}`
    let group = this.#groups.get(key)
    if (group === undefined) this.#groups.set(key, (group = { kind, minute, outcome, rows: new Map() }))
    this.#last = group
    return group
  }
}

/** The rows with one kind, minute and outcome, by name. */
interface Group extends Pick<Counted, 'kind' | 'minute' | 'outcome'> {
  readonly rows: Map<string, { -readonly [Column in keyof Counted]: Counted[Column] }>
}

function addTo({ kind, minute, outcome, rows }: Group, name: string, count: number, ms: number, maxMs: number): void {
  const known = rows.get(name)
  if (known === undefined) {
    rows.set(name, { kind, minute, name, outcome, count, totalMs: ms, maxMs })
    return
  }
  known.count += count
  known.totalMs += ms
  known.maxMs = Math.max(known.maxMs, maxMs)
}

export function requestRow({ endpoint, outcome, at, count }: CountedRequests): Counted {
  return { kind: 'request', minute: toMinute(at.getTime()), name: endpoint, outcome, count, totalMs: 0, maxMs: 0 }
}

type EventOutcome = RecordResult | 'backfilled' | 'quarantined'

/** The outcome under which a recorded request is counted. */
export function eventOutcome(result: RecordResult, state: EventState, isBackfilled: boolean): EventOutcome {
  if (result !== 'accepted') return result
  if (state === 'quarantined') return 'quarantined'
  return isBackfilled ? 'backfilled' : 'accepted'
}

/** How long an attempt ran, in milliseconds. 0 for a lost run, because its end is unknown. */
export function attemptMs({ outcome, startedAt, endedAt }: Settlement): number {
  return outcome.state === 'lost' ? 0 : Math.max(0, endedAt.getTime() - startedAt.getTime())
}
