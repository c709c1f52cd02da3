import { Command } from 'commander'

import type { MaskedSummary } from '../../index.ts'
import { addFilter, filterOf, hasSeveralRealms, limitOf, readPage, type FilterFlags } from './filter.ts'
import { besideServer } from '../config.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { print, printJson } from '../output.ts'
import { cut, printTable, summary, time } from '../print.ts'

interface Flags extends FilterFlags {
  readonly inbox: string
  readonly limit: number
  readonly json?: true
}

export function listCommand(): Command {
  return addFilter(new Command('list').description('list events, newest first'))
    .option('--limit <count>', 'how many, from 1 to 1,000', limitOf(1_000), 20)
    .option('--json', 'one JSON object per line')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withRiverhook(besideServer(flags), async ({ riverhook }) => {
        const filter = filterOf(flags)
        const { events, hasMore } = await readPage(riverhook.inbox, { ...filter, limit: flags.limit })
        if (events.length === 0) await riverhook.checkFilter(filter)
        printEvents(await riverhook.maskList(events), flags)
        if (flags.json !== true && hasMore)
          print(
            `\nThere are more. Show more with --limit ${Math.min(1_000, flags.limit * 5)}, or fewer with the filters in riverhook events list --help.`
          )
      })
    )
}

/** Prints events as a table, or as one JSON object per line. */
export function printEvents(events: readonly MaskedSummary[], { json }: { readonly json?: true }): void {
  if (json === true) {
    for (const event of events) printJson(event)
    return
  }
  if (events.length === 0) {
    print('No events.')
    return
  }
  const withRealm = hasSeveralRealms(events)
  printTable(
    ['received', ...(withRealm ? ['realm'] : []), 'id', 'type', 'deliveries', 'last error'],
    events.map((event) => [
      time(event.receivedAt),
      ...(withRealm ? [event.realm] : []),
      event.id,
      event.backfilled ? `${event.type} (backfilled)` : event.type,
      summary(event),
      cut(event.reason ?? openError(event) ?? '', 100)
    ])
  )
}

/** The last error of a delivery that is not done: the errors of what is done by now are in `events show`. */
function openError({ deliveries }: MaskedSummary): string | undefined {
  return deliveries.find(({ state, lastError }) => state !== 'done' && lastError !== undefined)?.lastError
}
