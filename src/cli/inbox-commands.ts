import { Command, Option } from 'commander'

import {
  backupInbox,
  copyInbox,
  describeAddress,
  isSameInbox,
  migrationSql,
  openInbox,
  restoreInbox,
  RiverhookError,
  type Inbox
} from '../index.ts'
import { inboxOption } from './inbox.ts'
import { print } from './output.ts'
import { confirm, startProgress } from './print.ts'

/** `riverhook inbox backup | restore | migrate | copy`. */
export function inboxCommands(): Command[] {
  return [backupCommand(), restoreCommand(), migrateCommand(), copyCommand()]
}

function backupCommand(): Command {
  return new Command('backup')
    .description('write a complete copy of a SQLite inbox to a new file; its server may be running')
    .argument('<to>', 'the file; it must not exist')
    .addOption(inboxOption())
    .action(async (to: string, { inbox: address }: { readonly inbox: string }) => {
      const { events, bytes } = await backupInbox(address, to)
      print(`${count(events, 'event')} backed up to ${to} (${bytes} bytes). It holds customers' data: keep it private.`)
      print(`To put it in place, stop the server and run: riverhook inbox restore ${to}`)
    })
}

function restoreCommand(): Command {
  return new Command('restore')
    .description('replace a SQLite inbox by a backup; stop its server first. The replaced inbox is kept beside it')
    .argument('<from>', 'the backup')
    .option('--yes', 'do not ask')
    .addOption(inboxOption())
    .action(async (from: string, { inbox: address, yes }: { readonly inbox: string; readonly yes?: true }) => {
      // A restore loses nothing, so it also runs without a terminal for the question.
      const isSure = yes === true || !process.stdin.isTTY
      if (!(await confirm(`Replace ${describeAddress(address)} by ${from}?`, isSure))) return
      const { events, newestAt, aside } = await restoreInbox(address, from)
      print(
        `${count(events, 'event')} restored${newestAt === undefined ? '' : `; the newest arrived at ${newestAt.toISOString()}`}.`
      )
      if (aside !== undefined) print(`The replaced inbox is kept: ${aside}`)
      print('Start the server. Deliveries that were done after the backup was made run again.')
      if (newestAt !== undefined)
        print(`To fetch the events that arrived after it: riverhook backfill --since ${newestAt.toISOString()}`)
    })
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'create the tables of the inbox, or bring them to this version; a server does it by itself at its start'
    )
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
    .description(
      'take all events and deliveries to another inbox, for example from SQLite to PostgreSQL; end the servers of both before'
    )
    .requiredOption('--from <address>', 'where they are')
    .addOption(
      new Option(
        '--to <address>',
        'where they go; what is there already is left alone, so a copy that was cut off can be made again'
      )
        .env('RIVERHOOK_INBOX')
        .makeOptionMandatory()
    )
    .option('--yes', 'do not ask')
    .action(async (flags: CopyFlags) => {
      if (isSameInbox(flags.from, flags.to))
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', '--from and --to are the same inbox')
      await using(openSource(flags.from), (from) => using(openServer(flags.to), (to) => copy(from, to, flags)))
    })
}

async function copy(from: Inbox, to: Inbox, given: CopyFlags): Promise<void> {
  const { events, quarantined } = await from.stats()
  const total = events + quarantined
  if (
    !(await confirm(
      `Copy ${total} events from ${describeAddress(given.from)} to ${describeAddress(given.to)}?`,
      given.yes === true
    ))
  )
    return
  const progress = startProgress(total, 'events')
  let seen = 0
  const report = await copyInbox({
    from,
    to,
    onProgress: (done) => {
      progress.add(done.seen - seen)
      seen = done.seen
    }
  }).finally(() => {
    progress.stop()
  })
  print(`${report.copied} of ${report.seen} events were copied; ${report.seen - report.copied} were there already.`)
  print(`Do not start a server on ${describeAddress(given.from)} again: what is due would be handled a second time.`)
}

/**
 * Never creates anything: a mistyped address is an error. A SQLite inbox is opened as by a server, so that no server
 * has it meanwhile.
 */
function openSource(address: string): Inbox {
  return address.startsWith('sqlite:') ? openInbox(address, { create: false }) : openInbox(address, { role: 'command' })
}

/** As a server, so that no other one has a SQLite inbox meanwhile, and so that the tables are there. */
function openServer(address: string): Inbox {
  if (address === 'memory:')
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'The inbox "memory:" is gone with its process')
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
