import { readFileSync } from 'node:fs'

import { Command, InvalidArgumentError } from 'commander'

import {
  RiverhookError,
  type EndpointOptions,
  type Registration,
  type RegistrationGiven,
  type Source,
  type SourceApi,
  type Webhook
} from '../../index.ts'
import { apiOf, firstSecret, matches, ownFieldsOf, registeredOauth, unknownTypeHint } from '../../programs.ts'
import { readConfig } from '../../options/environment.ts'
import { enterAct, webhookTarget } from '../audited.ts'
import { addChoiceFlags, chooseEndpoint, providerOf, type EndpointChoice } from '../endpoint.ts'
import { inboxOption } from '../inbox.ts'
import { print, printError, printJson } from '../output.ts'
import { confirm, cut, printTable } from '../print.ts'

/** The fields of a webhook as flags. */
export interface WebhookFlags extends EndpointChoice {
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

/** Adds `--type --api-version --basic-auth --oauth`, and the flags that choose the endpoint. */
export function addWebhookFlags(command: Command): Command {
  return addChoiceFlags(command)
    .option('--type <type>', 'an event type, or a pattern such as order.*; may be repeated', collect)
    .option('--api-version <version>', 'the version of the payloads: default, latest, or a date such as 2021-12-13')
    .option(
      '--basic-auth <user:password>',
      'the basic authentication of the callback; prefer RIVERHOOK_BASIC_AUTH or RIVERHOOK_BASIC_AUTH_FILE, which no process list shows'
    )
    .option(
      '--oauth <file>',
      'a JSON file with tokenEndPoint, clientID, clientSecret ...: Digital River fetches a bearer token there for the callback'
    )
}

/** The flags, read. */
export interface GivenFields extends Omit<RegistrationGiven, 'secret'> {
  readonly types?: readonly string[]
}

/**
 * Reads the flags of a webhook.
 * @param own the endpoint's basic authentication, for a new webhook without the flag; not for a change
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export function readFlags(
  { type, apiVersion, basicAuth, oauth }: WebhookFlags,
  source: Source,
  own?: EndpointOptions['basicAuth']
): GivenFields {
  const types = type?.flatMap((each) => namesFor(each, source))
  const credentials = oauth === undefined ? credentialsOf(basicAuth, own) : undefined
  return {
    ...(types === undefined ? {} : { types: [...new Set(types)] }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(credentials === undefined ? {} : { basicAuth: credentials }),
    ...(oauth === undefined ? {} : { oauth: readJson(oauth) as RegistrationGiven['oauth'] })
  }
}

/**
 * Expands a pattern to the known event types that are still sent, where the provider accepts only names. Warns of an
 * unknown name.
 */
function namesFor(given: string, { types, withdrawnTypes = [], registration }: Source): readonly string[] {
  const requested = (type: string): string => registration?.requestedType?.(type) ?? type
  const unknown = `no event type "${given}" is known${unknownTypeHint(given, types)}`
  if (!given.includes('*')) {
    if (types.length > 0 && !types.includes(given)) printError(`riverhook: warning: ${unknown}`)
    return [requested(given)]
  }
  if (given === '*' && registration?.everyType !== undefined) return [registration.everyType]
  const names = types.filter((type) => !withdrawnTypes.includes(type) && matches(given, type))
  if (names.length > 0) return names.map(requested)
  throw new RiverhookError('RIVERHOOK_CLI_USAGE', `N${unknown.slice(1)}`)
}

/** A webhook of any provider, with the fields that Digital River has besides. */
type AnyWebhook = Registration & Partial<Omit<Webhook, keyof Registration>>

/** A provider's account, as the commands see it. */
interface AccountInUse {
  readonly source: Source
  /** The options of the chosen endpoint. */
  readonly given: EndpointOptions
  readonly webhooks: SourceApi['webhooks']
}

/** Opens the API of the chosen endpoint's provider, with the key of that endpoint or of its variable. */
async function openAccount(choice: EndpointChoice): Promise<AccountInUse> {
  const { source, given } = await chooseEndpoint(choice)
  const { register, backfill } = given
  const apiKey = backfill?.apiKey ?? register?.apiKey
  const apiUrl = backfill?.apiUrl ?? register?.apiUrl
  return { source, given, webhooks: apiOf({ source, apiKey, apiUrl }).webhooks }
}

async function findWebhook({ webhooks, source }: AccountInUse, id: string): Promise<Registration> {
  if (webhooks.retrieve !== undefined) return webhooks.retrieve(id)
  const found = (await webhooks.list()).find((webhook) => webhook.id === id)
  if (found !== undefined) return found
  throw new RiverhookError('RIVERHOOK_CLI_NOT_FOUND', `${providerOf(source)} has no webhook with the id ${id}`)
}

function listCommand(): Command {
  return addChoiceFlags(new Command('list').description('list the webhooks of the account'))
    .option('--type <type>', 'only webhooks that are sent this event type')
    .option('--json', 'one JSON object per line, secrets masked')
    .action(async ({ type, json, ...choice }: EndpointChoice & { type?: string; json?: true }) => {
      const account = await openAccount(choice)
      const { registration } = account.source
      const requested = type === undefined ? undefined : (registration?.requestedType?.(type) ?? type)
      const webhooks = (await account.webhooks.list()).filter(
        ({ types }) =>
          requested === undefined || types.some((each) => each === registration?.everyType || matches(requested, each))
      )
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
        webhooks.map(({ id, address, enabled, types, transportType = 'HTTP' }: AnyWebhook) => [
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
  return addChoiceFlags(new Command('show').description('show one webhook; not its signing secret'))
    .argument('<id>')
    .option('--json', 'as one JSON object, secrets masked')
    .action(async (id: string, { json, ...choice }: EndpointChoice & { json?: true }) => {
      const webhook = masked(await findWebhook(await openAccount(choice), id))
      if (json === true) printJson(webhook)
      else show(webhook)
    })
}

function createCommand(): Command {
  return addWebhookFlags(
    new Command('create').description('create a webhook (see sync, which does this from the handlers)')
  )
    .requiredOption('--address <url>', 'the URL that the provider will POST to')
    .option('--disabled', 'create it disabled: nothing is sent yet')
    .addOption(inboxOption())
    .action(async (flags: WebhookFlags & { address: string; disabled?: true; inbox: string }) => {
      const { source, given, webhooks } = await openAccount(flags)
      const { types = [], ...fields } = readFlags(flags, source, given.basicAuth)
      const { basicAuth, oauth = basicAuth === undefined ? registeredOauth(given, flags.address) : undefined } = fields
      const { secret, ...webhook } = await webhooks.create({
        ...ownFieldsOf({ source, ...fields, oauth }, await firstSecret(given.secrets)),
        types,
        address: flags.address,
        enabled: flags.disabled !== true
      })
      show(masked(webhook))
      printSecret(source, source.registration?.secretShown === 'created' ? secret : undefined)
      const target = webhookTarget(webhook.id, webhook.address)
      await enterAct(flags.inbox, 'registration.create', target, { count: 1, outcome: 'created' })
    })
}

/** Shows the secret of a new webhook where only this answer has it, otherwise where to find it. */
function printSecret({ name, secretSteps }: Source, secret: string | undefined): void {
  if (secret !== undefined) print(`\nIts signing secret, which ${name} shows only now: ${secret}`)
  else if (secretSteps !== undefined) print(`\nNote: ${secretSteps}.`)
}

interface UpdateFlags extends WebhookFlags {
  readonly address?: string
  readonly enable?: true
  readonly disable?: true
  readonly inbox: string
}

function updateCommand(): Command {
  return addWebhookFlags(new Command('update').description('change only the given fields of a webhook'))
    .argument('<id>')
    .option('--address <url>')
    .option('--enable', 'send events to it (again)')
    .option('--disable', 'send no events to it')
    .addOption(inboxOption())
    .action(async (id: string, flags: UpdateFlags) => {
      const { address, enable, disable } = flags
      if (enable === true && disable === true)
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Pass either --enable or --disable, not both')
      const { source } = await chooseEndpoint(flags)
      const { types, ...fields } = readFlags(flags, source)
      const changes = {
        ...ownFieldsOf({ source, ...fields }, undefined),
        ...(types === undefined ? {} : { types }),
        ...(address === undefined ? {} : { address }),
        ...(enable === undefined && disable === undefined ? {} : { enabled: enable === true })
      }
      if (Object.keys(changes).length === 0)
        throw new RiverhookError(
          'RIVERHOOK_CLI_USAGE',
          'Nothing to change: give --address, --type, --enable, --disable, --api-version, --basic-auth or --oauth'
        )
      const webhook = await (await openAccount(flags)).webhooks.update(id, changes)
      show(masked(webhook))
      const outcome = `changed ${Object.keys(changes).join(', ')}`
      await enterAct(flags.inbox, 'registration.update', webhookTarget(id, webhook.address), { count: 1, outcome })
    })
}

function deleteCommand(): Command {
  return addChoiceFlags(new Command('delete').description('delete a webhook: no more events are sent to it'))
    .argument('<id>')
    .option('--yes', 'do not ask')
    .addOption(inboxOption())
    .action(async (id: string, { yes, inbox, ...choice }: EndpointChoice & { yes?: true; inbox: string }) => {
      const account = await openAccount(choice)
      const { address } = await findWebhook(account, id)
      if (
        !(await confirm(`Delete the webhook ${id} for ${address}? Its events will no longer be sent.`, yes === true))
      ) {
        print('Nothing was changed.')
        return
      }
      await account.webhooks.delete(id)
      print(`The webhook ${id} was deleted.`)
      await enterAct(inbox, 'registration.delete', webhookTarget(id, address), { count: 1, outcome: 'deleted' })
    })
}

function show(webhook: AnyWebhook): void {
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

/** Masks the passwords and secrets, which some APIs show in clear. */
function masked(webhook: Registration): AnyWebhook {
  const hidden = ['password', 'clientSecret', 'secret']
  const mask = (part: object): object =>
    Object.fromEntries(
      Object.entries(part).map(([name, value]: [string, unknown]) => [
        name,
        hidden.includes(name) && value !== undefined
          ? '********'
          : name === 'authentication' || name === 'oauth'
            ? mask({ ...(value as object | undefined) })
            : value
      ])
    )
  return mask(webhook) as AnyWebhook
}

function credentialsOf(
  text: string | undefined,
  own: EndpointOptions['basicAuth']
): { username: string; password: string } | undefined {
  const basicAuth = text === undefined ? own : readConfig({ RIVERHOOK_BASIC_AUTH: text }).options.basicAuth
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
