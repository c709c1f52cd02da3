import { createRequire } from 'node:module'

import { Command, CommanderError } from 'commander'

import { RiverhookError } from '../index.ts'
import { backfillCommand } from './backfill.ts'
import { addCompletion } from './completion.ts'
import { devCommand } from './dev.ts'
import { driftCommand } from './drift.ts'
import { eventTypesCommand } from './event-types.ts'
import { listCommand } from './events-list.ts'
import { removeCommand } from './events-remove.ts'
import { replayCommand } from './events-replay.ts'
import { showCommand } from './events-show.ts'
import { inboxCommands } from './inbox-commands.ts'
import { sendCommand } from './send.ts'
import { serveCommand } from './serve.ts'
import { simulateCommand } from './simulate.ts'
import { statsCommand } from './stats.ts'
import { triggerCommand } from './trigger.ts'
import { syncCommand } from './webhooks-sync.ts'
import { webhookCommands } from './webhooks.ts'

/** The command line, not run yet. */
export function createProgram(): Command {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
  const program = new Command('riverhook')
    .description('Receives Digital River webhook events: on disk before the answer, handled until done or a dead letter.')
    .version(version)
    .showHelpAfterError('(--help says more)')
    .configureOutput({ outputError: (text, write) => { write(text.replace(/^error: /, 'riverhook: ')) } })
    .exitOverride()
  const events = new Command('events').description('look at the events in the inbox, and repair')
  for (const command of [listCommand(), showCommand(), replayCommand(), removeCommand()]) events.addCommand(command)
  const inbox = new Command('inbox').description('the store itself: its tables, and moving to another one')
  for (const command of inboxCommands()) inbox.addCommand(command)
  const webhooks = new Command('webhooks').description('the registration with Digital River; the key is read from DIGITAL_RIVER_API_KEY or DIGITAL_RIVER_API_KEY_FILE')
  for (const command of [...webhookCommands(), syncCommand()]) webhooks.addCommand(command)
  const commands = [
    serveCommand(), devCommand(), events, statsCommand(), driftCommand(), eventTypesCommand(), triggerCommand(), sendCommand(), webhooks, backfillCommand(),
    simulateCommand(), inbox
  ]
  for (const command of commands) program.addCommand(command)
  for (const command of [...program.commands, ...events.commands, ...webhooks.commands, ...inbox.commands]) command.copyInheritedSettings(program)
  addCompletion(program)
  return program
}

/**
 * Runs the command line. @returns the exit code: 0 done, 1 failed, 2 wrong usage; undefined for a server, which goes on
 */
export async function run(args: readonly string[]): Promise<number | undefined> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    // Commander has printed its own errors, and the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof RiverhookError) {
      process.stderr.write(`riverhook: ${error.message}\n`)
      return error.code === 'RIVERHOOK_CLI_USAGE' ? 2 : 1
    }
    if (isListenError(error)) {
      process.stderr.write(`riverhook: cannot listen on ${error.address}:${error.port}: ${error.code}. Is another program there? Choose another with RIVERHOOK_PORT\n`)
      return 1
    }
    throw error
  }
}

function isListenError(error: unknown): error is { code: string; address: string; port: number } {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'port' in error
}
