import type { ClaimedDelivery, Inbox, OnLoss, Suspect } from '../inbox/inbox.ts'
import { takenSlots, type Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'
import type { Leases } from './leases.ts'
import type { Run } from './run.ts'

/**
 * How many suspects may run at the same time at first, beside all other deliveries. A larger number loses more runs
 * when one of them ends the process.
 */
const fewSuspects = 4
/**
 * The limit that `fewSuspects` grows to. When one of them ends the process, each of the others has to run alone once.
 */
const mostSuspects = 32
/**
 * A suspect runs alone after it lost this many runs in a row: one beside all others, one beside a few other suspects.
 */
const aloneFrom = 2

export interface SuspectsTimes {
  /** How long to claim nothing, so that running attempts can end before a suspect runs alone. In milliseconds. */
  readonly clearMs: number
  /** How long others wait for a suspect that runs alone. In milliseconds. */
  readonly aloneMs: number
}

export const suspectsTimes: SuspectsTimes = { clearMs: 10_000, aloneMs: 60_000 }

export interface SuspectsOptions {
  readonly inbox: Inbox
  readonly lanes: Lanes
  /** `mayStart` is false if the lease has ended before the answer came: the process was frozen. */
  readonly route: (delivery: ClaimedDelivery, how: { readonly mayStart: boolean }) => void
  readonly leases: Leases
  readonly owner: string
  readonly leaseMs: number
  readonly pollMs: number
  /** The most attempts that run at the same time in this process. */
  readonly concurrency: number
  readonly times: SuspectsTimes
  /** The time in milliseconds since the epoch. */
  readonly clock: () => number
}

/**
 * `open`      Claim everything, suspects a few at a time. A suspect must run alone -> clearing, or alone if idle.
 * `clearing`  Claim nothing until all runs have ended -> alone. After `clearMs`, run it beside the others -> open.
 * `alone`     Run one suspect and claim nothing else. When it ends, or after `aloneMs` -> open.
 */
type Mode = 'open' | 'clearing' | 'alone'

/**
 * Runs suspects: deliveries whose last run was lost. When a process dies, any delivery that ran in it may be the cause.
 * A few suspects run at the same time at first. The limit grows by one for each that ends while the process lives,
 * because after a power cut none is the cause. After another loss, each runs alone, and only a run that is lost alone
 * counts as a failed attempt. So a delivery that kills its process each time uses up only its own attempts.
 *
 * Suspects delay other deliveries by at most `clearMs + aloneMs`. The others then get the same time before the next
 * suspect runs alone.
 */
export class Suspects {
  readonly #options: SuspectsOptions
  #mode: Mode = 'open'
  /** Start of the mode, its latest end, and the earliest start of the next `clearing`. Monotonic clock. */
  #since = 0
  #until = 0
  #notBefore = 0
  #pollAt = 0
  /** The delivery that runs alone. */
  #alone: number | undefined
  /** How many suspects may run at the same time now. */
  #limit = fewSuspects

  constructor(options: SuspectsOptions) {
    this.#options = options
  }

  /** True while only suspects may be claimed. */
  get isClosed(): boolean {
    return this.#mode !== 'open'
  }

  /** How to count the loss if this run is lost now. */
  onLoss({ delivery }: Pick<Run, 'delivery'>): OnLoss {
    return this.#mode === 'alone' && this.#alone === delivery.id ? 'attempt' : 'loss'
  }

  /** Call when a run ended while the process lives: one more suspect may run at the same time. */
  survived({ delivery }: Pick<Run, 'delivery'>): void {
    if (delivery.suspicion === 0) return
    this.#limit = Math.min(mostSuspects, this.#limit + 1)
    // Poll at once: a slot is free.
    this.#pollAt = 0
  }

  /** Claims the suspects to run now, and routes them. @throws the inbox's errors */
  async claim(): Promise<void> {
    const { inbox, leases, lanes, pollMs } = this.#options
    if (this.#mode === 'alone' && !(await this.#hasEnded())) return
    const now = performance.now()
    if (now < this.#pollAt) return
    this.#pollAt = now + pollMs
    if (lanes.all.length === 0) return
    const due = await inbox.suspects(lanes.all.map(({ handler }) => handler))
    const running = leases.all.filter((run) => run.isUnderWay && run.delivery.suspicion > 0)
    const [first] = due
    const mayClear = this.#mode !== 'open' || now >= this.#notBefore
    if (mayClear && first !== undefined && first.suspicion >= aloneFrom) {
      if (running.length === 0) await this.#claimAlone(due, now)
      return
    }
    if (this.#mode === 'clearing') this.#open(now)
    if (!running.some(({ delivery }) => delivery.suspicion >= aloneFrom)) await this.#claimFew(due, running.length)
  }

  /** Claims suspects that may run beside others. */
  async #claimFew(due: readonly Suspect[], running: number): Promise<void> {
    const { lanes, concurrency } = this.#options
    const slots = new Map(lanes.all.map((lane) => [lane.handler.name, freeSlots(lane)]))
    const free = Math.min(
      this.#limit - running,
      concurrency - lanes.all.reduce((sum, lane) => sum + takenSlots(lane), 0)
    )
    const chosen: Suspect[] = []
    for (const suspect of due) {
      if (chosen.length >= free) break
      const own = slots.get(suspect.handler) ?? 0
      if (suspect.suspicion >= aloneFrom || own <= 0) continue
      slots.set(suspect.handler, own - 1)
      chosen.push(suspect)
    }
    if (chosen.length > 0) await this.#claimThese(chosen, 'loss', () => undefined)
  }

  async #claimAlone(due: readonly Suspect[], now: number): Promise<void> {
    const { lanes, leases, times } = this.#options
    if (this.#mode === 'open') this.#enter('clearing', now, times.clearMs)
    // Count runs whose outcome is not stored yet, because a crash would lose them too, and claims under way.
    const isAlone = leases.all.length === 0 && lanes.all.every((lane) => takenSlots(lane) === 0)
    if (!isAlone && now < this.#until) return
    const enter = (id: number): void => {
      if (!isAlone) return
      this.#alone = id
      this.#enter('alone', this.#since, now - this.#since + times.aloneMs)
    }
    // Try several: the order key of the first may be running in another process.
    for (const suspect of due.filter(({ suspicion }) => suspicion >= aloneFrom).slice(0, 10)) {
      const isClaimed = await this.#claimThese([suspect], isAlone ? 'attempt' : 'loss', enter)
      if (isClaimed && isAlone) return
      if (isClaimed) break
    }
    this.#open(now)
  }

  async #hasEnded(): Promise<boolean> {
    const { inbox, leases, leaseMs } = this.#options
    const run = this.#alone === undefined ? undefined : leases.get(this.#alone)
    const now = performance.now()
    const isOver = run === undefined || !run.isUnderWay
    if (!isOver && now < this.#until) return false
    // Others run beside it from now on, so its loss no longer proves that it is the cause.
    if (!isOver) await inbox.extend([{ id: run.delivery.id, token: run.delivery.token }], leaseMs, 'loss')
    this.#alone = undefined
    this.#open(now)
    return true
  }

  /**
   * Claims suspects and routes them. Their slots are kept meanwhile.
   * @param onClaimed called for each before it is routed
   * @returns false if none was claimed
   */
  async #claimThese(chosen: readonly Suspect[], onLoss: OnLoss, onClaimed: (id: number) => void): Promise<boolean> {
    const { inbox, lanes, owner, leaseMs, route, clock } = this.#options
    const kept = lanes.keep(chosen)
    const leasedUntil = clock() + leaseMs
    try {
      const claimed = await inbox.claimSuspects({ owner, leaseMs, ids: chosen.map(({ id }) => id), onLoss })
      for (const delivery of claimed) {
        onClaimed(delivery.id)
        route(delivery, { mayStart: clock() < leasedUntil })
      }
      return claimed.length > 0
    } finally {
      lanes.release(kept)
    }
  }

  /** Reopens, and gives the others as much time as they had to wait. */
  #open(now: number): void {
    this.#notBefore = now + (now - this.#since)
    this.#enter('open', now, 0)
    this.#pollAt = 0
  }

  /** The only place where the mode changes. */
  #enter(mode: Mode, since: number, ms: number): void {
    this.#mode = mode
    this.#since = since
    this.#until = since + ms
  }
}

function freeSlots(lane: Lane): number {
  return lane.handler.concurrency - takenSlots(lane)
}
