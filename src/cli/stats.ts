import { Command } from 'commander'

import { deliveryStates, RiverhookError, type EventCounts, type InboxStats, type Pause } from '../index.ts'
import { findPending, findStats, mostFailedRead, type FoundStats, type Pending } from '../programs.ts'
import { realmOption } from './events/filter.ts'
import { inboxOption, type WithInbox } from './inbox.ts'
import { showAttempts, showRefused } from './last-day.ts'
import { print, printJson, styled } from './output.ts'
import { counted, cut, printTable, spanText, styleState } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly realm?: string
  readonly json?: true
}

export function statsCommand(withInbox: WithInbox): Command {
  return new Command('stats')
    .description(
      'count events and deliveries, and show what fails, what waits for a retry, and why requests were refused'
    )
    .addOption(realmOption())
    .option('--json', 'as one JSON object')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const { realm, json } = flags
        if (realm === undefined) {
          const found = await findStats(inbox)
          if (json === true) printJson(found)
          else show(found, found, found.pauses, found)
          return
        }
        // Attempts and refused requests are not counted by realm.
        const stats = ofRealm(await inbox.stats(), realm)
        const pending = await findPending(inbox, realm)
        const pauses = await inbox.pauses()
        if (json === true) printJson({ ...stats, ...pending, pauses })
        else show(stats, pending, pauses, undefined)
      })
    )
}

/** The shown counts: of the whole inbox, or of one realm, which has no counts by handler. */
type Shown = EventCounts & Partial<Pick<InboxStats, 'byRealm' | 'byHandler' | 'oldestDueAt'>>

function ofRealm({ byRealm }: InboxStats, realm: string): Shown {
  const found = byRealm.find((each) => each.realm === realm)
  if (found !== undefined) return found
  throw new RiverhookError(
    'RIVERHOOK_CLI_NOT_FOUND',
    `The inbox has no event of the realm ${realm}; it has ${byRealm.length === 0 ? 'no event' : `the realms ${byRealm.map((each) => each.realm).join(', ')}`}`
  )
}

const mostKinds = 5

/** How many characters of an error fit in a line of the terminal. */
function roomFor(handler: string, count: number): number {
  const width = process.stdout.isTTY ? process.stdout.columns : Infinity
  return Math.max(24, width - handler.length - String(count).length - 6)
}

function show(
  stats: Shown,
  { retrying, failing, nextAt, lost, isPartial }: Pending,
  pauses: readonly Pause[],
  whole: Pick<FoundStats, 'lastDay' | 'mismatches'> | undefined
): void {
  const { events, quarantined, backfilled, duplicates, conflicts, deliveries, oldestDueAt } = stats
  const now = Date.now()
  print(`${counted(events, 'event')}, ${quarantined} quarantined, ${backfilled} backfilled`)
  if (duplicates > 0)
    print(
      `${counted(duplicates, 'duplicate')} arrived${conflicts > 0 ? `, ${conflicts} of them with a different body` : ''}`
    )
  const overdueMs = oldestDueAt === undefined ? 0 : now - oldestDueAt.getTime()
  if (overdueMs > 1_000) print(`overdue: the oldest delivery that is due has waited for ${spanText(overdueMs)}`)
  if (retrying > 0) {
    const wait = nextAt && nextAt.getTime() - now
    const next = wait === undefined ? '' : ` (next ${wait <= 0 ? 'now' : `in ${spanText(wait)}`})`
    const errors = isPartial ? `; errors of the newest ${mostFailedRead.toLocaleString('en')} failures` : ''
    print(
      `${counted(retrying, 'delivery', 'deliveries')} failed and ${retrying === 1 ? 'waits' : 'wait'} for a retry${next}${errors}:`
    )
    for (const { handler, error, count } of failing.slice(0, mostKinds))
      print(`  ${handler}: ${cut(error, roomFor(handler, count))} ×${count}`)
    if (failing.length > mostKinds) print(`  and ${counted(failing.length - mostKinds, 'other error')}`)
  }
  if (lost.runs > 0)
    print(
      `${counted(lost.deliveries, 'pending delivery', 'pending deliveries')} lost ${counted(lost.runs, 'run')}: the process died while ${lost.deliveries === 1 ? 'it' : 'they'} ran`
    )
  if (deliveries.dead > 0)
    print(
      `${counted(deliveries.dead, 'dead letter')}; to run ${deliveries.dead === 1 ? 'it' : 'them'} again: riverhook events replay --state dead`
    )
  if (deliveries.parked > 0)
    print(
      `${counted(deliveries.parked, 'parked delivery', 'parked deliveries')}: no handler of that name is registered now`
    )
  for (const { handler, since } of pauses)
    print(
      `${handler} has been paused for ${spanText(now - since.getTime())}; to resume it, run:\n  riverhook handlers resume ${handler}`
    )
  if (whole !== undefined && whole.mismatches > 0)
    print(`${counted(whole.mismatches, 'kind')} of payload mismatches to acknowledge; for a list, run: riverhook drift`)
  if (whole !== undefined) showRefused(whole.lastDay, now)
  print('')
  printTable(
    ['handler', ...deliveryStates],
    [...(stats.byHandler ?? []), { handler: 'all', ...deliveries }].map((row) => [
      row.handler,
      ...deliveryStates.map((state) =>
        row[state] > 0 && (state === 'dead' || state === 'parked')
          ? styled`${row[state]} ${styleState(state)}`
          : String(row[state])
      )
    ])
  )
  if (whole !== undefined) showAttempts(whole.lastDay)
  const { byRealm = [] } = stats
  if (byRealm.length < 2) return
  print('')
  printTable(
    ['realm', 'events', 'quarantined', ...deliveryStates],
    byRealm.map((row) => [
      row.realm,
      String(row.events),
      String(row.quarantined),
      ...deliveryStates.map((state) => String(row.deliveries[state]))
    ])
  )
}
