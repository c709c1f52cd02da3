import type { Command } from 'commander'

import { apiVariables, providerName } from '../options/default-names.ts'
import { useConfigFile } from './config.ts'
import type { WithInbox } from './inbox.ts'
import { addTo, bareProgram, group, handlersDescription, runProgram } from './run.ts'

const loadWithInbox = async (): Promise<WithInbox> => (await import('./inbox.ts')).withInbox

/** The commands by their first word. Each loads only what it needs: most need neither the server nor the simulator. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand(),
  dev: async () => (await import('./dev.ts')).devCommand(),
  events: async () => {
    const [
      { listCommand },
      { showCommand },
      { exportCommand },
      { replayCommand },
      { removeCommand },
      { eraseCommand }
    ] = await Promise.all([
      import('./events/list.ts'),
      import('./events/show.ts'),
      import('./events/export.ts'),
      import('./events/replay.ts'),
      import('./events/remove.ts'),
      import('./events/erase.ts')
    ])
    return group('events', 'look at the events in the inbox, export, replay, remove and erase them', [
      listCommand(),
      showCommand(),
      exportCommand(),
      replayCommand(),
      removeCommand(),
      eraseCommand()
    ])
  },
  handlers: async () => {
    const [{ listCommand }, { pauseCommand, resumeCommand }] = await Promise.all([
      import('./handlers/list.ts'),
      import('./handlers/pause.ts')
    ])
    return group('handlers', handlersDescription, [listCommand(await loadWithInbox()), pauseCommand(), resumeCommand()])
  },
  replays: async () =>
    group(
      'replays',
      'look at replays of many events, and stop them',
      (await import('./replays/replays.ts')).replayCommands()
    ),
  alarms: async () => (await import('./alarms.ts')).alarmsCommand(),
  stats: async () => (await import('./stats.ts')).statsCommand(await loadWithInbox()),
  failures: async () => (await import('./failures.ts')).failuresCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(await loadWithInbox()),
  drift: async () => (await import('./drift.ts')).driftCommand(),
  'event-types': async () => (await import('./event-types.ts')).eventTypesCommand(),
  trigger: async () => (await import('./trigger.ts')).triggerCommand(),
  send: async () => (await import('./send.ts')).sendCommand(),
  webhooks: async () => {
    const [{ webhookCommands }, { syncCommand }] = await Promise.all([
      import('./webhooks/webhooks.ts'),
      import('./webhooks/sync.ts')
    ])
    const description = `register webhooks with the provider; the API key is the endpoint's, or for ${providerName} in ${apiVariables.key} or ${apiVariables.key}_FILE`
    return group('webhooks', description, [...webhookCommands(), syncCommand()])
  },
  backfill: async () => (await import('./backfill.ts')).backfillCommand(),
  admin: async () =>
    group('admin', "make tokens for the operator's API", [(await import('./admin/token.ts')).tokenCommand()]),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
  inbox: async () =>
    group('inbox', 'create, back up, restore and copy the inbox', (await import('./inbox-commands.ts')).inboxCommands())
}

/**
 * The command line, not run yet.
 * @param first its first word. If it is a command, only that one is loaded; otherwise all are, for the help, completion
 * and suggestions
 */
export async function createProgram(first?: string): Promise<Command> {
  const program = bareProgram(useConfigFile)
  // The version alone needs no command.
  if (first === '--version' || first === '-V') return program
  const one = first === undefined || !Object.hasOwn(commands, first) ? undefined : commands[first]
  for (const load of one === undefined ? Object.values(commands) : [one]) addTo(program, await load())
  if (one === undefined) (await import('./completion.ts')).addCompletion(program)
  return program
}

/** Runs the command line. See `runProgram`. */
export function run(args: readonly string[]): Promise<number | undefined> {
  return runProgram(args, createProgram)
}
