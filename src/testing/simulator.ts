import { randomUUID } from 'node:crypto'

import { RiverhookError, type Source } from '../index.ts'
import { optionRules } from '../programs.ts'
import { realClock, type Clock } from './clock.ts'
import { eventIn, newSecret, sampleRequest, signedHeaders, type SampleRequestOptions } from './sample-request.ts'
import { checkScenario, scenarios, type Scenario, type ScenarioName, type Way } from './scenarios.ts'
import {
  Sender,
  type Attempt,
  type Receiving,
  type SimulatedEvent,
  type SimulatedSender,
  type Wire,
  type WireRequest
} from './sender.ts'

const { checkAgainst, isBoolean, isDelay, isFunction, isListOf, isNumber, isObject, isText } = optionRules

/** Where a simulated provider sends, in whose name, and how. */
export interface SimulatorOptions {
  /** The provider: any source that has `sign` and `sample`. */
  readonly source: Source
  /** The URL of the endpoint. */
  readonly address: string
  /** The signing secret of the endpoint. */
  readonly secret: string
  /** Sends events of the live environment. Default false. */
  readonly liveMode?: boolean | undefined
  /** The clock for retries. Default: this machine's; `createClock()` makes one that a test drives. */
  readonly clock?: Clock | undefined
  /** The clock for the signed time. Default: this machine's. */
  readonly signatureNow?: (() => Date) | undefined
  /** The pauses before the 2nd, 3rd ... attempt, in milliseconds. Default: 15 min, 1 h, 3 h, whatever the provider. */
  readonly retries?: readonly number[] | undefined
  /** How long it waits for an answer, in milliseconds. Default: as long as the provider; 10,000 if that is unknown. */
  readonly timeoutMs?: number | undefined
  /** How late the scenario `delay` sends, in milliseconds. Default 60,000. */
  readonly delayMs?: number | undefined
  /** How long a body takes in the scenario `slow-body`, in milliseconds of real time. Default 25. */
  readonly slowBodyMs?: number | undefined
  /** Called for each request that it has sent. */
  readonly onAttempt?: ((attempt: Attempt) => unknown) | undefined
}

/** A simulated provider that sends signed events to one endpoint, with the faults of the scenarios. */
export interface Simulator extends SimulatedSender {
  /**
   * Sends an event. Resolves when the first attempt has ended.
   * @param type default: one that the source chooses
   * @param fields of the body, merged object by object into the sample
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a scenario that the source cannot have: see `impossible`
   */
  emit(type?: string, fields?: Readonly<Record<string, unknown>>, scenario?: ScenarioName): Promise<SimulatedEvent>
  /** Sends several events; an undefined type is one that the source chooses. The scenario sets their order. */
  emitAll(types: readonly (string | undefined)[], scenario?: ScenarioName): Promise<readonly SimulatedEvent[]>
  /** Why the source cannot have a scenario, for example because it signs no time; undefined if it can. */
  impossible(scenario: ScenarioName): string | undefined
}

const minute = 60_000
const hour = 60 * minute

const rules: optionRules.OptionRules<SimulatorOptions> = {
  source: isObject,
  address: isText,
  secret: isText,
  liveMode: isBoolean,
  clock: isObject,
  signatureNow: isFunction,
  retries: isListOf(isNumber(0), 'a list of milliseconds'),
  timeoutMs: isDelay(1),
  delayMs: isNumber(0),
  slowBodyMs: isDelay(0),
  onAttempt: isFunction
}

/**
 * Simulates a provider that sends to one endpoint. It has no API: nothing is registered or listed.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option; RIVERHOOK_SOURCE_SECRET
 */
export function createSimulator(options: SimulatorOptions): Simulator {
  checkAgainst(rules, options, 'createSimulator', '', ['source', 'address', 'secret'])
  const { source, secret, liveMode = false } = options
  const reasons = reasonsAgainst(source, secret)
  const sender = new Sender<MadeEvent>({
    wire: new OneEndpoint(options),
    clock: options.clock ?? realClock(),
    signatureNow: options.signatureNow ?? (() => new Date()),
    retries: options.retries ?? [15 * minute, hour, 3 * hour],
    timeoutMs: options.timeoutMs ?? source.limits?.answerMs ?? 10_000,
    delayMs: options.delayMs ?? minute,
    slowBodyMs: options.slowBodyMs ?? 25,
    onAttempt: options.onAttempt
  })
  const emitAll = async (
    wanted: readonly Pick<SampleRequestOptions, 'type' | 'fields'>[],
    name: ScenarioName = 'normal'
  ): Promise<readonly SimulatedEvent[]> => {
    checkScenario(name)
    const reason = reasons[name]
    if (reason !== undefined)
      throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `emit: ${name} is impossible: ${reason}`)
    const events = wanted.map((each) => makeEvent(source, { ...each, secret, liveMode }))
    const { reversed }: Scenario = scenarios[name]
    for (const event of reversed === true ? events.toReversed() : events) await sender.deliver(event, name)
    return events.map(({ id, type }) => ({ id, type }))
  }
  const close = (): Promise<void> => sender.close()
  return {
    async emit(type, fields, scenario) {
      const [event] = await emitAll([{ type, fields }], scenario)
      return event as SimulatedEvent
    },
    emitAll: (types, scenario) =>
      emitAll(
        types.map((type) => ({ type })),
        scenario
      ),
    impossible: (scenario) => reasons[scenario],
    attempts: sender.attempts,
    idle: () => sender.idle(),
    settled: () => sender.settled(),
    close,
    [Symbol.asyncDispose]: close
  }
}

/** An event with what its requests are made of. */
interface MadeEvent extends SimulatedEvent {
  readonly body: Uint8Array
  /** The same event of the other environment. */
  readonly otherMode: Uint8Array
  /** The id and the type to sign: in a header they can be other texts than those of the event. */
  readonly signed: { readonly id: string; readonly type: string | undefined }
}

function makeEvent(source: Source, options: Omit<SampleRequestOptions, 'id'>): MadeEvent {
  const id = randomUUID()
  const request = sampleRequest(source, { ...options, id })
  const { body: otherMode } = sampleRequest(source, { ...options, id, liveMode: options.liveMode !== true })
  const event = eventIn(source, request)
  if (event === undefined)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `emit: the source ${source.name} cannot read its own sample${options.type === undefined ? '' : ` of ${options.type}`}`
    )
  return { id: event.id, type: event.type, body: request.body, otherMode, signed: { id, type: options.type } }
}

/** The scenarios that a source cannot have, each with the reason. */
function reasonsAgainst(source: Source, secret: string): Partial<Record<ScenarioName, string>> {
  const id = randomUUID()
  const { body } = sampleRequest(source, { secret, id })
  const now = new Date()
  const [atPresent, hourAgo] = [now, new Date(now.getTime() - hour)].map((at) =>
    JSON.stringify(signedHeaders(source, { body, secret, id, at }))
  )
  const [live, test] = [true, false].map(
    (liveMode) => eventIn(source, sampleRequest(source, { secret, id, liveMode }))?.liveMode
  )
  return {
    ...(atPresent === hourAgo ? { 'stale-timestamp': `${source.name} signs no time` } : {}),
    ...(live === test ? { 'wrong-mode': `an event of ${source.name} does not say whether it is test or live` } : {})
  }
}

/** The endpoint at the address, which gets events of every type. */
class OneEndpoint implements Wire<MadeEvent> {
  readonly #source: Source
  readonly #secret: string
  readonly #endpoint: Receiving

  constructor({ source, address, secret }: SimulatorOptions) {
    this.#source = source
    this.#secret = secret
    this.#endpoint = { id: address, address, enabled: true }
  }

  subscribed(): readonly Receiving[] {
    return [this.#endpoint]
  }

  find(): Receiving {
    return this.#endpoint
  }

  ended(): void {
    // When a provider disables an endpoint is not simulated.
  }

  request(
    _endpoint: Receiving,
    { body: ownMode, otherMode, signed }: MadeEvent,
    { secret, mode }: Pick<Way, 'secret' | 'mode'>,
    at: Date
  ): Promise<WireRequest> {
    const source = this.#source
    const body = mode === 'wrong' ? otherMode : ownMode
    // The endpoint of the other environment has another secret, too.
    const signedWith = mode === 'wrong' || secret === 'wrong' ? newSecret(source) : this.#secret
    const headers = signedHeaders(source, { body, secret: signedWith, at, ...signed })
    return Promise.resolve({ headers, body: Buffer.from(body) })
  }
}
