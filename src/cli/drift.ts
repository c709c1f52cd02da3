import { Command, Option } from 'commander'

import { RiverhookError, type Mismatch } from '../index.ts'
import { matches } from '../programs.ts'
import { hasSeveralRealms, realmOption } from './events/filter.ts'
import { inboxOption, withRiverhook } from './inbox.ts'
import { print, printJson } from './output.ts'
import { counted, printTable, time } from './print.ts'
import { providerName } from '../options/default-names.ts'

interface Flags {
  readonly inbox: string
  readonly realm?: string
  readonly type?: string
  readonly path?: string
  readonly all?: true
  readonly acknowledge?: true
  readonly reopen?: true
  readonly json?: true
}

export function driftCommand(): Command {
  return new Command('drift')
    .description('count where payloads differ from their schemas: by event type, field and rule, without values')
    .addOption(realmOption())
    .option('--type <pattern>', 'only of this event type, or pattern such as order.*')
    .option('--path <place>', 'only at this place, such as data.object.state')
    .option('--all', 'list acknowledged ones too')
    .addOption(
      new Option(
        '--acknowledge',
        'acknowledge those that are selected: they are counted, and no longer a cause for a warning'
      ).conflicts(['reopen', 'json'])
    )
    .addOption(new Option('--reopen', 'take the acknowledgement of those that are selected back').conflicts('json'))
    .option('--json', 'one JSON object per line')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withRiverhook({ inbox: flags.inbox }, async ({ riverhook }) => {
        const found = (await riverhook.inbox.drifts()).filter((drift) => isOf(flags, drift))
        const acknowledged = found.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined)
        const open = found.filter(({ acknowledgedAt }) => acknowledgedAt === undefined)
        if (flags.acknowledge === true || flags.reopen === true) {
          const reopen = flags.reopen === true
          const chosen = reopen ? acknowledged : open
          if (chosen.length === 0) throw nothing(reopen)
          const count = await riverhook.acknowledgeMismatches(chosen, { reopen })
          print(`${counted(count, 'kind')} of mismatches ${reopen ? 'reopened' : 'acknowledged'}.`)
          return
        }
        const listed = flags.all === true ? found : open
        if (flags.json === true) for (const drift of listed) printJson(drift)
        else show(listed, acknowledged.length, flags)
      })
    )
}

function isOf(flags: Flags, { realm, type, path }: Mismatch): boolean {
  const isOfPlace = realm === (flags.realm ?? realm) && path === (flags.path ?? path)
  return isOfPlace && (flags.type === undefined || matches(flags.type, type))
}

function nothing(reopen: boolean): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_CLI_NOT_FOUND',
    `There is no such mismatch that is ${reopen ? '' : 'not '}acknowledged; to list all, run: riverhook drift --all`
  )
}

function show(listed: readonly Mismatch[], acknowledged: number, { all }: Flags): void {
  const hint = `${acknowledged} acknowledged; to list all, run: riverhook drift --all`
  if (listed.length === 0) {
    print(acknowledged === 0 ? 'No drift: every payload matched its schema.' : `No other drift. ${hint}`)
    return
  }
  const withRealm = hasSeveralRealms(listed)
  const head = ['type', 'path', 'rule', 'schema', 'count', 'first', 'last', 'last event']
  printTable(
    [...(withRealm ? ['realm'] : []), ...head, ...(all === true ? ['acknowledged'] : [])],
    listed.map(({ realm, type, path, rule, handler, count, firstAt, lastAt, eventId, acknowledgedAt }) => [
      ...(withRealm ? [realm] : []),
      type,
      path,
      rule,
      handler === '' ? providerName : handler,
      String(count),
      time(firstAt),
      time(lastAt),
      eventId,
      ...(all === true ? [acknowledgedAt === undefined ? '' : time(acknowledgedAt)] : [])
    ])
  )
  if (acknowledged > 0 && all !== true) print(hint)
}
