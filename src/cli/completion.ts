import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

import { catalogue, type CatalogueEntry } from '../index.ts'

type Root = ReturnType<typeof tab>
type Completed = Pick<Root, 'arguments' | 'options'>

const entries = Object.entries<CatalogueEntry>(catalogue)

/**
 * Adds `riverhook completion SHELL`, which prints the script for a shell, and the hidden command that the script asks.
 */
export function addCompletion(program: Command): void {
  const root = tab(program, { completionCommandName: 'completion' })
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print what completes commands, flags and event types in a shell: source it')
  for (const command of root.commands.values()) completeTypes(command)
}

/** Whatever takes an event type completes to those of the catalogue. */
function completeTypes({ arguments: args, options }: Completed): void {
  for (const name of ['type', 'pattern']) {
    const argument = args.get(name)
    if (argument !== undefined) argument.handler = tellTypes
  }
  const option = options.get('type')
  if (option !== undefined) option.handler = tellTypes
}

function tellTypes(tell: (value: string, description: string) => void): void {
  for (const [type, { means }] of entries) tell(type, means)
}
