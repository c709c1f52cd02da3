import { messageOf } from '../model/error-text.ts'
import type { Backlog, Inbox } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { withLimit } from '../model/time-limit.ts'
import type { ClockSkew } from '../receive/clock-skew.ts'

/** `backlog`: deliveries are late. `disk`: it is nearly full. `clock`: it differs from those of the senders. */
export type HealthWarnings = Readonly<Partial<Record<'backlog' | 'disk' | 'clock', string>>>

export interface Health {
  /** Requests can be recorded. */
  readonly ready: boolean
  /** Empty if ready. May be shown to everybody. */
  readonly reasons: readonly string[]
  /** Conditions that need attention although requests are recorded. Absent if there are none. */
  readonly warnings?: HealthWarnings
  /** The free part of the inbox's disk, or of its size limit if that is less: from 0 to 1. Absent if unknown. */
  readonly freeShare?: number
  /** The median of how far the times that senders sign are behind the clock of this machine. Absent if unknown. */
  readonly clockSkewMs?: number
  /** The inbox's own error text: for operators, as it may name a file or a host. */
  readonly detail?: string
}

export interface ReadinessOptions {
  readonly inbox: Pick<Inbox, 'probe'>
  readonly clockSkew?: Pick<ClockSkew, 'medianMs'> | undefined
  readonly maxBacklogAgeMs: number
  /** Whether a backlog makes the process not ready. Default: it is a warning. */
  readonly needsNoBacklog?: boolean | undefined
  readonly log: Pick<Log, 'warn' | 'info'>
  /** Milliseconds on a clock that never goes back. */
  readonly clock?: () => number
  /** Default 2,000. */
  readonly probeTimeoutMs?: number
}

/** A disk with less free is nearly full. */
const leastFree = 0.15
/** In milliseconds. Most providers tolerate five minutes. */
const mostSkewMs = 60_000

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
 * process not ready, and blocks further probes until it ends. A backlog is a warning: all processes share it, so a
 * balancer would take all of them away, and requests that could be recorded would be refused.
 */
export class Readiness {
  readonly #options: ReadinessOptions
  readonly #clock: () => number
  #round: Round | undefined
  #isOverdue = false

  constructor(options: ReadinessOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
  }

  async check(): Promise<Health> {
    const result = await this.#current().result
    if (!result.ok) return { ready: false, reasons: ['the inbox cannot be written to'], detail: result.detail }
    const { needsNoBacklog, clockSkew } = this.#options
    const { freeShare } = result.backlog
    const clockSkewMs = clockSkew?.medianMs
    const backlog = this.#warn(result.backlog)
    const warnings: HealthWarnings = {
      ...(backlog !== undefined && { backlog }),
      ...(freeShare !== undefined && freeShare < leastFree && { disk: describeFree(freeShare) }),
      ...(clockSkewMs !== undefined && Math.abs(clockSkewMs) > mostSkewMs && { clock: describeSkew(clockSkewMs) })
    }
    const ready = backlog === undefined || needsNoBacklog !== true
    return {
      ready,
      reasons: ready ? [] : [backlog],
      ...(Object.keys(warnings).length > 0 && { warnings }),
      ...(freeShare !== undefined && { freeShare }),
      ...(clockSkewMs !== undefined && { clockSkewMs })
    }
  }

  /** Logs the begin and the end of a backlog. */
  #warn({ oldestDueAt }: Backlog): string | undefined {
    const { maxBacklogAgeMs, log } = this.#options
    const ageMs = oldestDueAt === undefined ? 0 : Date.now() - oldestDueAt.getTime()
    const isOverdue = ageMs > maxBacklogAgeMs
    if (isOverdue && !this.#isOverdue)
      log.warn({ overdue_ms: ageMs, limit_ms: maxBacklogAgeMs }, 'backlog: a delivery is overdue')
    if (!isOverdue && this.#isOverdue) log.info({ limit_ms: maxBacklogAgeMs }, 'backlog: no delivery is overdue')
    this.#isOverdue = isOverdue
    return isOverdue ? `a delivery is overdue by ${Math.round(ageMs / 1000)} s` : undefined
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

function describeFree(share: number): string {
  return `${Math.floor(share * 100)} % of the inbox's disk, or of its size limit, is free`
}

function describeSkew(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  return `the clock of this machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} those of the senders`
}
