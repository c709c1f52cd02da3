import { Command, Option } from 'commander'

import {
  describePlan,
  digitalRiver,
  DigitalRiverClient,
  modeWarnings,
  planWebhook,
  RiverhookError,
  secretSteps,
  syncWebhook
} from '../../index.ts'
import type { Plan, RegistrationSettings } from '../../index.ts'
import { inboxOption } from '../inbox.ts'
import { handlersOption, knownHandlers } from '../events/interest.ts'
import { print, printError, printJson, style, type Styled } from '../output.ts'
import { confirm } from '../print.ts'
import { addWebhookFlags, fieldsOf, type WebhookFlags } from './webhooks.ts'

interface Flags extends WebhookFlags {
  readonly address: string
  readonly handlers?: string
  readonly inbox: string
  readonly mode?: 'test' | 'live'
  readonly check?: true
  readonly yes?: true
  readonly json?: true
}

export function syncCommand(): Command {
  return addWebhookFlags(
    new Command('sync').description(
      'make the webhook be what the handlers ask for: shows a plan, asks, applies; again, it does nothing'
    )
  )
    .addOption(
      new Option('--address <url>', 'where Digital River is to POST to')
        .env('RIVERHOOK_REGISTER_ADDRESS')
        .makeOptionMandatory()
    )
    .addOption(
      new Option('--mode <mode>', 'what the endpoint is for; a key of the other sort is warned of')
        .choices(['test', 'live'])
        .env('RIVERHOOK_REGISTER_MODE')
    )
    .addOption(handlersOption())
    .addOption(inboxOption())
    .option('--check', 'change nothing; exit code 1 when there is something to do (for CI)')
    .option('--yes', 'do not ask')
    .option('--json', 'the plan as one JSON object; with --check or --yes')
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  if (flags.json === true && flags.check !== true && flags.yes !== true) {
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', '--json asks no question: give --check or --yes with it')
  }
  const settings = await settingsOf(flags)
  const { mode } = new DigitalRiverClient()
  const plan = await planWebhook(settings)
  for (const warning of modeWarnings(settings, mode, plan.found)) printError(`riverhook: warning: ${warning}`)
  if (flags.json === true) printJson(asJson(plan))
  else for (const line of describePlan(plan)) print(colour(line))
  if (plan.lines.length === 0) return
  if (flags.check === true) {
    process.exitCode = 1
    return
  }
  if (!(await confirm('Apply?', flags.yes === true))) {
    print('Nothing was changed.')
    return
  }
  // Planned anew: somebody may have changed it while the question stood.
  const { result, webhook } = await syncWebhook(settings)
  if (flags.json === true) return
  print(`${webhook.id} is ${result}.`)
  if (result === 'created') print(`Note: ${secretSteps}.`)
}

async function settingsOf({ address, handlers: folder, inbox, mode, ...given }: Flags): Promise<RegistrationSettings> {
  const { interest } = await knownHandlers(folder, inbox)
  const { types, apiVersion, authentication, oauth } = fieldsOf(given, process.env)
  return {
    address,
    handlers: interest,
    source: digitalRiver(),
    types,
    apiVersion,
    basicAuth: authentication,
    oauth,
    mode
  }
}

/** Without `changes`, which hold secrets. */
function asJson({ address, found, lines, twins, unknown }: Plan): object {
  return {
    address,
    webhook_id: found?.id ?? null,
    lines,
    unknown_patterns: unknown,
    webhooks_with_the_same_address: twins.map(({ id }) => id)
  }
}

function colour(line: string): string | Styled {
  const colours = { '+': 'green', '-': 'red', '~': 'yellow', '!': 'magenta' } as const
  const sign = line[0] as keyof typeof colours
  return sign in colours ? style(colours[sign], line) : line
}
