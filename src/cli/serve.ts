import { setTimeout } from 'node:timers'

import { Command, Help } from 'commander'

import { environmentSettings } from '../options/variables.ts'
import type { Setting } from '../options/setting.ts'
import { configured } from './config.ts'
import { importServer } from './import-server.ts'
import { print } from './output.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description('start the server, configured by environment variables and riverhook.config.ts')
    .option('--check', 'check the configuration and the handlers, and end: no port and no inbox is opened')
    .addHelpText('after', settingsHelp)
    .action(async ({ check }: { readonly check?: true }) => {
      const { checkServer, serve } = await importServer()
      if (check === true) {
        await checkServer({ ...configured(), logLevel: 'warn' })
        print('The configuration and the handlers are valid.')
        // End even if a handlers file started something at its top level.
        setTimeout(() => process.exit(), 2_000).unref()
      } else await serve(configured())
    })
}

/** Lists the variables, each with its default and meaning. */
function settingsHelp(): string {
  const width = Math.min(process.stdout.columns || 80, 100)
  const help = new Help()
  const entries = Object.values<Setting>(environmentSettings).map((setting) => {
    const { env = '', default: fallback, file, means } = setting
    const title = `  ${env}${file === true ? ` (or ${env}_FILE)` : ''}${fallback === undefined ? '' : `, default ${fallback}`}`
    const text = help.boxWrap(plain(means), width - 6).replaceAll(/^/gm, '      ')
    return `${title}\n${text}`
  })
  return `\nSettings, as environment variables:\n${entries.join('\n')}`
}

/** Markdown without links and code marks. */
function plain(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('`', '')
}
