import { endpointSettings, pluginSettings, type Setting } from '../src/index.ts'
import { serverSettings } from '../src/server/settings.ts'

/** The README's table of settings, made from the settings themselves: node test/readme-settings.ts prints it. */
export function settingsTable(): string {
  const rows = Object.entries<Setting>({ ...serverSettings, ...endpointSettings, ...pluginSettings })
    .filter(([, { env }]) => env !== undefined)
    .map(([name, { env = '', file, default: fallback, unit, means }]) => {
      const inCode = name in serverSettings ? '' : `\`${name}\``
      const value = fallback === undefined ? '' : `\`${fallback}\`${unit === undefined ? '' : ` ${unit}`}`
      return `| \`${env}\`${file === true ? ' (_FILE)' : ''} | ${inCode} | ${value} | ${means} |`
    })
  return ['| variable | in code | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

if (import.meta.main) console.log(settingsTable())
