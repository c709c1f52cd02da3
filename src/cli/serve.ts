import { Command } from 'commander'

import { readConfig } from '../server/config.ts'
import { serve } from '../server/server.ts'

export function serveCommand(): Command {
  return new Command('serve')
    .description('start the server; it is configured by the environment (see the README)')
    .action(async () => { await serve(readConfig(process.env)) })
}
