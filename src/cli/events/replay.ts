import { Command } from 'commander'

import { RiverhookError } from '../../index.ts'
import type { EventKey, Inbox, ReplayCandidate, ReplayFilter, RiverhookOptions } from '../../index.ts'
import type { CommandParts } from '../../programs.ts'
import { besideServer } from '../config.ts'
import {
  addFilter,
  eventsIn,
  filterOf,
  findEvent,
  isOpen,
  limitOf,
  refuseBesideId,
  type FilterFlags
} from './filter.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { handlersOption } from './interest.ts'
import { print } from '../output.ts'
import { confirm, counted, startProgress } from '../print.ts'

interface Flags extends FilterFlags {
  readonly handlers?: RiverhookOptions['handlers']
  readonly inbox: string
  readonly includeDone?: true
  readonly limit?: number
  readonly dryRun?: true
  readonly yes?: true
}

export function replayCommand(): Command {
  return addFilter(
    new Command('replay').description(
      'run deliveries again that are not done, from their first attempt; read quarantined requests again'
    )
  )
    .argument('[id]', 'one event; without it, all that match the filter')
    .option('--include-done', 'also replay deliveries that are done: their handlers run again')
    .option('--limit <count>', 'at most this many deliveries, of the oldest events', limitOf(1_000_000))
    .option('--dry-run', 'only show what would be replayed')
    .option('--yes', 'do not ask')
    .addOption(handlersOption())
    .addOption(inboxOption())
    .action((id: string | undefined, flags: Flags) => {
      if (id === undefined && isOpen(flags)) {
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Give an ID or a filter, for example --state dead --since 24h')
      }
      if (id !== undefined) refuseBesideId(flags, ['about', 'type', 'since', 'until'])
      return withRiverhook(besideServer(flags), async (parts) =>
        replay(
          parts,
          {
            ...filterOf(flags),
            ...(id === undefined ? {} : { id, realm: (await findEvent(parts.riverhook.inbox, id, flags.realm)).realm }),
            includeDone: flags.includeDone
          },
          flags
        )
      )
    })
}

async function replay(
  parts: CommandParts,
  filter: ReplayFilter,
  { limit = Infinity, dryRun, yes }: Flags
): Promise<void> {
  const { riverhook, recovery } = parts
  const quarantined = (await findQuarantined(riverhook.inbox, filter)).slice(0, limit)
  const found = await take(recovery.select(filter), limit)
  const targets = found.filter(({ isSkipped }) => !isSkipped)
  if (targets.length + quarantined.length === 0) {
    print(found.length === 0 ? 'Nothing to replay.' : `Nothing to replay: ${describe(found)}.${adviceOn(found)}`)
    return
  }
  const events = new Set(targets.map(({ event: { realm, id } }) => JSON.stringify([realm, id]))).size
  const what = [
    ...(targets.length === 0
      ? []
      : [`${counted(targets.length, 'delivery', 'deliveries')} of ${counted(events, 'event')}`]),
    ...(quarantined.length === 0 ? [] : [counted(quarantined.length, 'quarantined request')])
  ].join(' and ')
  const summary = `${what}${found.length === 0 ? '' : ` (${describe(found)})`}`
  if (dryRun === true) {
    print(`Would replay ${summary}. Nothing was changed.`)
    return
  }
  if (!(await confirm(`Replay ${summary}?`, yes === true))) {
    print('Nothing was changed.')
    return
  }
  if (targets.length > 0) await replayTargets(parts, found, filter)
  if (quarantined.length > 0) await replayQuarantined(recovery, quarantined)
}

/** Reads candidates until `limit` of them are not skipped. */
async function take(candidates: AsyncIterable<ReplayCandidate>, limit: number): Promise<ReplayCandidate[]> {
  const taken: ReplayCandidate[] = []
  let left = limit
  for await (const candidate of candidates) {
    taken.push(candidate)
    if (!candidate.isSkipped) left -= 1
    if (left === 0) break
  }
  return taken
}

/** Summary of the found deliveries, by handler and state: `erp: 61 dead; mail: 1 done, skipped`. */
function describe(found: readonly ReplayCandidate[], ifSkipped = ', skipped'): string {
  const byHandler = Map.groupBy(found, ({ handler }) => handler)
  return [...byHandler]
    .map(([handler, of]) => {
      const byState = Map.groupBy(of, ({ state, isSkipped }) =>
        isSkipped ? `${state}${ifSkipped}` : state === 'missing' ? 'new' : state
      )
      return `${handler}: ${[...byState].map(([state, { length }]) => `${length} ${state}`).join('; ')}`
    })
    .join('; ')
}

function adviceOn(found: readonly ReplayCandidate[]): string {
  return found.some(({ state }) => state === 'done') ? ' To run those again that are done, pass --include-done' : ''
}

async function replayTargets(
  { riverhook, recovery }: CommandParts,
  found: readonly ReplayCandidate[],
  filter: ReplayFilter
): Promise<void> {
  const present = new Set((await riverhook.inbox.handlers()).map(({ name }) => name))
  const targets = found.filter(({ isSkipped }) => !isSkipped)
  const progress = startProgress(targets.length, 'deliveries')
  const onProgress = (count: number): void => {
    progress.add(count)
  }
  const counts = await recovery.run(targets, { filter, onProgress })
  progress.stop()
  // A delivery of a handler that the code does not have is parked, unless it is new.
  const parked = Math.min(
    counts.replayed,
    targets.filter(({ handler, state }) => state !== 'missing' && !present.has(handler)).length
  )
  const due = counts.replayed + counts.created - parked
  print(
    `${counted(due, 'delivery', 'deliveries')} will run now${counts.created > 0 ? ` (${counts.created} new)` : ''}.`
  )
  if (parked > 0)
    print(`${counted(parked, 'delivery stays', 'deliveries stay')} parked until the handler is registered again.`)
  const skipped = found.filter(({ isSkipped }) => isSkipped)
  if (skipped.length > 0) print(`Skipped: ${describe(skipped, '')}.${adviceOn(skipped)}`)
  if (counts.running > 0) print(`Skipped: ${counts.running} that run already.`)
  if (counts.done > 0) print(`Skipped: ${counts.done} done in the meantime.`)
  if (counts.unknown_event > 0) print(`Skipped: ${counts.unknown_event} whose event was removed in the meantime.`)
  for (const { event, handler, error } of counts.refused)
    print(`${handler} of ${event.id} could not be replayed and is unchanged: ${error.message}`)
  if (counts.refused.length > 0) process.exitCode = 1
}

async function replayQuarantined(recovery: CommandParts['recovery'], keys: readonly EventKey[]): Promise<void> {
  for await (const { request, result } of recovery.retryAll(keys)) {
    const { id } = request
    if (typeof result === 'object') {
      print(
        'notStored' in result
          ? `${id} stays quarantined: ${result.notStored}`
          : `${id} is still not an Event: ${result.stillInvalid}`
      )
      process.exitCode = 1
    } else if (result === 'conflict') {
      print(
        `${id} stays quarantined: the inbox has another event with the same id. Compare the two with riverhook events show, and remove one of them`
      )
      process.exitCode = 1
    } else if (result !== undefined)
      print(
        `${id}: ${result === 'accepted' ? 'accepted' : 'the same event arrived in the meantime; removed from quarantine'}`
      )
  }
}

async function findQuarantined(inbox: Inbox, filter: ReplayFilter): Promise<EventKey[]> {
  if (filter.id === undefined && filter.state !== 'quarantined') return []
  if (filter.id === undefined && [filter.about, filter.type, filter.handler].some((value) => value !== undefined)) {
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      'A quarantined request has neither a type nor a handler nor search keys: use --since and --until with --state quarantined, or give an ID'
    )
  }
  const { id, realm, since, until } = filter
  return Array.fromAsync(
    eventsIn(inbox, { id, realm, state: 'quarantined', since, until, oldestFirst: true }),
    (event) => ({ realm: event.realm, id: event.id })
  )
}
