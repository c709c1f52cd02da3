import { inOwnContext } from './own-context.ts'
import { clearTimeout, monotonicNow, setTimeout } from './timers.ts'

/** One that waits until a time of `monotonicNow()`. */
export interface Due {
  readonly dueAt: number
  /** Its place among those that wait. Set by `Deadlines`. */
  place?: number | undefined
}

/**
 * Calls a function at the deadline of each entry that is still waiting. Has one timer for all entries, for the earliest
 * deadline: with a timer for each request, a busy receiver would create and delete thousands a second. The timer keeps
 * the process alive only while entries wait.
 */
export class Deadlines<Entry extends Due> {
  readonly #onLate: (entry: Entry) => void
  /**
   * In no order. Not a Set: V8 keeps what a Set that is often changed held before, with the bodies of those requests,
   * until the next collection of the old generation.
   */
  readonly #waiting: Entry[] = []
  #timer: NodeJS.Timeout | undefined
  /** No entry is due before this time. */
  #firstAt = Infinity

  /** @param onLate called once for an entry that is waiting at its deadline; it no longer waits then */
  constructor(onLate: (entry: Entry) => void) {
    this.#onLate = onLate
  }

  /** The number of entries that wait. */
  get size(): number {
    return this.#waiting.length
  }

  add(entry: Entry): void {
    entry.place = this.#waiting.push(entry) - 1
    if (entry.dueAt < this.#firstAt) this.#wakeAt(entry.dueAt)
    else if (this.#waiting.length === 1) this.#timer?.ref()
  }

  delete(entry: Entry): void {
    // The timer stays for the next entry, which often comes at once.
    if (this.#remove(entry) && this.#waiting.length === 0) this.#timer?.unref()
  }

  /** Puts the last entry in its place. */
  #remove(entry: Entry): boolean {
    const { place } = entry
    if (place === undefined) return false
    entry.place = undefined
    const last = this.#waiting.pop() as Entry
    if (last !== entry) {
      this.#waiting[place] = last
      last.place = place
    }
    return true
  }

  #wakeAt(time: number): void {
    clearTimeout(this.#timer)
    this.#firstAt = time
    // Rounded up: a timer counts whole milliseconds, and would wake before the deadline.
    const ms = Math.max(1, Math.ceil(time - monotonicNow()))
    // The timer serves all entries: it must not keep the context of the request that happened to set it.
    this.#timer = inOwnContext(() =>
      setTimeout(() => {
        this.#sweep()
      }, ms)
    )
  }

  /** Ends the entries that are late, and waits for the next one. */
  #sweep(): void {
    this.#timer = undefined
    this.#firstAt = Infinity
    const now = monotonicNow()
    let next = Infinity
    const late: Entry[] = []
    for (const entry of this.#waiting) {
      if (entry.dueAt <= now) late.push(entry)
      else next = Math.min(next, entry.dueAt)
    }
    for (const entry of late) this.#remove(entry)
    if (next !== Infinity) this.#wakeAt(next)
    for (const entry of late) this.#onLate(entry)
  }
}
