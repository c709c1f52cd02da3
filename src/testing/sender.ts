import type { Clock } from './clock.ts'
import { scenarios, type Scenario, type ScenarioName, type Way } from './scenarios.ts'
import { send, type Seen } from './send.ts'

/** One POST, as seen by the sender. */
export interface Attempt {
  readonly eventId: string
  readonly eventType: string
  readonly webhookId: string
  /** From 1. The duplicates of a scenario have the same number. */
  readonly attempt: number
  readonly scenario: ScenarioName
  readonly at: Date
  /** The HTTP status; undefined without an answer. */
  readonly status: number | undefined
  readonly error: string | undefined
}

/** The requests of a simulated provider, and when they have ended. */
export interface SimulatedSender {
  /** Every request that was sent, oldest first. */
  readonly attempts: readonly Attempt[]
  /** Resolves when nothing is being sent. Scheduled retries do not count. */
  idle(): Promise<void>
  /**
   * Resolves when every event was acknowledged, or given up after its retries. With a driven clock, the test must
   * advance it.
   */
  settled(): Promise<void>
  /** Stops: finishes requests in progress, and cancels scheduled retries. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** An event that was sent. */
export interface SimulatedEvent {
  readonly id: string
  readonly type: string
}

/** A webhook to send to. */
export interface Receiving {
  readonly id: string
  readonly address: string
  readonly enabled: boolean
}

/** Where events go, and what their requests look like. */
export interface Wire<E extends SimulatedEvent> {
  /** The enabled webhooks for events of a type. */
  subscribed(type: string): readonly Receiving[]
  /** Undefined: it was deleted. */
  find(webhookId: string): Receiving | undefined
  /** Called when an event was delivered or given up. */
  ended(webhookId: string, succeeded: boolean): unknown
  /** The headers and the body of one request. @throws {Error} if it cannot be made */
  request(webhook: Receiving, event: E, way: Pick<Way, 'secret' | 'mode'>, at: Date): Promise<WireRequest>
  /** Called with the status of each answer. */
  answered?(webhookId: string, status: number): void
}

export interface WireRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface SenderOptions<E extends SimulatedEvent> {
  readonly wire: Wire<E>
  readonly clock: Clock
  /** The signed time. */
  readonly signatureNow: () => Date
  readonly retries: readonly number[]
  readonly timeoutMs: number
  /** The delay of the scenario `delay`, in milliseconds. */
  readonly delayMs: number
  /** How long a body takes in the scenario `slow-body`. */
  readonly slowBodyMs: number
  /** Called after each attempt. */
  readonly onAttempt?: ((attempt: Attempt) => unknown) | undefined
}

/** The delivery of an event to one webhook that is neither acknowledged nor given up. */
interface Open<E> {
  readonly webhookId: string
  readonly event: E
  readonly scenario: ScenarioName
  readonly ended: PromiseWithResolvers<undefined>
  /** Cancels the scheduled attempt. */
  callOff: () => void
}

/** Delivers events to the webhooks that subscribe to their type, and retries by the clock. */
export class Sender<E extends SimulatedEvent> {
  readonly #options: SenderOptions<E>
  readonly #underWay = new Set<Promise<void>>()
  readonly #open = new Set<Open<E>>()
  #isClosed = false
  readonly attempts: Attempt[] = []

  constructor(options: SenderOptions<E>) {
    this.#options = options
  }

  /** Sends an event to all subscribed webhooks. Resolves when the first attempts have ended or are scheduled. */
  async deliver(event: E, scenario: ScenarioName): Promise<void> {
    const { clock, delayMs, wire } = this.#options
    const { delayed }: Scenario = scenarios[scenario]
    await Promise.all(
      wire.subscribed(event.type).map(async ({ id }) => {
        const open: Open<E> = {
          webhookId: id,
          event,
          scenario,
          ended: Promise.withResolvers(),
          callOff: () => undefined
        }
        this.#open.add(open)
        const first = (): Promise<void> => this.#track(this.#attempt(open, 1))
        if (delayed === true) open.callOff = clock.after(delayMs, first)
        else await first()
      })
    )
  }

  /** The number of webhooks that have not acknowledged the event and are not given up. */
  pendingOf(eventId: string): number {
    return [...this.#open].filter(({ event }) => event.id === eventId).length
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Resolves when every event was acknowledged or given up. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all([...this.#open].map(({ ended }) => ended.promise))
    await this.idle()
  }

  /** Stops: requests in progress end, and scheduled ones are cancelled. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const open of this.#open) open.callOff()
    await this.idle()
    for (const open of this.#open) this.#close(open)
  }

  async #track(run: Promise<void>): Promise<void> {
    this.#underWay.add(run)
    try {
      await run
    } finally {
      this.#underWay.delete(run)
    }
  }

  async #attempt(open: Open<E>, attempt: number): Promise<void> {
    const { webhookId, event, scenario } = open
    const webhook = this.#options.wire.find(webhookId)
    // The webhook was deleted or disabled in the meantime: send nothing.
    if (webhook?.enabled !== true || this.#isClosed) {
      this.#close(open)
      return
    }
    const { sends, concurrent }: Scenario = scenarios[attempt === 1 ? scenario : 'normal']
    const one = async (way: Way): Promise<Seen> => {
      const seen = await this.#post(webhook, event, way)
      this.#note({
        eventId: event.id,
        eventType: event.type,
        webhookId,
        attempt,
        scenario,
        at: this.#options.clock.now(),
        status: 'status' in seen ? seen.status : undefined,
        error: 'error' in seen ? seen.error : undefined
      })
      return seen
    }
    const all: Seen[] = []
    if (concurrent === true) all.push(...(await Promise.all(sends.map(one))))
    else for (const way of sends) all.push(await one(way))
    const last = all.at(-1)
    this.#ended(open, attempt, last !== undefined && 'status' in last && last.status >= 200 && last.status < 300)
  }

  #ended(open: Open<E>, attempt: number, succeeded: boolean): void {
    const { wire, clock, retries } = this.#options
    const pauseMs = succeeded ? undefined : retries[attempt - 1]
    if (pauseMs !== undefined && !this.#isClosed) {
      open.callOff = clock.after(pauseMs, () => this.#track(this.#attempt(open, attempt + 1)))
      return
    }
    // A delivery whose retries were cancelled has not failed.
    if (pauseMs === undefined) wire.ended(open.webhookId, succeeded)
    this.#close(open)
  }

  #close(open: Open<E>): void {
    this.#open.delete(open)
    open.ended.resolve(undefined)
  }

  async #post(webhook: Receiving, event: E, { shape = 'whole', timeShiftMs = 0, ...way }: Way): Promise<Seen> {
    const { wire, signatureNow, timeoutMs, slowBodyMs } = this.#options
    try {
      const at = new Date(signatureNow().getTime() + timeShiftMs)
      const { headers, body } = await wire.request(webhook, event, way, at)
      const seen = await send({ address: webhook.address, headers, body, shape, timeoutMs, slowBodyMs })
      if ('status' in seen) wire.answered?.(webhook.id, seen.status)
      return seen
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  #note(attempt: Attempt): void {
    this.attempts.push(attempt)
    this.#options.onAttempt?.(attempt)
  }
}
