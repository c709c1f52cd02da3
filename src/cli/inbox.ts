import { Option } from 'commander'
import { pino } from 'pino'

import { RiverhookError, type Inbox, type RiverhookOptions } from '../index.ts'
import { composeCommand, pluginSettings, readInstant, type CommandParts } from '../programs.ts'
import { commandActor } from './actor.ts'
import { logOutput } from '../server/log-output.ts'

/** `--inbox`, for every command that reads the inbox. */
export function inboxOption(): Option {
  return new Option('--inbox <address>', 'the inbox of the server')
    .env('RIVERHOOK_INBOX')
    .default(pluginSettings.inbox.default)
}

/** Opens a receiver beside its server, runs `use`, and always closes it. Log lines go to standard error. */
export async function withRiverhook<Result>(
  options: RiverhookOptions,
  use: (parts: CommandParts) => Promise<Result>
): Promise<Result> {
  const parts = composeCommand(options, {
    // An act that is done is in the output of its command.
    log: pino({ level: 'warn' }, logOutput(2)),
    actor: commandActor()
  })
  try {
    await parts.riverhook.start()
    return await use(parts)
  } finally {
    await parts.riverhook.stop()
  }
}

/** Opens the inbox beside its server, runs `use`, and always closes it. */
export function withInbox<Result>(inbox: string, use: (inbox: Inbox) => Promise<Result>): Promise<Result> {
  return withRiverhook({ inbox }, ({ riverhook }) => use(riverhook.inbox))
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
