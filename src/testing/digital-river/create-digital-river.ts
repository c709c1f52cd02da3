import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import type { Event } from '../../index.ts'
import { realClock, type Clock } from '../clock.ts'
import { sampleEvent, type EventChoice } from './sample-event.ts'
import { Account, type SimulatedWebhook } from './account.ts'
import { createApi, type ApiCall } from './api.ts'
import { EventLog } from './event-log.ts'
import { Faults } from './faults.ts'
import { checkDigitalRiverOptions, type DigitalRiverOptions } from './options.ts'
import { RateLimit } from './rate-limit.ts'
import { checkScenario, scenarios, type Scenario, type ScenarioName } from '../scenarios.ts'
import { Sender, type SimulatedSender } from '../sender.ts'
import { RiverWire } from './wire.ts'

/** A simulated Digital River. */
export interface DigitalRiverSimulator extends SimulatedSender {
  /** The base URL of its API. */
  readonly url: string
  readonly apiKey: string
  readonly liveMode: boolean
  readonly clock: Clock
  readonly webhooks: readonly SimulatedWebhook[]
  /** Creates a webhook as `POST /webhooks` does. */
  addWebhook(request: Readonly<Record<string, unknown>>): SimulatedWebhook
  /** The secrets that sign now, as in the dashboard, oldest first. */
  secretsOf(webhookId: string): readonly string[]
  /**
   * Rotates the secret, as in the dashboard.
   * @param overlapMs how long the old secrets still sign; 0: they end at once
   * @returns the new secret
   */
  rotateSecret(webhookId: string, overlapMs: number): string
  /**
   * Makes an event happen: lists it, and sends it to every enabled webhook that subscribes to its type. Resolves when
   * the first attempts have ended.
   */
  emit(type: string, choice?: EventChoice, scenario?: ScenarioName): Promise<Event>
  /** Makes several events happen. They are listed in this order; the scenario sets the order in which they are sent. */
  emitAll(
    types: readonly (string | ({ readonly type: string } & EventChoice))[],
    scenario?: ScenarioName
  ): Promise<readonly Event[]>
  /** Makes an event happen that is listed and never sent, to be backfilled. */
  list(type: string, choice?: EventChoice): Event
  /** Every call of the API, oldest first. */
  readonly calls: readonly ApiCall[]
  /** Makes calls of the API fail. */
  readonly faults: Pick<Faults, 'next'>
}

const minute = 60_000
const hour = 60 * minute

/**
 * Our choice. Documented are 3 retries over a few hours in test mode, and exponential backoff for up to 72 hours in
 * production.
 */
export const retrySchedules = {
  test: [15 * minute, hour, 3 * hour],
  live: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].map((minutes) => minutes * minute)
} as const

/**
 * Starts a simulated Digital River: its documented API, and its webhooks. It can also misbehave, on request.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export async function createDigitalRiver(options: DigitalRiverOptions = {}): Promise<DigitalRiverSimulator> {
  checkDigitalRiverOptions(options)
  const {
    port = 0,
    liveMode = false,
    clock = realClock(),
    signatureNow = () => new Date(),
    timeoutMs = 3000,
    disableAfter = 3,
    delayMs = minute,
    slowBodyMs = 25,
    otherModeSecret,
    dialect = {}
  } = options
  // The prefix of live keys is not documented; this one is our choice.
  const apiKey = options.apiKey ?? `sk_${liveMode ? 'live' : 'test'}_${randomUUID()}`
  const retries = options.retries ?? retrySchedules[liveMode ? 'live' : 'test']
  const account = new Account(clock, options.secret)
  const events = new EventLog(clock, dialect.eventsOrder ?? 'newest')
  const faults = new Faults()
  const limit = new RateLimit(clock, options.rateLimit ?? Infinity)
  const calls: ApiCall[] = []
  const sender = new Sender({
    wire: new RiverWire({ account, clock, timeoutMs, disableAfter, otherModeSecret, dialect }),
    clock,
    signatureNow,
    retries,
    timeoutMs,
    delayMs,
    slowBodyMs,
    onAttempt: options.onAttempt
  })
  const onWebhook = (webhook: SimulatedWebhook): void => {
    options.onWebhook?.(webhook, account.secretsOf(webhook.id)[0] ?? '')
  }
  const onCall = (call: ApiCall): void => {
    calls.push(call)
    options.onCall?.(call)
  }
  const server = createApi({
    apiKey,
    liveMode,
    account,
    events,
    faults,
    dialect,
    limit,
    pendingOf: (id) => sender.pendingOf(id),
    onCall,
    onWebhook
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  const happen = (type: string, choice: EventChoice = {}): Event => {
    const event = sampleEvent(type, { liveMode, createdTime: clock.now().toISOString(), ...choice })
    events.add(event)
    return event
  }
  const emitAll: DigitalRiverSimulator['emitAll'] = async (types, scenario = 'normal') => {
    checkScenario(scenario)
    const happened = types.map((each) => (typeof each === 'string' ? happen(each) : happen(each.type, each)))
    const { reversed }: Scenario = scenarios[scenario]
    for (const event of reversed === true ? happened.toReversed() : happened) await sender.deliver(event, scenario)
    return happened
  }
  const close = async (): Promise<void> => {
    await sender.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey,
    liveMode,
    clock,
    get webhooks() {
      return account.webhooks
    },
    addWebhook: (request) => account.create(request),
    secretsOf: (id) => account.secretsOf(id),
    rotateSecret: (id, overlapMs) => account.rotateSecret(id, overlapMs),
    async emit(type, choice, scenario) {
      const [event] = await emitAll([{ ...choice, type }], scenario)
      return event as Event
    },
    emitAll,
    list: happen,
    attempts: sender.attempts,
    calls,
    faults: { next: faults.next.bind(faults) },
    idle: () => sender.idle(),
    settled: () => sender.settled(),
    close,
    [Symbol.asyncDispose]: close
  }
}
