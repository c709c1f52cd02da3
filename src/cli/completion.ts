import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

import { catalogue, type CatalogueEntry } from '../index.ts'
import { sourceNames } from '../options/source-by-name.ts'

type Root = ReturnType<typeof tab>
type Completed = Pick<Root, 'arguments' | 'options'>

const entries = Object.entries<CatalogueEntry>(catalogue)

/** Adds `riverhook completion SHELL`, which prints the script for a shell, and the hidden command that it calls. */
export function addCompletion(program: Command): void {
  const root = tab(program, { completionCommandName: 'completion' })
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a script for your shell that completes commands, flags, event types and sources')
  for (const command of root.commands.values()) completeValues(command)
}

/** Completes every option and argument that takes an event type, and every option that takes a source. */
function completeValues({ arguments: args, options }: Completed): void {
  for (const name of ['type', 'pattern']) {
    const argument = args.get(name)
    if (argument !== undefined) argument.handler = completeWithTypes
  }
  const type = options.get('type')
  if (type !== undefined) type.handler = completeWithTypes
  const source = options.get('source')
  if (source !== undefined) source.handler = completeWithSources
}

function completeWithTypes(complete: (value: string, description: string) => void): void {
  for (const [type, { means }] of entries) complete(type, means)
}

function completeWithSources(complete: (value: string, description: string) => void): void {
  for (const name of sourceNames) complete(name, 'a source')
}
