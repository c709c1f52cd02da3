import { Command } from 'commander'

import { hasSeveralRealms, realmOption } from './events/filter.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { print, printJson } from './output.ts'
import { printTable, time } from './print.ts'
import { providerName } from '../options/default-names.ts'

interface Flags {
  readonly inbox: string
  readonly realm?: string
  readonly json?: true
}

export function driftCommand(): Command {
  return new Command('drift')
    .description('count where payloads differ from their schemas: by event type, field and rule, without values')
    .addOption(realmOption())
    .option('--json', 'one JSON object per line')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const drifts = (await inbox.drifts()).filter(({ realm }) => realm === (flags.realm ?? realm))
        const withRealm = hasSeveralRealms(drifts)
        if (flags.json === true) {
          for (const drift of drifts) printJson(drift)
          return
        }
        if (drifts.length === 0) {
          print('No drift: every payload matched its schema.')
          return
        }
        printTable(
          [...(withRealm ? ['realm'] : []), 'type', 'path', 'rule', 'schema', 'count', 'first', 'last', 'last event'],
          drifts.map(({ realm, type, path, rule, handler, count, firstAt, lastAt, eventId }) => [
            ...(withRealm ? [realm] : []),
            type,
            path,
            rule,
            handler === '' ? providerName : handler,
            String(count),
            time(firstAt),
            time(lastAt),
            eventId
          ])
        )
      })
    )
}
