import { Option } from 'commander'

import { RiverhookError, type Inbox, type RiverhookOptions } from '../index.ts'
import { composeCommand, openPlain, readInstant, readSecretValue, type CommandParts } from '../programs.ts'
import { inboxSetting } from '../options/inbox-setting.ts'
import { commandActor } from './actor.ts'
import { commandLog } from './command-log.ts'
import { givenEncryption } from './config.ts'

/** `--inbox`, for every command that reads the inbox. */
export function inboxOption(): Option {
  const option = serverInbox('--inbox <address>', 'the inbox of the server')
  return option.defaultValue === undefined ? option.default(inboxSetting.default) : option
}

/**
 * An option for the inbox of the server, which `RIVERHOOK_INBOX` or the file of `RIVERHOOK_INBOX_FILE` names.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if the file cannot be read
 */
export function serverInbox(flags: string, description: string): Option {
  const { env } = inboxSetting
  const option = new Option(flags, description).env(env)
  if (process.env[`${env}_FILE`] === undefined) return option
  // The address may hold a password, so the help names the file instead.
  return option.default(readSecretValue(env, process.env), `in the file of ${env}_FILE`)
}

/**
 * Opens a receiver beside its server, runs `use`, and always closes it. The keys of an encrypted inbox are those of the
 * variable or the config file, unless the options have some. Log lines go to standard error.
 */
export async function withRiverhook<Result>(
  options: RiverhookOptions,
  use: (parts: CommandParts) => Promise<Result>
): Promise<Result> {
  const encryption = options.encryption ?? givenEncryption().encryption
  const parts = composeCommand(encryption === undefined ? options : { ...options, encryption }, {
    log: commandLog(),
    actor: commandActor(),
    isAlone: true
  })
  try {
    await parts.riverhook.start()
    return await use(parts)
  } finally {
    await parts.riverhook.stop()
  }
}

/** Opens the inbox at an address beside its server, runs `use`, and always closes it. */
export type WithInbox = <Result>(address: string, use: (inbox: Inbox) => Promise<Result>) => Promise<Result>

export const withInbox: WithInbox = (inbox, use) => withRiverhook({ inbox }, ({ riverhook }) => use(riverhook.inbox))

/** `withInbox` for the commands of `quick.ts`: without all that a receiver is made of. */
export const withPlainInbox: WithInbox = async (address, use) => {
  const inbox = openPlain(address)
  await inbox.open()
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}

/**
 * An instant on the command line: ISO 8601, or a span of time before now such as `24h`.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export function instantOf(option: string, text: string | undefined, now = new Date()): Date | undefined {
  if (text === undefined) return undefined
  const instant = readInstant(text, now)
  if (instant !== undefined) return instant
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `${option} "${text}" is neither a span of time such as 24h nor an instant such as 2026-01-31T12:00Z`
  )
}
