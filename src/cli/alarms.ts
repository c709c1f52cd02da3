import { Command } from 'commander'

import { RiverhookError, type ListedAlarm } from '../index.ts'
import { listAlarms, sendTestAlarm } from '../programs.ts'
import { configured } from './config.ts'
import { inboxOption, withInbox, withRiverhook } from './inbox.ts'
import { print, printJson } from './output.ts'
import { printTable, time } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

/** The command `alarms`, which lists them, and its other commands. */
export function alarmsCommand(): Command {
  return new Command('alarms')
    .description('list the alarms that are raised, acknowledge them, and try whether they arrive')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(acknowledgeCommand())
    .addCommand(reopenCommand())
    .addCommand(
      new Command('test')
        .description('send a test message to RIVERHOOK_ALARM_URL, as an alarm would be sent')
        .action(() => test())
    )
}

function listCommand(): Command {
  return new Command('list')
    .description('list the alarms that are raised now, and those that cannot be checked')
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

function acknowledgeCommand(): Command {
  return markCommand('acknowledge', false).description(
    'acknowledge an alarm: it is not reported again until it is resolved, unless it becomes worse'
  )
}

function reopenCommand(): Command {
  return markCommand('reopen', true).description('take back that an alarm is acknowledged')
}

function markCommand(name: string, reopen: boolean): Command {
  return new Command(name)
    .argument('<alarm>', 'its name, such as dead')
    .argument('[subject]', 'its handler or endpoint, if the alarm is raised for several')
    .addOption(inboxOption())
    .action((condition: string, subject: string | undefined, flags: Flags) =>
      withRiverhook({ inbox: flags.inbox }, async ({ riverhook }) => {
        const state = reopen ? 'acknowledged' : 'raised'
        const listed = (await riverhook.alarms()).filter((alarm) => alarm.state === state)
        const chosen = choose(listed, { condition, subject, state })
        await riverhook.acknowledgeAlarms([chosen], { reopen })
        print(`The alarm ${nameOf(chosen)} is ${reopen ? 'reported again' : 'acknowledged'}.`)
      })
    )
}

function choose(
  listed: readonly ListedAlarm[],
  {
    condition,
    subject,
    state
  }: { readonly condition: string; readonly subject: string | undefined; readonly state: string }
): ListedAlarm {
  const found = listed.filter((alarm) => alarm.condition === condition && alarm.subject === (subject ?? alarm.subject))
  const [first, ...others] = found
  if (first === undefined) {
    const rest = listed.map(nameOf).join(', ')
    const hint = rest === '' ? 'no alarm is' : `these are: ${rest}`
    const name = [condition, subject].filter((part) => part !== undefined).join(' ')
    throw new RiverhookError('RIVERHOOK_CLI_NOT_FOUND', `The alarm ${name} is not ${state}; ${hint}`)
  }
  if (others.length > 0)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `The alarm ${condition} is ${state} for ${found.map((alarm) => alarm.subject).join(', ')}: name one of them`
    )
  return first
}

function nameOf({ condition, subject }: ListedAlarm): string {
  return subject === '' ? condition : `${condition} ${subject}`
}

function show(alarms: readonly ListedAlarm[]): void {
  if (alarms.length === 0) {
    print('No alarm is raised.')
    return
  }
  printTable(
    ['level', 'alarm', 'subject', 'since', ''],
    alarms.map(({ level, condition, subject, since, state, text }) => [
      level,
      condition,
      subject,
      time(since),
      state === 'acknowledged' ? `acknowledged: ${text}` : text
    ])
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
