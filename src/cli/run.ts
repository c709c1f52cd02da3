import { Command, CommanderError } from 'commander'

import { loggedError, RiverhookError } from '../index.ts'
import { packageVersion, visible } from '../programs.ts'
import { printError } from './output.ts'

/**
 * The command line without commands.
 * @param before called before each command
 */
export function bareProgram(before: (command: Command) => Promise<void>): Command {
  return new Command('riverhook')
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
    .hook('preAction', (_program, command) => before(command))
}

/** Adds a command with its subcommands. */
export function addTo(program: Command, command: Command): void {
  program.addCommand(command)
  for (const each of [command, ...command.commands]) each.copyInheritedSettings(program)
}

export const handlersDescription = 'look at the handlers of the server, pause and resume them'

/** A command that only has subcommands. */
export function group(name: string, description: string, members: readonly Command[]): Command {
  const parent = new Command(name).description(description)
  for (const member of members) parent.addCommand(member)
  return parent
}

/**
 * Runs the command line.
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage; undefined while a server runs
 */
export async function runProgram(
  args: readonly string[],
  create: (first?: string) => Command | Promise<Command>
): Promise<number | undefined> {
  try {
    await (await create(args[0])).parseAsync(args, { from: 'user' })
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
