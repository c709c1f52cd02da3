import type { Command } from 'commander'

import { RiverhookError, type RiverhookOptions, type Source } from '../index.ts'
import { readConfigFile, type ConfigFile } from '../options/config-file.ts'
import { readConfig, type Environment, type ServerConfig } from '../options/environment.ts'
import { loadSourceOf } from '../options/source-by-name.ts'
import { describeAddress, readSecretValue } from '../programs.ts'
import { readDevFile } from './dev/dev-file.ts'
import { printError } from './output.ts'

/** Commands that need no configuration. */
const withoutConfig: readonly string[] = ['completion']

let current: ConfigFile | undefined
/** The source that `RIVERHOOK_SOURCE` names, or the error of a name that no source has. */
let currentSource: Source | RiverhookError | undefined

/** The configuration of `riverhook serve`: the variables, and the config file under them. */
export function configured(environment: Environment = process.env): ServerConfig {
  return readConfig(environment, current, currentSource)
}

/** The keys of the inbox: those of the variable, or of the config file. Checked when the inbox is opened. */
export function givenEncryption(environment: Environment = process.env): Pick<RiverhookOptions, 'encryption'> {
  const keys = readSecretValue('RIVERHOOK_ENCRYPTION_KEYS', environment)
  const encryption = keys === undefined ? current && configured().options.encryption : { keys }
  return encryption === undefined ? {} : { encryption }
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
 * Reads the config file and gives what it says to the options of the command that neither a flag nor a variable sets.
 */
export async function useConfigFile(command: Command): Promise<void> {
  const top = firstWord(command)
  // The catalogue of the default source is in the package; a source of one's own is in the config file.
  const isListing = top === 'event-types' && command.opts()['source'] === undefined
  const isNeeded = !withoutConfig.includes(top) && !isListing
  // The files that the configuration imports are watched, too.
  if (top === 'dev') (await import('./dev/fresh-modules.ts')).freshModules.install()
  current = isNeeded ? await readConfigFile(process.env) : undefined
  currentSource = isNeeded ? await loadSourceOf(process.env).catch(errorAsValue) : undefined
  // Throws the error with all other wrong settings.
  if (currentSource instanceof RiverhookError) configured()
  useDevInbox(command)
  if (current === undefined) return
  const { options, port, warnings } = configured()
  // The server logs its own.
  if (top !== 'serve') for (const warning of warnings) printError(`riverhook: warning: ${warning}`)
  // The configuration of dev is read again when it changes, and its inbox may be that of production.
  const values: Readonly<Record<string, unknown>> =
    top === 'dev' ? { port } : { inbox: options.inbox, handlers: options.handlers }
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

function errorAsValue(error: unknown): RiverhookError {
  if (error instanceof RiverhookError) return error
  throw error
}

/** Gives a command beside a running `riverhook dev` its inbox, unless a flag or a variable names another. */
function useDevInbox(command: Command): void {
  const inbox = command.options.find((option) => option.long === '--inbox')?.attributeName()
  if (inbox === undefined || command.name() === 'dev') return
  const source = command.getOptionValueSource(inbox)
  if (source !== undefined && source !== 'default') return
  const dev = process.env['RIVERHOOK_INBOX_FILE'] === undefined ? readDevFile() : undefined
  if (dev === undefined) return
  command.setOptionValueWithSource(inbox, dev.inbox, 'dev')
  printError(`Using the inbox of riverhook dev in this folder: ${describeAddress(dev.inbox)}`)
}

/** The command below the program itself. */
function firstWord(command: Command): string {
  const { parent } = command
  return parent === null || parent.parent === null ? command.name() : firstWord(parent)
}
