import { randomUUID } from 'node:crypto'

import type { Event } from '../../index.ts'
import type { Clock } from '../clock.ts'
import { sign } from '../sign.ts'
import type { Account, SimulatedWebhook } from './account.ts'
import type { Dialect } from './api.ts'
import { Tokens } from './oauth-token.ts'
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

export interface SenderOptions {
  readonly account: Account
  readonly clock: Clock
  /** The signed time. */
  readonly signatureNow: () => Date
  readonly retries: readonly number[]
  readonly timeoutMs: number
  readonly disableAfter: number
  /** The delay of the scenario `delay`, in milliseconds. */
  readonly delayMs: number
  /** How long a body takes in the scenario `slow-body`. */
  readonly slowBodyMs: number
  /** The secret of the scenario `wrong-mode`. Undefined: an unknown one. */
  readonly otherModeSecret: string | undefined
  readonly dialect?: Pick<Dialect, 'signatureOrder' | 'tokenClient'>
  /** Called after each attempt. */
  readonly onAttempt?: ((attempt: Attempt) => unknown) | undefined
}

/** The delivery of an event to one webhook that is neither acknowledged nor given up. */
interface Open {
  readonly webhookId: string
  readonly event: Event
  readonly scenario: ScenarioName
  readonly ended: PromiseWithResolvers<undefined>
  /** Cancels the scheduled attempt. */
  callOff: () => void
}

/** Delivers events to the webhooks that subscribe to their type, and retries by the clock. */
export class Sender {
  readonly #options: SenderOptions
  readonly #tokens: Tokens
  readonly #underWay = new Set<Promise<void>>()
  readonly #open = new Set<Open>()
  #isClosed = false
  #posts = 0
  readonly attempts: Attempt[] = []

  constructor(options: SenderOptions) {
    this.#options = options
    this.#tokens = new Tokens(options.clock, options.timeoutMs, options.dialect?.tokenClient)
  }

  /** Sends an event to all subscribed webhooks. Resolves when the first attempts have ended or are scheduled. */
  async deliver(event: Event, scenario: ScenarioName): Promise<void> {
    const subscribed = this.#options.account.webhooks.filter(
      ({ enabled, types }) => enabled && types.includes(event.type)
    )
    const { clock, delayMs } = this.#options
    const { delayed }: Scenario = scenarios[scenario]
    await Promise.all(
      subscribed.map(async ({ id }) => {
        const open: Open = { webhookId: id, event, scenario, ended: Promise.withResolvers(), callOff: () => undefined }
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

  async #attempt(open: Open, attempt: number): Promise<void> {
    const { webhookId, event, scenario } = open
    const webhook = this.#options.account.webhooks.find(({ id }) => id === webhookId)
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

  #ended(open: Open, attempt: number, succeeded: boolean): void {
    const { account, clock, retries, disableAfter } = this.#options
    const pauseMs = succeeded ? undefined : retries[attempt - 1]
    if (pauseMs !== undefined && !this.#isClosed) {
      open.callOff = clock.after(pauseMs, () => this.#track(this.#attempt(open, attempt + 1)))
      return
    }
    // A delivery whose retries were cancelled has not failed.
    if (pauseMs === undefined) account.ended(open.webhookId, succeeded, disableAfter)
    this.#close(open)
  }

  #close(open: Open): void {
    this.#open.delete(open)
    open.ended.resolve(undefined)
  }

  async #post(
    webhook: SimulatedWebhook,
    event: Event,
    { shape = 'whole', secret, timeShiftMs = 0, mode }: Way
  ): Promise<Seen> {
    const { account, signatureNow, timeoutMs, slowBodyMs, otherModeSecret = `whk_${randomUUID()}` } = this.#options
    const body = Buffer.from(JSON.stringify(mode === 'wrong' ? { ...event, liveMode: !event.liveMode } : event))
    try {
      // The webhook may have been deleted since the last request.
      const secrets =
        mode === 'wrong'
          ? [otherModeSecret]
          : secret === 'wrong'
            ? [`whk_${randomUUID()}`]
            : this.#inOrder(account.secretsOf(webhook.id))
      const headers = {
        'content-type': 'application/json',
        ...sign({ body, secret: secrets, at: new Date(signatureNow().getTime() + timeShiftMs) }),
        ...(await this.#authorization(webhook))
      }
      return await send({ address: webhook.address, headers, body, shape, timeoutMs, slowBodyMs })
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  /**
   * The provider does not document the order of the signatures during a rotation. A receiver that checks only the first
   * must not pass by luck.
   */
  #inOrder(oldestFirst: readonly string[]): readonly string[] {
    const { signatureOrder = 'alternating' } = this.#options.dialect ?? {}
    this.#posts += 1
    const isNewestFirst = signatureOrder === 'newest' || (signatureOrder === 'alternating' && this.#posts % 2 === 0)
    return isNewestFirst ? oldestFirst.toReversed() : oldestFirst
  }

  async #authorization(webhook: SimulatedWebhook): Promise<Record<string, string>> {
    const { transportType, authentication } = webhook
    if (transportType === 'OAUTH') return { authorization: `Bearer ${await this.#tokens.of(webhook)}` }
    if (authentication?.username === undefined) return {}
    const { username, password = '' } = authentication
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
  }

  #note(attempt: Attempt): void {
    this.attempts.push(attempt)
    this.#options.onAttempt?.(attempt)
  }
}
