import { RiverhookError, type Source } from '../index.ts'
import { matches, unknownTypeHint } from '../programs.ts'
import {
  createDigitalRiver,
  createSimulator,
  type Attempt,
  type ScenarioName,
  type SimulatedWebhook,
  type Simulator
} from '../testing/index.ts'
import { checkSends } from './endpoint.ts'
import { exampleHandlers, riverhookCommand } from './invocation.ts'
import { print, style, styled } from './output.ts'

/** The options of a simulation, whichever the provider. */
export interface SimulationOptions {
  readonly source: Source
  /** The URL to send to. */
  readonly address: string | undefined
  readonly secret: string | undefined
  readonly isLive: boolean
  /** An event type, or a pattern. */
  readonly type: string
  /** The port of its API. */
  readonly port: number
  readonly retryAfterMs: number
  /** Called for each request that it has sent. */
  readonly onAttempt: (attempt: Attempt) => void
}

/** A simulated provider, as the command drives it. */
export interface Simulated extends Pick<Simulator, 'attempts' | 'impossible' | 'settled' | 'close'> {
  /** The types to choose from now; undefined lets the source choose. Empty: no webhook would get an event. */
  types(): readonly (string | undefined)[]
  emitAll(types: readonly (string | undefined)[], scenario: ScenarioName): Promise<unknown>
  /** The registered webhooks. Empty: the provider has no API here. */
  readonly webhooks: readonly Pick<SimulatedWebhook, 'id' | 'enabled'>[]
}

/** Starts the default provider with its API, and registers the address. */
export async function simulateWithApi(options: SimulationOptions): Promise<Simulated> {
  const { source, address, secret, isLive, type, port, retryAfterMs, onAttempt } = options
  checkTypes(options)
  const simulator = await createDigitalRiver({
    port,
    liveMode: isLive,
    retries: [retryAfterMs, retryAfterMs, retryAfterMs],
    delayMs: retryAfterMs,
    ...(secret === undefined ? {} : { secret }),
    onAttempt,
    onWebhook: ({ id, address: to }, its) => {
      print(`webhook ${id} was created for ${to}; its signing secret, as the dashboard would show it: ${its}`)
    }
  })
  print(styled`${style('bold', `Simulated Digital River at ${simulator.url}`)}, ${isLive ? 'production' : 'test'} environment. In another terminal:

  export DIGITAL_RIVER_API_URL=${simulator.url} DIGITAL_RIVER_API_KEY=${simulator.apiKey}
  ${riverhookCommand} webhooks sync --handlers ${exampleHandlers()} --address http://127.0.0.1:8080/webhooks/digital-river
`)
  if (address !== undefined) {
    const { id } = simulator.addWebhook({ address, types: source.types.filter((known) => matches(type, known)) })
    print(`webhook ${id} is registered for ${address}; its signing secret: ${simulator.secretsOf(id)[0] ?? ''}`)
  }
  return {
    attempts: simulator.attempts,
    get webhooks() {
      return simulator.webhooks
    },
    impossible: () => undefined,
    types: () =>
      [...new Set(simulator.webhooks.filter(({ enabled }) => enabled).flatMap(({ types }) => types))].filter((each) =>
        matches(type, each)
      ),
    emitAll: (types, scenario) =>
      simulator.emitAll(
        types.flatMap((each) => each ?? []),
        scenario
      ),
    settled: () => simulator.settled(),
    close: () => simulator.close()
  }
}

/** Starts any other provider, which sends to the address and has no API. */
export function simulateSender(
  options: SimulationOptions & { readonly address: string; readonly secret: string }
): Simulated {
  const { source, address, secret, isLive, retryAfterMs, onAttempt } = options
  checkSends(source)
  const types = checkTypes(options)
  const simulator = createSimulator({
    source,
    address,
    secret,
    liveMode: isLive,
    retries: [retryAfterMs, retryAfterMs, retryAfterMs],
    delayMs: retryAfterMs,
    onAttempt
  })
  const noMode = simulator.impossible('wrong-mode')
  if (isLive && noMode !== undefined) throw usage(`--live has no effect: ${noMode}`)
  const environment = noMode === undefined ? `, ${isLive ? 'live' : 'test'} environment` : ''
  print(styled`${style('bold', `Simulated ${source.name}`)}${environment}. It sends to ${address}\n`)
  return {
    attempts: simulator.attempts,
    webhooks: [],
    impossible: (scenario) => simulator.impossible(scenario),
    types: () => types,
    emitAll: (chosen, scenario) => simulator.emitAll(chosen, scenario),
    settled: () => simulator.settled(),
    close: () => simulator.close()
  }
}

/**
 * The types that `--type` stands for.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE if it stands for none
 */
function checkTypes({ source: { name, types }, type }: SimulationOptions): readonly (string | undefined)[] {
  if (types.length > 0) {
    const found = types.filter((known) => matches(type, known))
    if (found.length > 0) return found
    throw usage(`--type ${type}: no event type of that name is known${unknownTypeHint(type, types)}`)
  }
  if (type === '*') return [undefined]
  if (!type.endsWith('*')) return [type]
  throw usage(`--type ${type}: Riverhook has no list of the event types of ${name}, so name one type`)
}

function usage(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_CLI_USAGE', message)
}
