import { messageOf } from '../model/error-text.ts'
import type { Backlog, Inbox } from '../inbox/inbox.ts'
import { withLimit } from '../model/time-limit.ts'

export interface Health {
  readonly ready: boolean
  /** Empty if ready. May be shown to everybody. */
  readonly reasons: readonly string[]
  /** The inbox's own error text: for operators, as it may name a file or a host. */
  readonly detail?: string
}

export interface ReadinessOptions {
  readonly inbox: Pick<Inbox, 'probe'>
  readonly maxBacklogAgeMs: number
  /** Milliseconds on a clock that never goes back. */
  readonly clock?: () => number
  /** Default 2,000. */
  readonly probeTimeoutMs?: number
}

/** Minimum time between probes, in milliseconds. A probe writes to the store, and anybody can call the health check. */
const probeEveryMs = 1_000

type Result = { readonly ok: true; readonly backlog: Backlog } | { readonly ok: false; readonly detail: string }

interface Round {
  readonly startedAt: number
  readonly result: Promise<Result>
  isRunning: boolean
}

/**
 * Probes the inbox for all callers: one probe at a time, and at most one each second. A probe that hangs makes the
 * process not ready, and blocks further probes until it ends.
 */
export class Readiness {
  readonly #options: ReadinessOptions
  readonly #clock: () => number
  #round: Round | undefined

  constructor(options: ReadinessOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
  }

  async check(): Promise<Health> {
    const result = await this.#current().result
    if (!result.ok) return { ready: false, reasons: ['the inbox cannot be written to'], detail: result.detail }
    const { oldestDueAt } = result.backlog
    const ageMs = oldestDueAt === undefined ? 0 : Date.now() - oldestDueAt.getTime()
    if (ageMs <= this.#options.maxBacklogAgeMs) return { ready: true, reasons: [] }
    return { ready: false, reasons: [`a delivery is overdue by ${Math.round(ageMs / 1000)} s`] }
  }

  #current(): Round {
    const now = this.#clock()
    const last = this.#round
    if (last !== undefined && (last.isRunning || now - last.startedAt < probeEveryMs)) return last
    return (this.#round = this.#start(now))
  }

  #start(startedAt: number): Round {
    const { inbox, probeTimeoutMs = 2_000 } = this.#options
    // Called inside a promise, because a user's engine may throw instead of rejecting.
    const probing = Promise.resolve()
      .then(() => inbox.probe())
      .finally(() => {
        round.isRunning = false
      })
    const result = withLimit(
      probeTimeoutMs,
      probing,
      () => new Error(`no answer to a probe within ${probeTimeoutMs} ms`)
    ).then(
      (backlog): Result => ({ ok: true, backlog }),
      (error: unknown): Result => ({ ok: false, detail: messageOf(error) })
    )
    const round: Round = { startedAt, result, isRunning: true }
    return round
  }
}
