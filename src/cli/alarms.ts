import { Command } from 'commander'

import { RiverhookError, type Alarm } from '../index.ts'
import { listAlarms, sendTestAlarm } from '../programs.ts'
import { configured } from './config.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { print, printJson } from './output.ts'
import { printTable, time } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

/** The command `alarms`, which lists them, and its command `test`. */
export function alarmsCommand(): Command {
  return new Command('alarms')
    .description('list the alarms that are raised, and try whether they arrive')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      new Command('test')
        .description('send a test message to RIVERHOOK_ALARM_URL, as an alarm would be sent')
        .action(() => test())
    )
}

function listCommand(): Command {
  return new Command('list')
    .description('list the alarms that are raised now')
    .option('--json', 'as one JSON object per line')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const alarms = await listAlarms(inbox)
        if (flags.json === true) for (const alarm of alarms) printJson(alarm)
        else show(alarms)
      })
    )
}

function show(alarms: readonly Alarm[]): void {
  if (alarms.length === 0) {
    print('No alarm is raised.')
    return
  }
  printTable(
    ['level', 'alarm', 'subject', 'since', ''],
    alarms.map(({ level, condition, subject, since, text }) => [level, condition, subject, time(since), text])
  )
}

async function test(): Promise<void> {
  const { alarms = {} } = configured().options
  if (alarms === false || alarms.url === undefined)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      'There is no URL to send to: set RIVERHOOK_ALARM_URL, or "alarms" with a "url" in the config file'
    )
  await sendTestAlarm(alarms)
  print(
    `A test message was accepted by ${new URL(alarms.url).origin}${alarms.secret === undefined ? ', unsigned' : ', signed'}.`
  )
}
