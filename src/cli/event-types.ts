import { Command } from 'commander'

import { catalogue, RiverhookError, type CatalogueEntry, type Source } from '../index.ts'
import { matches, unknownTypeHint } from '../programs.ts'
import { findSource } from './endpoint.ts'
import { print, printError, printJson } from './output.ts'
import { counted, printTable } from './print.ts'

interface Flags {
  readonly json?: true
  readonly source?: string
}

const entries = Object.entries<CatalogueEntry>(catalogue)

export function eventTypesCommand(): Command {
  return new Command('event-types')
    .description(
      "list Digital River's event types, their payload type, and how well each is known; or another source's"
    )
    .argument('[pattern]', 'an event type, or a pattern such as order.*', '*')
    .option('--source <name>', 'another provider, such as stripe')
    .option('--json', 'one JSON object per line')
    .action(async (pattern: string, { json, source: name }: Flags) => {
      const source = name === undefined ? undefined : await findSource(name)
      if (source === undefined || source.name === 'digital-river') listCatalogue(pattern, json === true)
      else listTypes(source, pattern, json === true)
    })
}

function listCatalogue(pattern: string, isJson: boolean): void {
  const found = choose(
    pattern,
    entries.map(([type]) => type)
  )
  const rows = entries.filter(([type]) => found.includes(type))
  if (isJson) {
    for (const [type, entry] of rows) printJson({ type, ...entry })
    return
  }
  printTable(
    ['type', 'resource', 'basis', 'means'],
    rows.map(([type, { resource, basis, means, ...entry }]) => [
      type,
      resource ?? '',
      basis,
      `${means}${notesOn(entry)}`
    ])
  )
  print(
    `\n${counted(rows.length, 'event type')} of Digital River; for another provider: --source NAME. Basis: sample (seen in a full payload), documented, inferred (from the name), unknown.`
  )
}

/** The types of a source that has no catalogue. */
function listTypes({ name, types, withdrawnTypes = [] }: Source, pattern: string, isJson: boolean): void {
  if (types.length === 0) {
    printError(
      `Riverhook has no list of the event types of ${name}: every type is accepted, and none is taken for a mistake. The provider's documentation lists them.`
    )
    return
  }
  const rows = choose(pattern, types).map((type) => ({
    type,
    ...(withdrawnTypes.includes(type) ? { withdrawn: true } : {})
  }))
  for (const row of rows) {
    if (isJson) printJson(row)
    else print(`${row.type}${row.withdrawn === true ? '  (withdrawn)' : ''}`)
  }
  if (!isJson) print(`\n${counted(rows.length, 'event type')} of ${name}.`)
}

/** @throws {RiverhookError} RIVERHOOK_CLI_USAGE if there is none, with the nearest names */
function choose(pattern: string, types: readonly string[]): readonly string[] {
  const found = types.filter((type) => matches(pattern, type))
  if (found.length > 0) return found
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `No event type "${pattern}" is known${unknownTypeHint(pattern, types)}`
  )
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
