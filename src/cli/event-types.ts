import { Command } from 'commander'

import { catalogue, RiverhookError, type CatalogueEntry } from '../index.ts'
import { matches, unknownTypeHint } from '../programs.ts'
import { print, printJson } from './output.ts'
import { counted, printTable } from './print.ts'

const entries = Object.entries<CatalogueEntry>(catalogue)

export function eventTypesCommand(): Command {
  return new Command('event-types')
    .description("list Digital River's event types, their payload type, and how well each is known")
    .argument('[pattern]', 'an event type, or a pattern such as order.*', '*')
    .option('--json', 'one JSON object a line')
    .action((pattern: string, { json }: { readonly json?: true }) => {
      const found = entries.filter(([type]) => matches(pattern, type))
      if (found.length === 0)
        throw new RiverhookError(
          'RIVERHOOK_CLI_USAGE',
          `No event type "${pattern}" is known${unknownTypeHint(
            pattern,
            entries.map(([type]) => type)
          )}`
        )
      if (json === true) {
        for (const [type, entry] of found) printJson({ type, ...entry })
        return
      }
      printTable(
        ['type', 'resource', 'basis', 'means'],
        found.map(([type, { resource, basis, means, ...entry }]) => [
          type,
          resource ?? '',
          basis,
          `${means}${notesOn(entry)}`
        ])
      )
      print(
        `\n${counted(found.length, 'event type')}. Basis: sample (seen in a full payload), documented, inferred (from the name), unknown.`
      )
    })
}

function notesOn({
  expandable,
  mayBeEmpty,
  withdrawn
}: Pick<CatalogueEntry, 'expandable' | 'mayBeEmpty' | 'withdrawn'>): string {
  const notes = [expandable && 'can be expanded', mayBeEmpty && 'may come empty', withdrawn && 'withdrawn'].filter(
    (note) => note !== undefined
  )
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`
}
