import { readFileSync } from 'node:fs'

import { Command, InvalidArgumentError } from 'commander'

import {
  catalogue,
  digitalRiver,
  DigitalRiverClient,
  eventTypes,
  RiverhookError,
  type Webhook,
  type WebhookChanges
} from '../../index.ts'
import { matches, unknownTypeHint } from '../../programs.ts'
import { readConfig, type Environment } from '../../options/environment.ts'
import { apiOptions, configured } from '../config.ts'
import { print, printError, printJson } from '../output.ts'
import { confirm, cut, printTable } from '../print.ts'

const knownTypes = new Set(Object.keys(catalogue))

/** The fields of a webhook as flags. */
export interface WebhookFlags {
  readonly type?: readonly string[]
  readonly apiVersion?: string
  readonly basicAuth?: string
  readonly oauth?: string
}

/**
 * `riverhook webhooks list | show | create | update | delete`: direct calls of the API. `sync` is in a separate file.
 */
export function webhookCommands(): Command[] {
  return [listCommand(), showCommand(), createCommand(), updateCommand(), deleteCommand()]
}

/** Adds `--type --api-version --basic-auth --oauth`. */
export function addWebhookFlags(command: Command): Command {
  return command
    .option('--type <type>', 'an event type, or a pattern such as order.*; may be repeated', collect)
    .option('--api-version <version>', 'default, latest, or a date such as 2021-12-13')
    .option(
      '--basic-auth <user:password>',
      'the basic authentication of the callback; prefer RIVERHOOK_BASIC_AUTH or RIVERHOOK_BASIC_AUTH_FILE, which no process list shows'
    )
    .option(
      '--oauth <file>',
      'a JSON file with tokenEndPoint, clientID, clientSecret ...: Digital River fetches a bearer token there for the callback'
    )
}

/**
 * The flags as fields of a webhook.
 * @param environment where basic authentication is read if the flag is missing, as `riverhook serve` does; for a new
 * webhook, not for a change
 */
export function fieldsOf(
  { type, apiVersion, basicAuth, oauth }: WebhookFlags,
  environment: Environment = {}
): WebhookChanges {
  const types = type?.flatMap(namesFor)
  for (const each of types ?? []) {
    if (!knownTypes.has(each))
      printError(`riverhook: warning: no event type "${each}" is known${unknownTypeHint(each, [...knownTypes])}`)
  }
  const authentication = oauth === undefined ? credentialsOf(basicAuth, environment) : undefined
  return {
    ...(types === undefined ? {} : { types: [...new Set(types)] }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(authentication === undefined ? {} : { transportType: 'HTTP', authentication }),
    ...(oauth === undefined ? {} : { transportType: 'OAUTH', oauth: readJson(oauth) })
  } as WebhookChanges
}

/**
 * Expands a pattern to the known event types that are still sent: a webhook accepts only names.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
function namesFor(given: string): readonly string[] {
  if (!given.includes('*')) return [given]
  const names = eventTypes.filter((type) => matches(given, type))
  if (names.length === 0)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `No event type "${given}" is known${unknownTypeHint(given, [...knownTypes])}`
    )
  return names
}

function listCommand(): Command {
  return new Command('list')
    .description('list the webhooks of the account')
    .option('--type <type>', 'only webhooks that are sent this event type')
    .option('--json', 'one JSON object a line, secrets masked')
    .action(async ({ type, json }: { type?: string; json?: true }) => {
      const webhooks = await new DigitalRiverClient(apiOptions()).webhooks.list(type === undefined ? {} : { type })
      if (json === true) {
        for (const webhook of webhooks) printJson(masked(webhook))
        return
      }
      if (webhooks.length === 0) {
        print('No webhooks.')
        return
      }
      printTable(
        ['id', 'address', 'enabled', 'transport', 'types'],
        webhooks.map(({ id, address, enabled, transportType = 'HTTP', types }) => [
          id,
          address,
          enabled ? 'yes' : 'NO',
          transportType,
          cut(`${types.length}: ${types.join(', ')}`, 60)
        ])
      )
    })
}

function showCommand(): Command {
  return new Command('show')
    .description('show one webhook; its signing secret is shown only in the dashboard')
    .argument('<id>')
    .option('--json', 'as one JSON object, secrets masked')
    .action(async (id: string, { json }: { json?: true }) => {
      const webhook = masked(await new DigitalRiverClient(apiOptions()).webhooks.retrieve(id))
      if (json === true) printJson(webhook)
      else show(webhook)
    })
}

function createCommand(): Command {
  return addWebhookFlags(
    new Command('create').description('create a webhook (see sync, which does this from the handlers)')
  )
    .requiredOption('--address <url>', 'the URL that Digital River will POST to')
    .option('--disabled', 'create it disabled: nothing is sent yet')
    .action(async (flags: WebhookFlags & { address: string; disabled?: true }) => {
      const { types = [], ...fields } = fieldsOf(flags, process.env)
      const webhook = await new DigitalRiverClient(apiOptions()).webhooks.create({
        ...fields,
        types,
        address: flags.address,
        enabled: flags.disabled !== true
      })
      show(masked(webhook))
      print(`\nNote: ${digitalRiver().secretSteps}.`)
    })
}

function updateCommand(): Command {
  return addWebhookFlags(new Command('update').description('change only the given fields of a webhook'))
    .argument('<id>')
    .option('--address <url>')
    .option('--enable', 'send events to it (again)')
    .option('--disable', 'send no events to it')
    .action(async (id: string, flags: WebhookFlags & { address?: string; enable?: true; disable?: true }) => {
      const { address, enable, disable } = flags
      if (enable === true && disable === true)
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Pass either --enable or --disable, not both')
      const changes = {
        ...fieldsOf(flags),
        ...(address === undefined ? {} : { address }),
        ...(enable === undefined && disable === undefined ? {} : { enabled: enable === true })
      }
      if (Object.keys(changes).length === 0)
        throw new RiverhookError(
          'RIVERHOOK_CLI_USAGE',
          'Nothing to change: give --address, --type, --enable, --disable, --api-version, --basic-auth or --oauth'
        )
      show(masked(await new DigitalRiverClient(apiOptions()).webhooks.update(id, changes)))
    })
}

function deleteCommand(): Command {
  return new Command('delete')
    .description('delete a webhook: Digital River no longer sends events to it')
    .argument('<id>')
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: true }) => {
      const { webhooks } = new DigitalRiverClient(apiOptions())
      const { address } = await webhooks.retrieve(id)
      if (
        !(await confirm(`Delete the webhook ${id} for ${address}? Its events will no longer be sent.`, yes === true))
      ) {
        print('Nothing was changed.')
        return
      }
      await webhooks.delete(id)
      print(`The webhook ${id} was deleted.`)
    })
}

function show(webhook: Webhook): void {
  const { id, address, enabled, types, apiVersion, transportType, createdTime, updatedTime, authentication, oauth } =
    webhook
  const facts: [string, string | undefined][] = [
    ['id', id],
    ['address', address],
    ['enabled', enabled ? 'yes' : 'NO: nothing is sent'],
    ['api version', apiVersion],
    ['transport', transportType],
    ...Object.entries(authentication ?? {}).map(([name, value]): [string, string] => [`basic ${name}`, value]),
    ...Object.entries(oauth ?? {}).map(([name, value]): [string, string] => [`oauth ${name}`, value]),
    ['created', createdTime],
    ['updated', updatedTime],
    ['types', types.join('\n                    ')]
  ]
  for (const [name, value] of facts) if (value !== undefined) print(`${name.padEnd(20)}${value}`)
}

/** Masks the passwords, which the provider's API shows in clear. */
function masked(webhook: Webhook): Webhook {
  const mask = (part: object | undefined): object | undefined =>
    part &&
    Object.fromEntries(
      Object.entries(part).map(([name, value]) => [
        name,
        name === 'password' || name === 'clientSecret' ? '********' : (value as unknown)
      ])
    )
  const { authentication, oauth } = webhook
  return {
    ...webhook,
    ...(authentication && { authentication: mask(authentication) }),
    ...(oauth && { oauth: mask(oauth) })
  } as Webhook
}

function credentialsOf(
  text: string | undefined,
  environment: Environment
): { username: string; password: string } | undefined {
  const { options } = text === undefined ? configured(environment) : readConfig({ RIVERHOOK_BASIC_AUTH: text })
  const { basicAuth } = options.endpoints?.[0] ?? options
  return basicAuth !== undefined && 'username' in basicAuth ? { ...basicAuth } : undefined
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (error) {
    // Do not pass on the parser's message: it quotes the file, which holds a secret.
    const reason =
      error instanceof SyntaxError ? 'it is not JSON' : error instanceof Error ? error.message : String(error)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `--oauth ${file} cannot be read: ${reason}`, {
      cause: error instanceof SyntaxError ? undefined : error
    })
  }
}

function collect(type: string, before: readonly string[] = []): readonly string[] {
  if (type.trim() === '') throw new InvalidArgumentError('It must not be empty.')
  return [...before, ...type.split(',').map((each) => each.trim())]
}
