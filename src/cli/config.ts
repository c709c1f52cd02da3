import type { Command } from 'commander'

import { RiverhookError, type EndpointOptions, type RiverhookOptions, type Source } from '../index.ts'
import { readConfigFile, type ConfigFile } from '../options/config-file.ts'
import { readConfig, type Environment, type ServerConfig } from '../options/environment.ts'
import { defaultPathOf } from '../options/default-names.ts'
import { defaultSource } from '../options/default-source.ts'
import { listEndpoints, type GivenEndpoint } from '../options/list-endpoints.ts'
import { loadSourceOf } from '../options/source-by-name.ts'
import { endpointSettings } from '../programs.ts'
import { printError } from './output.ts'

/** Commands that need no configuration. */
const withoutConfig: readonly string[] = ['completion']

let current: ConfigFile | undefined
/** The source that `RIVERHOOK_SOURCE` names. */
let currentSource: Source | undefined

/** The configuration of `riverhook serve`: the variables, and the config file under them. */
export function configured(environment: Environment = process.env): ServerConfig {
  return readConfig(environment, current, currentSource)
}

/** The parts that a command opens beside the server: its inbox, its endpoints with their sources, and the handlers. */
export function besideServer(flags: {
  readonly inbox: string
  readonly handlers?: RiverhookOptions['handlers']
}): RiverhookOptions {
  const { options } = configured()
  return { ...options, inbox: flags.inbox, handlers: flags.handlers }
}

/**
 * The parts that a command for one endpoint opens: only that endpoint. It is the one at `flags.endpoint`, otherwise the
 * first with an API key, otherwise the first. An endpoint that is not configured has the defaults.
 */
export function besideEndpoint(flags: {
  readonly inbox: string
  readonly handlers?: RiverhookOptions['handlers']
  readonly endpoint?: string
  readonly realm?: string
}): { readonly options: RiverhookOptions; readonly endpoint: { readonly path: string; readonly source: Source } } {
  const { options } = configured()
  const { source: defaults = defaultSource(), forward, forwardSecret } = options
  const all = listEndpoints(options)
  const found =
    flags.endpoint === undefined
      ? (all.find(({ given: { backfill, register } }) => backfill ?? register) ?? all[0])
      : all.find(({ path }) => path === flags.endpoint)
  const { source, given }: Pick<GivenEndpoint, 'source' | 'given'> = found ?? { source: defaults, given: {} }
  const path = flags.endpoint ?? found?.path ?? defaultPathOf(source)
  const own = Object.entries(given).filter(([name]) => Object.hasOwn(endpointSettings, name))
  const endpoint = { ...(Object.fromEntries(own) as EndpointOptions), path, source, realm: flags.realm ?? given.realm }
  const { inbox, handlers } = flags
  return {
    options: { source: defaults, inbox, handlers, forward, forwardSecret, endpoints: [endpoint] },
    endpoint: { path, source }
  }
}

/** The key and the URL of the API in the config file. Empty: the client reads the variables. */
export function apiOptions(): Pick<NonNullable<RiverhookOptions['backfill']>, 'apiKey' | 'apiUrl'> {
  if (current === undefined) return {}
  const { register, backfill } = onlyEndpoint(configured())
  return { apiKey: backfill?.apiKey ?? register?.apiKey, apiUrl: backfill?.apiUrl ?? register?.apiUrl }
}

/**
 * Reads the config file and gives what it says to the options of the command that neither a flag nor a variable sets.
 */
export async function useConfigFile(command: Command): Promise<void> {
  const top = firstWord(command)
  // The catalogue of the default source is in the package; a source of one's own is in the config file.
  const isListing = top === 'event-types' && command.opts()['source'] === undefined
  const isNeeded = !withoutConfig.includes(top) && !isListing
  current = isNeeded ? await readConfigFile(process.env) : undefined
  currentSource = isNeeded ? await loadSourceOf(process.env) : undefined
  if (current === undefined) return
  const config = configured()
  const { options, port, warnings } = config
  const endpoint = onlyEndpoint(config)
  // The server logs its own.
  if (top !== 'serve') for (const warning of warnings) printError(`riverhook: warning: ${warning}`)
  const values: Readonly<Record<string, unknown>> = {
    inbox: options.inbox,
    handlers: options.handlers,
    ...(top === 'dev' ? { port } : {}),
    ...(top === 'webhooks' && command.name() === 'sync'
      ? { address: endpoint.register?.address, mode: endpoint.register?.mode ?? endpoint.mode }
      : {})
  }
  for (const option of command.options) {
    const name = option.attributeName()
    const source = command.getOptionValueSource(name)
    if (values[name] === undefined || (source !== undefined && source !== 'default')) continue
    if (name === 'inbox' && typeof values[name] !== 'string')
      throw new RiverhookError(
        'RIVERHOOK_CLI_USAGE',
        `The inbox in ${current.name} is an object, which only the server can open: pass its address with --inbox`
      )
    command.setOptionValueWithSource(name, values[name], 'config')
  }
}

/** The endpoint, where there is one. With several, flags say which address, mode and key are meant. */
export function onlyEndpoint({ options }: ServerConfig): EndpointOptions {
  const [first, ...others] = options.endpoints ?? [options]
  return first === undefined || others.length > 0 ? {} : first
}

/** The command below the program itself. */
function firstWord(command: Command): string {
  const { parent } = command
  return parent === null || parent.parent === null ? command.name() : firstWord(parent)
}
