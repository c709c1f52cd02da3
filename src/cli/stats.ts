import { Command } from 'commander'

import { deliveryStates, RiverhookError, type EventCounts, type Inbox, type InboxStats, type Pause } from '../index.ts'
import { realmOption } from './events/filter.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { findLastDay, showAttempts, showRefused, type LastDay } from './last-day.ts'
import { print, printJson, styled } from './output.ts'
import { counted, cut, printTable, spanText, styleState } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly realm?: string
  readonly json?: true
}

export function statsCommand(): Command {
  return new Command('stats')
    .description(
      'count events and deliveries, and show what fails, what waits for a retry, and why requests were refused'
    )
    .addOption(realmOption())
    .option('--json', 'as one JSON object')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const all = await inbox.stats()
        const stats = flags.realm === undefined ? all : ofRealm(all, flags.realm)
        const pending = await findPending(inbox, stats, flags.realm)
        const pauses = await inbox.pauses()
        // Attempts and refused requests are not counted by realm.
        const lastDay = flags.realm === undefined ? await findLastDay(inbox) : undefined
        if (flags.json === true) printJson({ ...stats, ...pending, pauses, lastDay })
        else show(stats, pending, pauses, lastDay)
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

/** Events with pending deliveries that are read to show what fails. */
const mostRead = 1_000
const mostKinds = 5

interface Pending {
  /** Deliveries that failed and wait for a retry, by handler and error, the most frequent first. */
  readonly failing: readonly { readonly handler: string; readonly error: string; readonly count: number }[]
  /** The earliest retry of them. */
  readonly nextAt: Date | undefined
  /** Deliveries that have lost runs, and how many. */
  readonly lost: { readonly deliveries: number; readonly runs: number }
  /** Only the newest events were read. */
  readonly isPart: boolean
}

async function findPending(inbox: Inbox, { deliveries }: EventCounts, realm?: string): Promise<Pending> {
  const { events, next } =
    deliveries.pending === 0
      ? { events: [], next: undefined }
      : await inbox.events({ realm, state: 'pending', limit: mostRead })
  const pending = events.flatMap((event) => event.deliveries.filter(({ state }) => state === 'pending'))
  const failed = pending.filter(({ attempts, losses }) => attempts > losses)
  const kinds = Map.groupBy(failed, ({ handler, lastError = '' }) => JSON.stringify([handler, cut(lastError, 60)]))
  const suspects = pending.filter(({ losses }) => losses > 0)
  const times = failed.flatMap(({ dueAt }) => dueAt?.getTime() ?? [])
  return {
    failing: [...kinds]
      .map(([kind, { length }]) => {
        const [handler = '', error = ''] = JSON.parse(kind) as string[]
        return { handler, error, count: length }
      })
      .sort((one, other) => other.count - one.count),
    nextAt: times.length === 0 ? undefined : new Date(Math.min(...times)),
    lost: { deliveries: suspects.length, runs: suspects.reduce((sum, { losses }) => sum + losses, 0) },
    isPart: next !== undefined
  }
}

/** How many characters of an error fit in a line of the terminal. */
function roomFor(handler: string, count: number): number {
  const width = process.stdout.isTTY ? process.stdout.columns : Infinity
  return Math.max(24, width - handler.length - String(count).length - 6)
}

function show(
  stats: Shown,
  { failing, nextAt, lost, isPart }: Pending,
  pauses: readonly Pause[],
  lastDay: LastDay | undefined
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
  const failed = failing.reduce((sum, { count }) => sum + count, 0)
  if (failed > 0 && nextAt !== undefined) {
    const wait = nextAt.getTime() - now
    print(
      `${counted(failed, 'delivery', 'deliveries')} failed and ${failed === 1 ? 'waits' : 'wait'} for a retry (next ${wait <= 0 ? 'now' : `in ${spanText(wait)}`})${isPart ? `, among the newest ${mostRead} events that are pending` : ''}:`
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
  if (lastDay !== undefined) showRefused(lastDay, now)
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
  if (lastDay !== undefined) showAttempts(lastDay)
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
