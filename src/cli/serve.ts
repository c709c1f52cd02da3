import { Command } from 'commander'

import { readConfig } from '../options/environment.ts'
import { importServer } from './import-server.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description('start the server, configured by environment variables (see the README)')
    .action(async () => {
      const { serve } = await importServer()
      await serve(readConfig(process.env))
    })
}
