import { Command, CommanderError } from 'commander'

import { loggedError, RiverhookError } from '../index.ts'
import { packageVersion, visible } from '../programs.ts'
import { useConfigFile } from './config.ts'
import { printError } from './output.ts'
import { apiVariables, providerName } from '../options/default-names.ts'

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
    return group('handlers', 'look at the handlers of the server, pause and resume them', [
      listCommand(),
      pauseCommand(),
      resumeCommand()
    ])
  },
  replays: async () =>
    group(
      'replays',
      'look at replays of many events, and stop them',
      (await import('./replays/replays.ts')).replayCommands()
    ),
  alarms: async () => (await import('./alarms.ts')).alarmsCommand(),
  stats: async () => (await import('./stats.ts')).statsCommand(),
  failures: async () => (await import('./failures.ts')).failuresCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
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

function group(name: string, description: string, members: readonly Command[]): Command {
  const parent = new Command(name).description(description)
  for (const member of members) parent.addCommand(member)
  return parent
}

/**
 * The command line, not run yet.
 * @param first its first word. If it is a command, only that one is loaded; otherwise all are, for the help, completion
 * and suggestions
 */
export async function createProgram(first?: string): Promise<Command> {
  const program = new Command('riverhook')
    .description(
      'Receives webhook events: records each on disk before it is acknowledged, and runs your handlers until they succeed.'
    )
    .version(packageVersion())
    .showHelpAfterError('(for help, add --help)')
    .configureOutput({
      outputError: (text, write) => {
        write(visible(text).replace(/^error: /, 'riverhook: '))
      }
    })
    .exitOverride()
    .hook('preAction', async (_program, command) => {
      await useConfigFile(command)
    })
  // The version alone needs no command.
  if (first === '--version' || first === '-V') return program
  const one = first === undefined || !Object.hasOwn(commands, first) ? undefined : commands[first]
  for (const load of one === undefined ? Object.values(commands) : [one]) {
    const command = await load()
    program.addCommand(command)
    for (const each of [command, ...command.commands]) each.copyInheritedSettings(program)
  }
  if (one === undefined) (await import('./completion.ts')).addCompletion(program)
  return program
}

/**
 * Runs the command line.
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage; undefined while a server runs
 */
export async function run(args: readonly string[]): Promise<number | undefined> {
  try {
    await (await createProgram(args[0])).parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    // Commander has printed its own errors, and the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof RiverhookError) {
      printError(`riverhook: ${error.message}`)
      return isUsage(error) ? 2 : 1
    }
    const reason = listenFault(error, args[0] === 'serve' ? ['RIVERHOOK_HOST', 'RIVERHOOK_PORT'] : ['--host', '--port'])
    // Do not rethrow: Node would print every property of the error, and errors of HTTP clients hold credentials.
    const { message, stack } = loggedError(error)
    printError(reason === undefined ? `riverhook: internal error: ${message}\n${stack}` : `riverhook: ${reason}`)
    return 1
  }
}

/** Advice for a server that cannot listen; undefined for any other error. */
function listenFault(error: unknown, [host, port]: readonly [host: string, port: string]): string | undefined {
  if (!(error instanceof Error)) return undefined
  const {
    syscall,
    code = '',
    address,
    port: at,
    hostname
  } = error as NodeJS.ErrnoException & { readonly address?: string; readonly port?: number; readonly hostname?: string }
  if (syscall === 'getaddrinfo')
    return `cannot listen on ${String(hostname)}: ${code}. The name has no address: set ${host} to an address of this machine, such as 127.0.0.1 or 0.0.0.0`
  if (syscall !== 'listen') return undefined
  const advice =
    code === 'EADDRINUSE'
      ? `another program uses it: stop that program, or choose another port with ${port}`
      : code === 'EACCES'
        ? `choose a port from 1024 on with ${port}`
        : `set ${host} to an address of this machine`
  return `cannot listen on ${String(address)}:${String(at)}: ${code}; ${advice}`
}

/** The command line lacks something. */
function isUsage({ code }: RiverhookError): boolean {
  return ['RIVERHOOK_CLI_USAGE', 'RIVERHOOK_HANDLERS_NO_CODE', 'RIVERHOOK_HANDLERS_DIFFERENT'].includes(code)
}
