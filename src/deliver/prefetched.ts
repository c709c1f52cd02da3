import type { AnyEvent } from '../model/event.ts'
import type { Lane } from './lane.ts'
import type { Run } from './run.ts'

/** A claimed delivery that waits in this process for a slot of its handler. */
interface Waiting {
  readonly run: Run
  /** The event, if it was read when it was received. */
  readonly read: AnyEvent | undefined
  /** Milliseconds since the epoch. */
  readonly since: number
}

/**
 * The deliveries that this process has claimed before a slot of their handler was free, in order. `Pace` limits their
 * number, so that they begin soon.
 */
export class Prefetched {
  readonly #byLane = new Map<Lane, Waiting[]>()
  readonly #clock: () => number
  readonly #longestMs: number

  /** @param longestMs how long one may wait: then the handler has become slow, or this process stood still */
  constructor(clock: () => number, longestMs: number) {
    this.#clock = clock
    this.#longestMs = longestMs
  }

  add(run: Run, lane: Lane, read: AnyEvent | undefined): void {
    const waiting = this.#byLane.get(lane) ?? []
    this.#byLane.set(lane, waiting)
    waiting.push({ run, read, since: this.#clock() })
    lane.prefetched += 1
  }

  /** Takes the one that waited longest, unless any waited for too long. */
  next(lane: Lane): Waiting | undefined {
    const waiting = this.#byLane.get(lane) ?? []
    if (waiting.length === 0 || this.#isOverdue(waiting)) return undefined
    lane.prefetched -= 1
    return waiting.shift()
  }

  /** Takes those of each handler for which one has waited for too long. */
  takeOverdue(): readonly Run[] {
    return this.#take((waiting) => this.#isOverdue(waiting))
  }

  takeAll(): readonly Run[] {
    return this.#take(() => true)
  }

  #take(isTaken: (waiting: readonly Waiting[]) => boolean): readonly Run[] {
    const taken: Run[] = []
    for (const [lane, waiting] of this.#byLane) {
      if (waiting.length === 0 || !isTaken(waiting)) continue
      lane.prefetched -= waiting.length
      taken.push(...waiting.map(({ run }) => run))
      this.#byLane.delete(lane)
    }
    return taken
  }

  #isOverdue([first]: readonly Waiting[]): boolean {
    if (first === undefined) return false
    const waited = this.#clock() - first.since
    // The clock was set back: it may have waited for any time.
    return waited > this.#longestMs || waited < 0
  }
}
