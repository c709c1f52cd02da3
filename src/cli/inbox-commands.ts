import { Command } from 'commander'

import { backupInbox, copyInbox, migrationSql, openInbox, restoreInbox, RiverhookError, type Inbox } from '../index.ts'
import { describeAddress, isSameInbox } from '../programs.ts'
import { commandAct, enterAct } from './audited.ts'
import { besideServer, givenEncryption } from './config.ts'
import { encryptionCommands } from './encryption-commands.ts'
import { inboxOption, serverInbox, withRiverhook } from './inbox.ts'
import { print } from './output.ts'
import { confirm, counted, startProgress } from './print.ts'

/** `riverhook inbox backup | restore | migrate | copy | keys | encryption | reencrypt`. */
export function inboxCommands(): Command[] {
  return [backupCommand(), restoreCommand(), migrateCommand(), copyCommand(), keysCommand(), ...encryptionCommands()]
}

function backupCommand(): Command {
  return new Command('backup')
    .description('write a complete copy of a SQLite inbox to a new file; its server may be running')
    .argument('<to>', 'the file; it must not exist')
    .addOption(inboxOption())
    .action(async (to: string, { inbox: address }: { readonly inbox: string }) => {
      const { events, bytes } = await backupInbox(address, to)
      print(
        `${counted(events, 'event')} backed up to ${to} (${bytes} bytes). It holds customers' data: keep it private.`
      )
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
      await enterAct(address, 'inbox.restore', from, { count: events, outcome: `${events} restored` })
      print(
        `${counted(events, 'event')} restored${newestAt === undefined ? '' : `; the newest arrived at ${newestAt.toISOString()}`}.`
      )
      if (aside !== undefined) print(`The replaced inbox is kept: ${aside}`)
      print('Start the server. Deliveries that were done since the backup run again.')
      if (newestAt !== undefined)
        print(`To fetch the events that arrived since then: riverhook backfill --since ${newestAt.toISOString()}`)
    })
}

function migrateCommand(): Command {
  return new Command('migrate')
    .description('create the tables of the inbox, or bring them to this version; a server does this at its start')
    .option('--print', 'print the SQL instead, for a DBA to run on an empty PostgreSQL database')
    .addOption(inboxOption())
    .action(async ({ inbox: address, print: isPrinted }: { readonly inbox: string; readonly print?: true }) => {
      if (isPrinted === true) {
        print(migrationSql(address).trimEnd())
        return
      }
      await using(openServer(address, false), async (inbox) => {
        await inbox.probe()
        await inbox.audit(commandAct('inbox.migrate', 'tables'), { count: 1, outcome: 'up to date' })
      })
      print('The inbox is up to date.')
    })
}

function keysCommand(): Command {
  return new Command('keys')
    .description('the search keys of events: what events list --about finds')
    .requiredOption(
      '--rebuild',
      'compute them again for all events, after RIVERHOOK_SEARCH_KEYS or a source has changed; the server may be running'
    )
    .addOption(inboxOption())
    .action((flags: { readonly inbox: string }) =>
      withRiverhook(besideServer(flags), async ({ riverhook, recovery }) => {
        const { events } = await riverhook.inbox.stats()
        const progress = await startProgress(events, 'events')
        const { seen, changed, unread } = await recovery
          .rebuildKeys((count) => {
            progress.add(count)
          })
          .finally(() => {
            progress.stop()
          })
        print(`${counted(changed, 'event')} of ${seen} changed.`)
        if (unread > 0)
          print(
            `${counted(unread, 'event')} cannot be read with the sources of the endpoints here, and ${unread === 1 ? 'keeps its' : 'keep their'} keys.`
          )
      })
    )
}

interface CopyFlags {
  readonly from: string
  readonly to: string
  readonly yes?: true
}

function copyCommand(): Command {
  return new Command('copy')
    .description(
      'copy all events and deliveries to another inbox, for example from SQLite to PostgreSQL; stop the servers of both first'
    )
    .requiredOption('--from <address>', 'the inbox to copy from')
    .addOption(
      serverInbox(
        '--to <address>',
        'the inbox to copy to; events that it has already are left alone, so an interrupted copy can be repeated; erased ones are erased there, too'
      ).makeOptionMandatory()
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
      `Copy ${counted(total, 'event')} from ${describeAddress(given.from)} to ${describeAddress(given.to)}?`,
      given.yes === true
    ))
  )
    return
  const progress = await startProgress(total, 'events')
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
  await to.audit(commandAct('inbox.copy', `from ${describeAddress(given.from)}`), {
    count: report.copied,
    outcome: `${report.copied} of ${report.seen} copied${report.erased === 0 ? '' : `, ${report.erased} erased`}`
  })
  print(
    `${report.copied} of ${counted(report.seen, 'event')} copied; ${report.seen - report.copied} ${report.seen - report.copied === 1 ? 'was' : 'were'} there already.`
  )
  if (report.erased > 0)
    print(
      `${counted(report.erased, 'event')} of these ${report.erased === 1 ? 'was' : 'were'} erased, as in the inbox that was copied.`
    )
  if (report.left !== undefined) print(report.left)
  if (report.unerased > 0) {
    print(
      `${counted(report.unerased, 'event')} could not be erased there, because a delivery is running. Run the command again.`
    )
    process.exitCode = 1
  }
  print(`Do not start a server on ${describeAddress(given.from)} again: it would handle what is due a second time.`)
  print(
    'The audit log and the counts of the charts were copied, too. Replays under way are not copied: start them again.'
  )
}

/**
 * Creates nothing: a mistyped address is an error. Opens a SQLite inbox as a server does, so that no server can use it
 * during the copy.
 */
function openSource(address: string): Inbox {
  const given = { ...givenEncryption(), mayTurn: false }
  return address.startsWith('sqlite:')
    ? openInbox(address, { ...given, create: false })
    : openInbox(address, { ...given, role: 'command' })
}

/** Opens the inbox as a server does: it keeps other servers out, and creates the tables. */
function openServer(address: string, mayTurn = true): Inbox {
  if (address === 'memory:')
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'The inbox "memory:" ends with its process')
  return openInbox(address, { ...givenEncryption(), role: 'server', mayTurn })
}

async function using<Result>(inbox: Inbox, use: (inbox: Inbox) => Promise<Result>): Promise<Result> {
  await inbox.open()
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}
