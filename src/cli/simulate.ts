import { clearTimeout, setImmediate, setTimeout } from 'node:timers'

import { Command, InvalidArgumentError, Option } from 'commander'

import { digitalRiver, RiverhookError } from '../index.ts'
import { matches, spanProblem, toMs, unknownTypeHint } from '../programs.ts'
import {
  createDigitalRiver,
  scenarios,
  type Attempt,
  type DigitalRiverSimulator,
  type ScenarioName
} from '../testing/index.ts'
import { print, style, styled } from './output.ts'
import { counted } from './print.ts'
import { findTarget } from './endpoint.ts'
import { type SecretFlags } from './signed-post.ts'

interface Flags extends SecretFlags {
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
const { types: knownTypes } = digitalRiver()

export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'run a simulated Digital River to rehearse with: its API, and events that are sent to the registered webhooks'
    )
    .option('--port <port>', 'the port of its API', numberOf(0, 65_535, true), 8090)
    .option('--live', 'simulate the production environment instead of the test environment')
    .option('--address <url>', 'register this webhook at the start; register others through the API')
    .option(
      '--secret-file <file>',
      'a file with the signing secret of the webhooks; default: the first of RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE, or a new secret for each webhook, which is printed'
    )
    .option(
      '--secret <secret>',
      'the signing secret itself; other users of this machine can see it in the process list'
    )
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
    .option(
      '--retry-after <span>',
      'the pause before each of 3 retries (Digital River: minutes to hours)',
      spanOf,
      5_000
    )
    .addHelpText(
      'after',
      `\nScenarios:\n${names.map((name) => `  ${name.padEnd(24)}${scenarios[name].means}`).join('\n')}\n`
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const { port, live, address, type, retryAfter } = flags
  const secret = await (await findTarget({ ...flags, url: address })).secret()
  if (!knownTypes.some((known) => matches(type, known)))
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `--type ${type}: no event type of that name is known${unknownTypeHint(type, knownTypes)}`
    )
  const river: DigitalRiverSimulator = await createDigitalRiver({
    port,
    liveMode: live === true,
    retries: [retryAfter, retryAfter, retryAfter],
    delayMs: retryAfter,
    ...(secret === undefined ? {} : { secret }),
    onAttempt: (attempt) => {
      show(attempt, river)
    },
    onWebhook: ({ id, address: to }, its) => {
      print(`webhook ${id} was created for ${to}; its signing secret, as the dashboard would show it: ${its}`)
    }
  })
  print(styled`${style('bold', `Simulated Digital River at ${river.url}`)}, ${river.liveMode ? 'production' : 'test'} environment. In another terminal:

  export DIGITAL_RIVER_API_URL=${river.url} DIGITAL_RIVER_API_KEY=${river.apiKey}
  npm run -s riverhook -- webhooks sync --handlers examples/handlers --address http://127.0.0.1:8080/webhooks/digital-river
`)
  if (address !== undefined) {
    const { id } = river.addWebhook({ address, types: knownTypes.filter((known) => matches(type, known)) })
    print(`webhook ${id} is registered for ${address}; its signing secret: ${river.secretsOf(id)[0] ?? ''}`)
  }
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      ending.abort()
    })
  // The reader of the output is gone: end instead of running for ever.
  process.stdout.once('error', () => {
    ending.abort()
  })
  try {
    const happened = await generate(river, flags, ending.signal)
    if (!ending.signal.aborted) await Promise.race([river.settled(), whenAborted(ending.signal)])
    if (printSummary(river, happened) && flags.count !== undefined) process.exitCode = 1
  } finally {
    await river.close()
  }
}

/** Sends events at the rate, of types that some webhook takes. @returns how many */
async function generate(
  river: DigitalRiverSimulator,
  { type, rate, count = Infinity, scenario }: Flags,
  ending: AbortSignal
): Promise<number> {
  let happened = 0
  let turn = 0
  while (happened < count && !ending.aborted) {
    await pause(1000 / rate, ending)
    const types = [
      ...new Set(river.webhooks.filter(({ enabled }) => enabled).flatMap((webhook) => webhook.types))
    ].filter((each) => matches(type, each))
    const next = types[Math.floor(Math.random() * types.length)]
    if (next === undefined || isOver(ending)) continue
    const how = scenario === 'all' ? (names[turn++ % names.length] ?? 'normal') : scenario
    const batch = how === 'reversed' ? [next, next] : [next]
    happened += batch.length
    // Not awaited: a slow receiver must not slow down the rate.
    void river.emitAll(batch, how)
  }
  return happened
}

/** @returns whether an event was not acknowledged */
function printSummary({ attempts, webhooks }: DigitalRiverSimulator, happened: number): boolean {
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

function show(attempt: Attempt, { webhooks }: DigitalRiverSimulator): void {
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
