import { Command, Option } from 'commander'

import { RiverhookError } from '../../index.ts'
import {
  describePlan,
  errorText,
  firstSecret,
  modeWarnings,
  planWebhook,
  registeredOauth,
  syncResult,
  syncWebhook,
  wantedTypes
} from '../../programs.ts'
import type { Plan, RegistrationSettings, RiverhookOptions } from '../../index.ts'
import { enterAct, webhookTarget } from '../audited.ts'
import { configured } from '../config.ts'
import { besideEndpoint } from '../endpoint.ts'
import { inboxOption } from '../inbox.ts'
import { areGiven, describeHandlers, handlersAtServer, handlersOf, handlersOption } from '../events/interest.ts'
import { print, printError, printJson, style, type Styled } from '../output.ts'
import { confirm } from '../print.ts'
import { addWebhookFlags, readFlags, type WebhookFlags } from './webhooks.ts'

interface Flags extends WebhookFlags {
  readonly address?: string
  readonly handlers?: RiverhookOptions['handlers']
  readonly inbox: string
  readonly mode?: 'test' | 'live'
  readonly check?: true
  readonly yes?: true
  readonly json?: true
}

export function syncCommand(): Command {
  return addWebhookFlags(
    new Command('sync').description(
      'register the webhook as the handlers need it, or change it: shows a plan, asks, applies it'
    )
  )
    .addOption(
      new Option('--address <url>', 'the URL that the provider will POST to').env('RIVERHOOK_REGISTER_ADDRESS')
    )
    .addOption(
      new Option('--mode <mode>', 'whether the endpoint is for test or live events; warns of a key for the other')
        .choices(['test', 'live'])
        .env('RIVERHOOK_REGISTER_MODE')
    )
    .addOption(handlersOption())
    .addOption(inboxOption())
    .option('--check', 'change nothing; exit with code 1 if a change is needed (for CI)')
    .option('--yes', 'do not ask')
    .option('--json', 'the plan as one JSON object; needs --check or --yes')
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  if (flags.json === true && flags.check !== true && flags.yes !== true) {
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', '--json cannot ask: pass --check or --yes with it')
  }
  const settings = await settingsOf(flags)
  const { source, apiKey, apiUrl } = settings
  const plan = await planWebhook(settings)
  const warnings = [
    ...modeWarnings(settings, source.api?.({ apiKey, apiUrl }).mode, plan.found),
    ...(await removalWarnings(source, plan, flags))
  ]
  for (const warning of warnings) printError(`riverhook: warning: ${warning}`)
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
  // Plan again: somebody may have changed the webhook while we waited for the answer.
  const { result, webhook } = await syncWebhook(settings)
  if (flags.json !== true) print(`The webhook ${webhook.id} was ${result}.`)
  // Standard error, where JSON goes to standard output: the provider never shows the secret again.
  const secretLine = `Its signing secret, which ${source.name} shows only now: ${webhook.secret ?? ''}`
  if (webhook.secret !== undefined) (flags.json === true ? printError : print)(secretLine)
  else if (result === 'created' && flags.json !== true && source.secretSteps !== undefined)
    print(`Note: ${source.secretSteps}.`)
  const target = webhookTarget(webhook.id, webhook.address)
  await enterAct(flags.inbox, 'registration.sync', target, syncResult({ result }))
}

async function settingsOf(flags: Flags): Promise<RegistrationSettings> {
  const { handlers, inbox } = flags
  const { options, endpoint } = await besideEndpoint(flags)
  const { source, given } = endpoint
  const { register, secrets } = given
  const { address = register?.address } = flags
  if (address === undefined)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Pass --address URL, or set RIVERHOOK_REGISTER_ADDRESS')
  const fields = readFlags(flags, source, given.basicAuth)
  const { types = register?.types, apiVersion = register?.apiVersion, basicAuth } = fields
  const { oauth = flags.basicAuth === undefined ? registeredOauth(given, address) : undefined } = fields
  return {
    address,
    handlers: await handlersOf(source, handlers, inbox, options),
    source,
    types,
    apiVersion,
    apiKey: register?.apiKey,
    apiUrl: register?.apiUrl,
    secret: () => firstSecret(secrets),
    basicAuth,
    oauth,
    mode: flags.mode ?? register?.mode ?? given.mode
  }
}

/**
 * Compares the given handlers with those of the server's last start if event types are removed: with a part of the
 * handlers, the others would get no events any more.
 */
async function removalWarnings(
  source: RegistrationSettings['source'],
  { found, lines, changes: { types = [] } }: Plan,
  { handlers, inbox }: Flags
): Promise<readonly string[]> {
  const { forward } = configured().options
  const isRemoving = lines.some(({ sign, field }) => sign === '-' && field === 'types')
  if (found === undefined || !isRemoving || !areGiven(handlers, forward)) return []
  const given = `the handlers in ${describeHandlers(handlers, forward)}`
  try {
    const served = await handlersAtServer(source, inbox)
    const everyType = source.registration?.everyType ?? '*'
    const isIn = (list: readonly string[], type: string): boolean => list.includes(type) || list.includes(everyType)
    const lost = wantedTypes(served, source, [], found.types).types.filter(
      (type) => isIn(found.types, type) && !isIn(types, type)
    )
    if (lost.length === 0) return []
    return [
      `the server's handlers take ${lost.join(', ')}, and ${given} do not: these events would no longer be sent. ` +
        'Give all handlers of the server; if these are the new ones, start the server with them first'
    ]
  } catch (error) {
    return [`event types are removed, and ${given} could not be compared with those of the server: ${errorText(error)}`]
  }
}

/** Leaves out `changes`, which hold secrets. */
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
