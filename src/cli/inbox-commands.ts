import { Command, Option } from 'commander'

import { copyInbox, migrationSql, openInbox, RiverhookError, type Inbox } from '../index.ts'
import { inboxOption } from './inbox.ts'
import { print } from './output.ts'
import { confirm, startProgress } from './print.ts'

/** `riverhook inbox migrate | copy`. */
export function inboxCommands(): Command[] {
  return [migrateCommand(), copyCommand()]
}

function migrateCommand(): Command {
  return new Command('migrate')
    .description('create the tables of the inbox, or bring them to this version; a server does it by itself at its start')
    .option('--print', 'print the SQL instead, for a DBA to run: of a PostgreSQL inbox, from an empty database on')
    .addOption(inboxOption())
    .action(async ({ inbox: address, print: isPrinted }: { readonly inbox: string; readonly print?: true }) => {
      if (isPrinted === true) {
        print(migrationSql(address).trimEnd())
        return
      }
      await using(openServer(address), (inbox) => inbox.probe())
      print('The inbox is up to date.')
    })
}

interface CopyFlags {
  readonly from: string
  readonly to: string
  readonly yes?: true
}

function copyCommand(): Command {
  return new Command('copy')
    .description('take all events and deliveries to another inbox, for example from SQLite to PostgreSQL; end the servers of both before')
    .requiredOption('--from <address>', 'where they are')
    .addOption(new Option('--to <address>', 'where they go; what is there already is left alone, so a copy that was cut off can be made again').env('RIVERHOOK_INBOX').makeOptionMandatory())
    .option('--yes', 'do not ask')
    .action(async (flags: CopyFlags) => {
      if (flags.from === flags.to) throw new RiverhookError('RIVERHOOK_CLI_USAGE', '--from and --to are the same inbox')
      await using(openServer(flags.from), (from) => using(openServer(flags.to), (to) => copy(from, to, flags)))
    })
}

async function copy(from: Inbox, to: Inbox, given: CopyFlags): Promise<void> {
  const { events, quarantined } = await from.stats()
  const total = events + quarantined
  if (!(await confirm(`Copy ${total} events from ${nameOf(given.from)} to ${nameOf(given.to)}?`, given.yes === true))) return
  const progress = startProgress(total, 'events')
  let seen = 0
  const report = await copyInbox({
    from,
    to,
    onProgress: (done) => {
      progress.add(done.seen - seen)
      seen = done.seen
    }
  }).finally(() => { progress.stop() })
  print(`${report.copied} of ${report.seen} events were copied; ${report.seen - report.copied} were there already.`)
  print(`Do not start a server on ${nameOf(given.from)} again: what is due would be handled a second time.`)
}

/** Without the password that may be in it. */
function nameOf(address: string): string {
  return address.replace(/:[^:@/]*@/, ':...@')
}

/** As a server, so that no other one has a SQLite inbox meanwhile, and so that the tables are there. */
function openServer(address: string): Inbox {
  if (address === 'memory:') throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'The inbox "memory:" is gone with its process')
  return openInbox(address, { role: 'server' })
}

async function using<Result>(inbox: Inbox, use: (inbox: Inbox) => Promise<Result>): Promise<Result> {
  await inbox.open()
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}
