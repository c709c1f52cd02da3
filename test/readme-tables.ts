import { readFileSync, writeFileSync } from 'node:fs'

import type { Command } from 'commander'

import { catalogue, type CatalogueEntry, errorCodes, type Setting } from '../src/index.ts'
import { createProgram } from '../src/cli/program.ts'
import { endpointSettings, pluginSettings } from '../src/programs.ts'
import { environmentSettings } from '../src/options/variables.ts'
import { apiSettings, serverSettings } from '../src/options/server-settings.ts'
import { apiPage, routesTable, routesTableName } from './admin/routes-table.ts'
import { observePage, observeTables } from './observe/metrics-table.ts'
import { hmacPage, hmacTable, hmacTableName } from './source/hmac-table.ts'
import { sourcesPage, withTimes } from './source/sources-table.ts'
import { backfillSettings, handlerSettings, registerSettings, retrySettings } from '../src/options/settings.ts'
import { tokenEndpointSettings } from '../src/options/token-settings.ts'

// The tables of the documents that are generated from the code. To write them: `node
// --conditions=riverhook-source test/readme-tables.ts`

const document = (name: string): URL => new URL(`../docs/${name}.md`, import.meta.url)

/** The tables that are made from settings and codes, by name. */
export const tables: Readonly<Record<string, () => string>> = {
  settings: settingsTable,
  'handler options': handlerTable,
  'options in code': codeTable,
  codes: codesTable
}

function settingsTable(): string {
  const rows = Object.entries<Setting>(environmentSettings).map(([name, setting]) => {
    const inCode = name in serverSettings || name in apiSettings ? '' : `\`${name}\``
    return `| \`${setting.env ?? ''}\`${setting.file === true ? ' (_FILE)' : ''} | ${inCode} | ${defaultOf(setting)} | ${setting.means} |`
  })
  return ['| variable | in code | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** The options of a handler, and those of `retry`. */
function handlerTable(): string {
  return tableOf({ ...handlerSettings, ...within('retry', retrySettings) }, 'handler option')
}

/** The options that have no variable. */
function codeTable(): string {
  const all: Readonly<Record<string, Setting>> = {
    ...endpointSettings,
    ...pluginSettings,
    ...within('tokenEndpoint', tokenEndpointSettings),
    ...within('register', registerSettings),
    ...within('backfill', backfillSettings)
  }
  return tableOf(Object.fromEntries(Object.entries(all).filter(([, { env }]) => env === undefined)), 'option')
}

function tableOf(settings: Readonly<Record<string, Setting>>, title: string): string {
  const rows = Object.entries<Setting>(settings).map(
    ([name, setting]) => `| \`${name}\` | ${defaultOf(setting)} | ${setting.means} |`
  )
  return [`| ${title} | default | meaning |`, '|---|---|---|', ...rows].join('\n')
}

function defaultOf({ default: fallback, unit }: Setting): string {
  return fallback === undefined ? '' : `\`${fallback}\`${unit === undefined ? '' : ` ${unit}`}`
}

function within(group: string, settings: Readonly<Record<string, Setting>>): Record<string, Setting> {
  return Object.fromEntries(Object.entries(settings).map(([name, setting]) => [`${group}.${name}`, setting]))
}

function codesTable(): string {
  const rows = Object.entries<{ statusCode?: number; means: string }>(errorCodes).map(
    ([code, { statusCode, means }]) => `| \`${code}\` | ${statusCode ?? ''} | ${means} |`
  )
  return ['| code | status | meaning |', '|---|---|---|', ...rows].join('\n')
}

export const commandsPage = document('commands')
export const commandsTableName = 'commands'

/** All commands, by their words. */
export async function commandsTable(): Promise<string> {
  const rows = (command: Command, before: string): string[] => {
    const words = [before, command.name(), ...command.registeredArguments.map(wordOf)].join(' ')
    const own = command.commands.length > 0 ? [] : [`| \`${words}\` | ${command.description()} |`]
    return [...own, ...command.commands.flatMap((each) => rows(each, `${before} ${command.name()}`))]
  }
  // The shell calls `complete`, no person.
  const named = (await createProgram()).commands.filter((command) => command.name() !== 'complete')
  const all = named.flatMap((command) => rows(command, 'riverhook'))
  return ['| command | what it does |', '|---|---|', ...all].join('\n')
}

function wordOf(argument: Command['registeredArguments'][number]): string {
  const name = argument.name().toUpperCase()
  return argument.required ? name : `[${name}]`
}

/** The page with the table of event types. */
export const typesPage = new URL('../examples/event-types.md', import.meta.url)

export function typesPageText(): string {
  const notes = ({ expandable, mayBeEmpty, withdrawn }: CatalogueEntry): string =>
    [expandable && 'expandable', mayBeEmpty && 'may come empty', withdrawn && 'withdrawn']
      .filter((note) => note !== undefined)
      .join(', ')
  const rows = Object.entries<CatalogueEntry>(catalogue).map(
    ([type, entry]) =>
      `| \`${type}\` | ${entry.resource === undefined ? '' : `\`${entry.resource}\``} | ${entry.means} | ${entry.basis} | ${notes(entry)} |`
  )
  return `# Event types

The event types that Digital River is known to send. The resource is the type of \`event.data.object\`, from \`riverhook/resources\`; an empty cell means that it is unknown.

Basis: how well the resource is known. *sample*: seen in a real payload; *documented*: stated by the provider; *inferred*: from the name of the type, because an event carries the resource that changed; *unknown*.

Notes: *expandable*: Digital River can add product details, at the merchant's request; *may come empty*: after a deletion \`data.object\` can be \`{}\`; *withdrawn*: still listed, no longer sent.

This page is made from [the catalogue](../src/source/digital-river/catalogue.ts); \`riverhook event-types\` prints the same.

| type | resource | what happened | basis | notes |
|---|---|---|---|---|
${rows.join('\n')}
`
}

/** The documents that hold them. */
const tablePages = ['configuration', 'handlers', 'errors'].map(document)

/** Finds a table's text in a document. */
export function tablePattern(name: string): RegExp {
  return new RegExp(`(<!-- table: ${name} -->\\n)([\\s\\S]*?)(\\n?<!-- /table -->)`)
}

/** Replaces a table in a text. */
function withTable(text: string, name: string, table: string): string {
  return text.replace(
    tablePattern(name),
    (_all, start: string, _old, end: string) => `${start}${table}\n${end.trimStart()}`
  )
}

if (import.meta.main) {
  for (const page of tablePages) {
    const written = Object.entries(tables).reduce(
      (text, [name, table]) => withTable(text, name, table()),
      readFileSync(page, 'utf8')
    )
    writeFileSync(page, written)
  }
  writeFileSync(typesPage, typesPageText())
  writeFileSync(commandsPage, withTable(readFileSync(commandsPage, 'utf8'), commandsTableName, await commandsTable()))
  writeFileSync(sourcesPage, await withTimes(readFileSync(sourcesPage, 'utf8')))
  writeFileSync(apiPage, withTable(readFileSync(apiPage, 'utf8'), routesTableName, routesTable()))
  const observed = Object.entries(observeTables).reduce(
    (text, [name, table]) => withTable(text, name, table()),
    readFileSync(observePage, 'utf8')
  )
  writeFileSync(observePage, observed)
  writeFileSync(hmacPage, withTable(readFileSync(hmacPage, 'utf8'), hmacTableName, hmacTable()))
}
