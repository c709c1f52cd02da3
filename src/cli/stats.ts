import { Command } from 'commander'

import { deliveryStates } from '../index.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { print, printJson, styled } from './output.ts'
import { printTable, styleState } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

export function statsCommand(): Command {
  return new Command('stats')
    .description('count events and deliveries, by handler and state')
    .option('--json', 'as one JSON object')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const stats = await inbox.stats()
        if (flags.json === true) {
          printJson(stats)
          return
        }
        const overdueMs = stats.oldestDueAt === undefined ? 0 : Date.now() - stats.oldestDueAt.getTime()
        print(
          `${stats.events} events, ${stats.quarantined} quarantined, ${stats.backfilled} backfilled; ${stats.duplicates} duplicates arrived, ${stats.conflicts} of them with another body`
        )
        print(
          overdueMs <= 1000
            ? 'nothing is overdue\n'
            : `the oldest delivery is overdue by ${Math.round(overdueMs / 1000)} s\n`
        )
        printTable(
          ['handler', ...deliveryStates],
          [...stats.byHandler, { handler: 'all', ...stats.deliveries }].map((row) => [
            row.handler,
            ...deliveryStates.map((state) =>
              row[state] > 0 && (state === 'dead' || state === 'parked')
                ? styled`${row[state]} ${styleState(state)}`
                : String(row[state])
            )
          ])
        )
      })
    )
}
