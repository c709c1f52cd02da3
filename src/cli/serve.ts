import { Command } from 'commander'

import { configured } from './config.ts'
import { importServer } from './import-server.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description('start the server, configured by environment variables and riverhook.config.ts (see the README)')
    .action(async () => {
      const { serve } = await importServer()
      await serve(configured())
    })
}
