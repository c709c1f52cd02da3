import type { Registry } from '@prometheus-io/client'

import type { Inbox } from '../../inbox/inbox.ts'
import type { Alarm } from '../../model/alarm.ts'
import { channels, type ChannelMessages } from '../../model/channels.ts'
import { loggedError } from '../../model/error-text.ts'
import { openStates } from '../../model/event.ts'
import type { Log } from '../../model/log.ts'
import { Made, type FindSpanIds } from './create.ts'
import { Known } from './known.ts'
import { Levels } from './levels.ts'
import { refusalResult } from './refusal-result.ts'
import { actions, actOutcomes, attemptOutcomes, other, requestResults } from './table.ts'

/** The receiver that is measured. */
export interface MetricsSubject {
  readonly endpoints: readonly { readonly path: string; readonly realm: string; readonly hasBackfill: boolean }[]
  readonly handlers: readonly { readonly name: string; readonly concurrency: number }[]
  /** The event types of the catalogues and of the handlers. */
  readonly types: readonly string[]
  readonly inbox: Pick<Inbox, 'name' | 'levels' | 'events'>
  readonly version: string
  readonly canRecord: () => Promise<boolean>
  /** How many attempts of each handler run now. */
  readonly running: () => ReadonlyMap<string, number>
  readonly registrations: () => readonly { readonly endpoint: string; readonly state: string }[]
  /** The alarms that are raised. */
  readonly alarms: () => readonly Pick<Alarm, 'condition' | 'subject'>[]
  /** The ids of the active span, if it is sampled: of the request that was answered, or of the attempt. */
  readonly spanIds: FindSpanIds
  readonly log: Pick<Log, 'debug' | 'warn'>
}

/** The most handlers, event types, and pairs of event type and rule that are not counted as `other`. */
const most = { handlers: 64, types: 400, mismatches: 200 }

/**
 * Counts what the diagnostics channels say about the endpoints and realms of a receiver, and reads the rest at each
 * scrape.
 */
export class Metrics {
  readonly #subject: MetricsSubject
  readonly #registry: Registry
  readonly #endpoints: ReadonlyMap<string, { readonly endpoint: string }>
  readonly #realms: ReadonlySet<string>
  readonly #lastEvent = new Map<string, number>()
  readonly #skew = new Map<string, number>()
  readonly #backfilled = new Map<string, number>()
  readonly #ends: (() => void)[] = []

  /**
   * @param hasExemplars whether durations name a sampled trace; then the registry must be one of OpenMetrics
   * @throws if the registry has a metric of one of these names
   */
  constructor(registry: Registry, subject: MetricsSubject, hasExemplars = false) {
    const { endpoints, handlers, types, log } = subject
    this.#subject = subject
    this.#registry = registry
    this.#endpoints = new Map(endpoints.map(({ path }) => [path, { endpoint: path }]))
    this.#realms = new Set(endpoints.map(({ realm }) => realm))
    const knownHandlers = new Known(
      handlers.map(({ name }) => name),
      most.handlers
    )
    if (knownHandlers.left > 0)
      log.warn(
        { handlers: handlers.length, most: most.handlers },
        'metrics: handlers beyond the limit share the label "other"'
      )
    const made = new Made(registry, hasExemplars)
    this.#countRequests(made)
    this.#countEvents(made, new Known(types, most.types))
    this.#countAttempts(made, knownHandlers)
    this.#countBackground(made)
    this.#readProcess(made, knownHandlers)
    this.#readInbox(made, knownHandlers)
  }

  /** Renders all metrics of the registry. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** Finds when the last events arrived before the start: a restart must not look like silence. Never rejects. */
  async readLastEvents(): Promise<void> {
    const { inbox, log } = this.#subject
    try {
      const { events } = await inbox.events({ limit: 100 })
      for (const { endpoint, receivedAt, backfilled } of events)
        if (this.#endpoints.has(endpoint) && !backfilled) this.#sawEvent(endpoint, receivedAt.getTime())
    } catch (error) {
      log.debug({ err: loggedError(error) }, 'metrics: the time of the last event could not be read')
    }
  }

  /** Counts nothing any more. */
  end(): void {
    for (const end of this.#ends) end()
  }

  #on<Name extends keyof ChannelMessages>(name: Name, count: (message: ChannelMessages[Name]) => void): void {
    const subscriber = (message: unknown): void => {
      count(message as ChannelMessages[Name])
    }
    channels[name].subscribe(subscriber)
    this.#ends.push(() => {
      channels[name].unsubscribe(subscriber)
    })
  }

  #sawEvent(endpoint: string, at: number): void {
    this.#lastEvent.set(endpoint, Math.max(at, this.#lastEvent.get(endpoint) ?? 0))
  }

  #countRequests(made: Made): void {
    const requests = made.counter('riverhook_requests_total')
    const duration = made.traced('riverhook_request_duration_seconds', this.#subject.spanIds)
    for (const { endpoint } of this.#endpoints.values())
      for (const result of requestResults) requests.inc({ endpoint, result }, 0)
    this.#on('answered', ({ endpoint, result, code, duration_ms, skew_ms }) => {
      const labels = this.#endpoints.get(endpoint)
      if (labels === undefined) return
      requests.inc({ endpoint, result: result === 'refused' ? refusalResult(code) : result })
      duration(labels, duration_ms / 1_000)
      if (skew_ms !== undefined) this.#skew.set(endpoint, skew_ms)
    })
    made.gauge('riverhook_clock_skew_seconds', (gauge) => {
      for (const [endpoint, ms] of this.#skew) gauge.set({ endpoint }, ms / 1_000)
    })
  }

  #countEvents(made: Made, known: Known): void {
    const events = made.counter('riverhook_events_total')
    const age = made.histogram('riverhook_event_age_seconds')
    const drift = made.counter('riverhook_drift_total')
    for (const type of known.all) events.inc({ type }, 0)
    this.#on('received', ({ endpoint, event_type, result, age_ms }) => {
      const labels = this.#endpoints.get(endpoint)
      if (labels === undefined) return
      this.#sawEvent(endpoint, Date.now())
      if (result !== 'accepted') return
      events.inc({ type: known.label(event_type) })
      if (age_ms !== undefined) age(labels, age_ms / 1_000)
    })
    made.gauge('riverhook_last_event_timestamp_seconds', (gauge) => {
      for (const [endpoint, at] of this.#lastEvent) gauge.set({ endpoint }, at / 1_000)
    })
    const pairs = new Set<string>()
    this.#on('drift', ({ endpoint, event_type, rule }) => {
      if (!this.#endpoints.has(endpoint)) return
      const type = known.label(event_type)
      const pair = JSON.stringify([type, rule])
      if (!pairs.has(pair) && pairs.size >= most.mismatches) {
        drift.inc({ type: other, rule: other })
        return
      }
      pairs.add(pair)
      drift.inc({ type, rule })
    })
  }

  #countAttempts(made: Made, known: Known): void {
    const attempts = made.counter('riverhook_attempts_total')
    const duration = made.traced('riverhook_attempt_duration_seconds', this.#subject.spanIds)
    const latency = made.histogram('riverhook_delivery_latency_seconds')
    for (const handler of known.all) for (const outcome of attemptOutcomes) attempts.inc({ handler, outcome }, 0)
    this.#on('settled', ({ realm, handler: name, state, duration_ms, latency_ms }) => {
      if (!this.#realms.has(realm)) return
      const handler = known.label(name)
      attempts.inc({ handler, outcome: state === 'lost' ? 'lease_lost' : state })
      // Other outcomes say nothing about the handler: it did not run to its end.
      if (state === 'done' || state === 'retry' || state === 'dead') duration({ handler }, duration_ms / 1_000)
      if (state === 'done') latency({ handler }, latency_ms / 1_000)
    })
  }

  #countBackground(made: Made): void {
    const commit = made.histogram('riverhook_inbox_commit_duration_seconds')
    const batch = made.histogram('riverhook_inbox_batch_events')
    this.#on('committed', ({ arrivals, duration_ms }) => {
      commit({}, duration_ms / 1_000)
      batch({}, arrivals)
    })
    const purged = made.counter('riverhook_retention_purged_total')
    this.#on('purged', ({ events }) => {
      purged.inc(events)
    })
    const recovered = made.counter('riverhook_backfill_recovered_total')
    for (const { path: endpoint, hasBackfill } of this.#subject.endpoints)
      if (hasBackfill) recovered.inc({ endpoint }, 0)
    this.#on('backfilled', ({ endpoint, recovered: count }) => {
      if (!this.#endpoints.has(endpoint)) return
      recovered.inc({ endpoint }, count)
      this.#backfilled.set(endpoint, Date.now())
    })
    made.gauge('riverhook_backfill_last_success_timestamp_seconds', (gauge) => {
      for (const [endpoint, at] of this.#backfilled) gauge.set({ endpoint }, at / 1_000)
    })
    const acts = made.counter('riverhook_admin_requests_total')
    const known = new Known(actions, actions.length)
    for (const action of known.all) for (const outcome of actOutcomes) acts.inc({ action, outcome }, 0)
    this.#on('audited', ({ via, action, count }) => {
      if (via !== 'code' && via !== 'command')
        acts.inc({ action: known.label(action), outcome: count > 0 ? 'changed' : 'unchanged' })
    })
  }

  #readProcess(made: Made, known: Known): void {
    const { handlers, running, registrations, alarms, version, inbox } = this.#subject
    made.gauge('riverhook_attempts_running', (gauge) => {
      for (const [handler, count] of sumByLabel(handlers, known, ({ name }) => running().get(name) ?? 0))
        gauge.set({ handler }, count)
    })
    made.gauge('riverhook_concurrency_limit', (gauge) => {
      for (const [handler, count] of sumByLabel(handlers, known, ({ concurrency }) => concurrency))
        gauge.set({ handler }, count)
    })
    made.gauge('riverhook_registration_ok', (gauge) => {
      for (const { endpoint, state } of registrations())
        if (state !== 'unknown') gauge.set({ endpoint }, state === 'in_sync' ? 1 : 0)
    })
    const subjects = new Known(['', ...this.#endpoints.keys(), ...known.all], Infinity)
    made.gauge('riverhook_alarm_active', (gauge) => {
      gauge.reset()
      for (const { condition: alarm, subject } of alarms()) gauge.set({ alarm, subject: subjects.label(subject) }, 1)
    })
    made.gauge('riverhook_build_info', (gauge) => {
      gauge.set({ version, inbox: inbox.name, node: process.versions.node }, 1)
    })
  }

  #readInbox(made: Made, known: Known): void {
    const { inbox, canRecord, log } = this.#subject
    const levels = new Levels({ read: () => inbox.levels(), canRecord, log })
    made.gauge('riverhook_inbox_up', async (gauge) => {
      await levels.refresh()
      gauge.set(levels.isUp ? 1 : 0)
    })
    made.gauge('riverhook_inbox_deliveries', async (gauge) => {
      await levels.refresh()
      if (levels.last === undefined) return
      const { byHandler } = levels.last
      for (const state of openStates) {
        for (const handler of known.all) gauge.set({ handler, state }, 0)
        for (const counts of byHandler) gauge.inc({ handler: known.label(counts.handler), state }, counts[state])
      }
    })
    made.gauge('riverhook_inbox_quarantined', async (gauge) => {
      await levels.refresh()
      if (levels.last !== undefined) gauge.set(levels.last.quarantined)
    })
    made.gauge('riverhook_inbox_oldest_due_seconds', async (gauge) => {
      await levels.refresh()
      if (levels.last === undefined) return
      const { oldestDueAt } = levels.last
      gauge.set(oldestDueAt === undefined ? 0 : Math.max(0, Date.now() - oldestDueAt.getTime()) / 1_000)
    })
    made.gauge('riverhook_inbox_size_bytes', async (gauge) => {
      await levels.refresh()
      if (levels.last?.sizeBytes !== undefined) gauge.set(levels.last.sizeBytes)
    })
    made.gauge('riverhook_inbox_oldest_event_timestamp_seconds', async (gauge) => {
      await levels.refresh()
      if (levels.last?.oldestEventAt !== undefined) gauge.set(levels.last.oldestEventAt.getTime() / 1_000)
    })
  }
}

/** Adds the values of handlers that share a label. */
function sumByLabel<Each extends { readonly name: string }>(
  handlers: readonly Each[],
  known: Known,
  valueOf: (handler: Each) => number
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const handler of handlers) {
    const label = known.label(handler.name)
    sums.set(label, (sums.get(label) ?? 0) + valueOf(handler))
  }
  return sums
}
