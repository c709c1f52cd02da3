import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers'

import { Command, InvalidArgumentError, Option } from 'commander'

import { RiverhookError } from '../index.ts'
import { spanProblem, toMs } from '../programs.ts'
import { defaultSource } from '../options/default-source.ts'
import { scenarios, type Attempt, type ScenarioName } from '../testing/index.ts'
import { print, style, styled } from './output.ts'
import { counted } from './print.ts'
import { addTargetFlags, findTarget, type EndpointFlags } from './endpoint.ts'
import { requireSecret } from './signed-post.ts'
import { simulateSender, simulateWithApi, type Simulated, type SimulationOptions } from './simulated.ts'

interface Flags extends Omit<EndpointFlags, 'url'> {
  readonly port: number
  readonly live?: true
  readonly address?: string
  readonly type: string
  readonly rate: number
  readonly count?: number
  readonly scenario: ScenarioName | 'all'
  readonly retryAfter: number
}

const names = Object.keys(scenarios) as ScenarioName[]

export function simulateCommand(): Command {
  return addTargetFlags(
    new Command('simulate')
      .description('run a simulated provider that sends signed events and misbehaves; Digital River has its API, too')
      .option(
        '--address <url>',
        'where to send; Digital River registers it at the start (more through its API); default for other providers: this machine, at the port and path of the configuration'
      )
  )
    .option('--port <port>', "the port of Digital River's API", numberOf(0, 65_535, true), 8090)
    .option('--live', 'simulate the production environment instead of the test environment')
    .option('--type <pattern>', 'the events to send: an event type, or a pattern such as order.*', '*')
    .option('--rate <events>', 'events a second', numberOf(0.001, 1000, false), 1)
    .option(
      '--count <events>',
      'exit after this many events, once each is acknowledged or given up; exit code 1 if any was given up',
      numberOf(1, 1e6, true)
    )
    .addOption(
      new Option('--scenario <name>', 'what goes wrong; "all" takes turns').choices([...names, 'all']).default('normal')
    )
    .addOption(
      new Option('--retry-after <span>', 'the pause before each of 3 retries (real providers: minutes to hours)')
        .argParser(spanOf)
        .default(5_000, '5s')
    )
    .addHelpText(
      'after',
      `\nScenarios:\n${names.map((name) => `  ${name.padEnd(24)}${scenarios[name].means}`).join('\n')}\n`
    )
    .action(run)
}

async function run(flags: Flags, command: Command): Promise<void> {
  const target = await findTarget({ ...flags, url: flags.address })
  const { source } = target
  const secret = await target.secret()
  const options: SimulationOptions = {
    source,
    address: flags.address,
    secret,
    isLive: flags.live === true,
    type: flags.type,
    port: flags.port,
    retryAfterMs: flags.retryAfter,
    onAttempt: (attempt) => {
      show(attempt, simulated)
    }
  }
  const hasApi = source.name === defaultSource().name
  if (!hasApi && command.getOptionValueSource('port') !== 'default')
    throw usage(`--port has no effect: the API of ${source.name} is not simulated`)
  const simulated: Simulated = hasApi
    ? await simulateWithApi(options)
    : simulateSender({ ...options, address: target.url, secret: requireSecret(source, secret) })
  const turns = turnsOf(simulated, flags.scenario)
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      ending.abort()
    })
  // The reader of the output is gone: end instead of running for ever.
  process.stdout.once('error', () => {
    ending.abort()
  })
  // Retries that are waited for keep no process alive.
  const keepsAlive = setInterval(() => undefined, 60_000)
  try {
    const happened = await generate(simulated, turns, flags, ending)
    if (ending.signal.reason instanceof RiverhookError) throw ending.signal.reason
    if (!ending.signal.aborted) await Promise.race([simulated.settled(), whenAborted(ending.signal)])
    if (printSummary(simulated, happened) && flags.count !== undefined) process.exitCode = 1
  } finally {
    clearInterval(keepsAlive)
    await simulated.close()
  }
}

/**
 * The scenarios that take turns.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE for one that the source cannot have
 */
function turnsOf(simulated: Simulated, scenario: Flags['scenario']): readonly ScenarioName[] {
  if (scenario !== 'all') {
    const reason = simulated.impossible(scenario)
    if (reason !== undefined) throw usage(`--scenario ${scenario} is impossible: ${reason}`)
    return [scenario]
  }
  return names.filter((name) => {
    const reason = simulated.impossible(name)
    if (reason !== undefined) print(`skipped: ${name}, because ${reason}`)
    return reason === undefined
  })
}

/** Sends events at the rate, of types that are sent. @returns how many */
async function generate(
  simulated: Simulated,
  turns: readonly ScenarioName[],
  { rate, count = Infinity }: Flags,
  ending: AbortController
): Promise<number> {
  const { signal } = ending
  let happened = 0
  let turn = 0
  while (happened < count && !signal.aborted) {
    await pause(1000 / rate, signal)
    const types = simulated.types()
    if (types.length === 0 || isOver(signal)) continue
    const next = types[Math.floor(Math.random() * types.length)]
    const how = turns[turn++ % turns.length] ?? 'normal'
    const batch = how === 'reversed' ? [next, next] : [next]
    happened += batch.length
    // Not awaited: a slow receiver must not slow down the rate.
    simulated.emitAll(batch, how).catch((error: unknown) => {
      ending.abort(error)
    })
  }
  return happened
}

/** @returns whether an event was not acknowledged */
function printSummary({ attempts, webhooks }: Simulated, happened: number): boolean {
  const acknowledged = new Set(attempts.filter(isGood).map(({ eventId }) => eventId))
  const sent = new Set(attempts.map(({ eventId }) => eventId))
  print(
    `\n${counted(happened, 'event')}: ${sent.size} sent in ${counted(attempts.length, 'request')}, ${acknowledged.size} acknowledged.`
  )
  for (const { id, enabled } of webhooks)
    if (!enabled) print(`webhook ${id} was disabled: too many of its deliveries failed`)
  return acknowledged.size < sent.size
}

/** The disabled webhooks that were reported. */
const reportedDisabled = new Set<string>()

function show(attempt: Attempt, { webhooks }: Simulated): void {
  const { at, eventType, eventId, attempt: number, scenario, status, error } = attempt
  const result =
    status === undefined ? style('red', error ?? '') : style(isGood(attempt) ? 'green' : 'red', String(status))
  const note = [
    ...(number === 1 ? [] : [`attempt ${number}`]),
    ...(scenario === 'normal' || number > 1 ? [] : [scenario])
  ].join(', ')
  print(
    styled`${at.toISOString().slice(11, 23)}  ${result}  ${eventType}  ${eventId}${note === '' ? '' : `  (${note})`}`
  )
  // The simulator counts the attempt, and may disable the webhook, just after this call.
  setImmediate(() => {
    for (const { id, enabled } of webhooks) {
      if (enabled) reportedDisabled.delete(id)
      else if (!reportedDisabled.has(id)) {
        reportedDisabled.add(id)
        print(
          style(
            'red',
            `webhook ${id} is disabled: too many events in a row could not be delivered. Nothing more is sent to it. To enable it, run: riverhook webhooks sync, or riverhook webhooks update ${id} --enable`
          )
        )
      }
    }
  })
}

function isGood({ status }: Attempt): boolean {
  return status !== undefined && status >= 200 && status < 300
}

function pause(ms: number, ending: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => {
    resolve(undefined)
  }, ms)
  return Promise.race([promise, whenAborted(ending)]).finally(() => {
    clearTimeout(timer)
  })
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  if (signal.aborted) resolve(undefined)
  else
    signal.addEventListener(
      'abort',
      () => {
        resolve(undefined)
      },
      { once: true }
    )
  return promise
}

// The signal changes while the pause is awaited.
function isOver({ aborted }: AbortSignal): boolean {
  return aborted
}

function numberOf(least: number, most: number, isWhole: boolean): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value
    throw new InvalidArgumentError(`It must be a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}.`)
  }
}

function spanOf(text: string): number {
  const problem = spanProblem(text, { min: '0s', max: '24d' })
  if (problem === undefined) return toMs(text) ?? 0
  throw new InvalidArgumentError(`It ${problem}.`)
}

function usage(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_CLI_USAGE', message)
}
