import { readFileSync, writeFileSync } from 'node:fs'

import { endpointSettings, errorCodes, pluginSettings, type Setting } from '../src/index.ts'
import { places } from '../src/server/managed.ts'
import { apiSettings, serverSettings } from '../src/server/settings.ts'

// The README's tables that are made from the code. `node --conditions=riverhook-source test/readme-tables.ts` writes them.

const readme = new URL('../README.md', import.meta.url)

export const tables: Readonly<Record<string, () => string>> = { settings: settingsTable, codes: codesTable }

function settingsTable(): string {
  const rows = Object.entries<Setting>({ ...serverSettings, ...endpointSettings, ...pluginSettings, ...apiSettings })
    .filter(([, { env }]) => env !== undefined)
    .map(([name, { env = '', file, default: fallback, unit, means }]) => {
      const inCode = name in serverSettings ? '' : `\`${name in places ? places[name as keyof typeof places].join('.') : name}\``
      const value = fallback === undefined ? '' : `\`${fallback}\`${unit === undefined ? '' : ` ${unit}`}`
      return `| \`${env}\`${file === true ? ' (_FILE)' : ''} | ${inCode} | ${value} | ${means} |`
    })
  return ['| variable | in code | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function codesTable(): string {
  const rows = Object.entries<{ statusCode?: number; means: string }>(errorCodes).map(
    ([code, { statusCode, means }]) => `| \`${code}\` | ${statusCode ?? ''} | ${means} |`
  )
  return ['| code | status | meaning |', '|---|---|---|', ...rows].join('\n')
}

/** Finds a table's text in the README. */
export function tablePattern(name: string): RegExp {
  return new RegExp(`(<!-- table: ${name} -->\\n)([\\s\\S]*?)(\\n?<!-- /table -->)`)
}

if (import.meta.main) {
  const written = Object.entries(tables).reduce(
    (text, [name, table]) => text.replace(tablePattern(name), (_all, start: string, _old, end: string) => `${start}${table()}\n${end.trimStart()}`),
    readFileSync(readme, 'utf8')
  )
  writeFileSync(readme, written)
}
