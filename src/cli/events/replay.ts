import { setTimeout as delay } from 'node:timers/promises'

import { Command, InvalidArgumentError } from 'commander'

import { RiverhookError } from '../../index.ts'
import type { CommandRiverhook, EventKey, Inbox, Job, ReplayFilter, ReplayPlan, RiverhookOptions } from '../../index.ts'
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
import { describePlan, describeProgress, printJob } from '../replays/describe.ts'
import { print, printJson } from '../output.ts'
import { confirm, counted, startProgress } from '../print.ts'

interface Flags extends FilterFlags {
  readonly handlers?: RiverhookOptions['handlers']
  readonly inbox: string
  readonly includeDone?: true
  readonly limit?: number
  readonly rate?: number
  readonly dryRun?: true
  readonly json?: true
  readonly yes?: true
}

export function replayCommand(): Command {
  return addFilter(
    new Command('replay').description(
      'run again the deliveries that are not done, from their first attempt; read quarantined requests again'
    )
  )
    .argument('[id]', 'one event; without it, all that match the filter')
    .option('--include-done', 'also replay deliveries that are done: their handlers run again')
    .option('--limit <count>', 'at most this many deliveries, of the oldest events', limitOf(1_000_000))
    .option('--rate <rate>', 'at most this many a second, such as 10/s; default: as fast as possible', rateOf)
    .option('--dry-run', 'only show what would be replayed')
    .option('--json', 'the result as JSON: with --dry-run the plan, else the replay')
    .option('--yes', 'do not ask')
    .addOption(handlersOption())
    .addOption(inboxOption())
    .action((id: string | undefined, flags: Flags) => {
      if (id === undefined && isOpen(flags)) {
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Give an ID or a filter, for example --state dead --since 24h')
      }
      if (id !== undefined)
        refuseBesideId(flags, ['about', 'type', 'endpoint', 'live', 'test', 'error', 'where', 'since', 'until'])
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

/** Reads the value of `--rate`. */
function rateOf(text: string): number {
  const rate = Number(/^(\d+)(?:\/s)?$/.exec(text)?.[1])
  if (rate >= 1 && rate <= 10_000) return rate
  throw new InvalidArgumentError('It must be a whole number from 1 to 10,000 a second, such as 10/s.')
}

async function replay(
  { riverhook, recovery }: CommandParts,
  filter: ReplayFilter,
  { limit, rate, dryRun, json, yes }: Flags
): Promise<void> {
  const quarantined = (await findQuarantined(riverhook.inbox, filter)).slice(0, limit)
  const plan = await riverhook.planReplay(filter, { limit })
  if (json === true && dryRun === true) {
    printJson({ ...plan, quarantined: quarantined.length })
    return
  }
  if (plan.count + quarantined.length === 0) {
    if (json === true) printJson({ ...plan, quarantined: 0 })
    else
      print(
        plan.byHandler.length === 0
          ? 'Nothing to replay.'
          : `Nothing to replay: ${describePlan(plan)}.${adviceOn(plan)}`
      )
    return
  }
  const summary = summarise(plan, quarantined.length)
  if (dryRun === true) {
    print(`Would replay ${summary}. Nothing was changed.`)
    return
  }
  if (!(await confirm(`Replay ${summary}?`, yes === true))) {
    print('Nothing was changed.')
    return
  }
  if (plan.count > 0) {
    const { upTo, count: planned } = plan
    const job = await riverhook.startReplay(filter, { upTo, planned, limit, ratePerSecond: rate })
    const ended = await watch(riverhook, job)
    if (json === true) printJob(ended)
    else await report(riverhook, ended, plan)
    if (ended.state !== 'done' || ended.refused > 0) process.exitCode = 1
    if (ended.endedAt === undefined) return
  }
  if (quarantined.length > 0) await replayQuarantined(recovery, quarantined)
}

function summarise(plan: ReplayPlan, quarantined: number): string {
  const least = plan.capped ? 'at least ' : ''
  const what = [
    ...(plan.count === 0
      ? []
      : [`${least}${counted(plan.count, 'delivery', 'deliveries')} of ${least}${counted(plan.events, 'event')}`]),
    ...(quarantined === 0 ? [] : [counted(quarantined, 'quarantined request')])
  ].join(' and ')
  return `${what}${plan.byHandler.length === 0 ? '' : ` (${describePlan(plan)})`}`
}

function adviceOn({ byHandler }: ReplayPlan): string {
  return byHandler.some(({ state }) => state === 'done') ? ' To run done deliveries again, pass --include-done' : ''
}

/** The interval at which the progress is shown, in milliseconds. */
const watchMs = 150

/** Shows the progress of a job until it ends, or until Ctrl-C. @returns the job as it was last */
async function watch(riverhook: CommandRiverhook, started: Job): Promise<Job> {
  const ending = new AbortController()
  const leave = (): void => {
    ending.abort()
  }
  process.once('SIGINT', leave)
  const progress = await startProgress(started.planned, 'deliveries')
  let job = started
  try {
    while (job.endedAt === undefined && !ending.signal.aborted) {
      await delay(watchMs, undefined, { signal: ending.signal }).catch(() => undefined)
      const now = (await riverhook.job(job.id)) ?? job
      progress.add(now.replayed + now.created - job.replayed - job.created)
      job = now
    }
  } finally {
    progress.stop()
    process.off('SIGINT', leave)
  }
  return job
}

async function report(riverhook: CommandRiverhook, job: Job, plan: ReplayPlan): Promise<void> {
  const { id, state, replayed, created, skipped, refused, error } = job
  if (state === 'failed') {
    print(`Job ${id} failed after ${counted(replayed + created, 'delivery', 'deliveries')}: ${String(error)}`)
    return
  }
  if (state === 'waiting' || state === 'running') {
    print(
      `${describeProgress(job)}. The server continues job ${id} within half a minute, or when it is started.\n` +
        `To look at it: riverhook replays show ${id}\nTo stop it: riverhook replays stop ${id}`
    )
    return
  }
  const present = new Set((await riverhook.inbox.handlers()).map(({ name }) => name))
  const groups = plan.byHandler.filter((group) => !group.skipped)
  // A delivery of a handler that the code does not have is parked, unless it is new.
  const absent = groups.filter(({ handler, state }) => state !== 'missing' && !present.has(handler))
  const parked = Math.min(
    replayed,
    absent.reduce((sum, { count }) => sum + count, 0)
  )
  const due = replayed + created - parked
  const paused = new Set((await riverhook.inbox.pauses()).map(({ handler }) => handler))
  const resting = [...new Set(groups.map(({ handler }) => handler))].filter((handler) => paused.has(handler))
  const when = resting.length === 0 ? 'will run now' : 'will run, those of a paused handler when it is resumed'
  print(
    `${counted(due, 'delivery', 'deliveries')} ${when}${created > 0 ? ` (${created} new)` : ''}.` +
      (state === 'stopped' ? ` Job ${id} was stopped before its end.` : '')
  )
  for (const handler of resting) print(`${handler} is paused; to resume it, run: riverhook handlers resume ${handler}`)
  if (parked > 0)
    print(`${counted(parked, 'delivery stays', 'deliveries stay')} parked until the handler is registered again.`)
  const skippedGroups = plan.byHandler.filter((group) => group.skipped)
  if (skippedGroups.length > 0) print(`Skipped: ${describePlan({ byHandler: skippedGroups }, '')}.${adviceOn(plan)}`)
  const since = skipped - skippedGroups.reduce((sum, { count }) => sum + count, 0)
  if (since > 0 && !plan.capped) print(`Skipped: ${since} that were running, done or removed in the meantime.`)
  if (refused > 0)
    print(`${counted(refused, 'delivery', 'deliveries')} could not be replayed and are unchanged: ${String(error)}`)
}

async function replayQuarantined(recovery: CommandParts['recovery'], keys: readonly EventKey[]): Promise<void> {
  for await (const { request, result } of recovery.retryAll(keys)) {
    const { id } = request
    if (typeof result === 'object') {
      print(
        'notStored' in result
          ? `${id} stays quarantined: ${result.notStored}`
          : `${id} still cannot be read as an event: ${result.stillInvalid}`
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
  const { about, type, live, handler, error, where, id, realm, endpoint, since, until } = filter
  if (id === undefined && [about, type, live, handler, error].some((value) => value !== undefined)) {
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      'A quarantined request has neither a type nor a handler, mode, error or search keys: use --endpoint, --since and --until with --state quarantined, or give an ID'
    )
  }
  return Array.fromAsync(
    eventsIn(inbox, { id, realm, endpoint, where, state: 'quarantined', since, until, oldestFirst: true }),
    (event) => ({ realm: event.realm, id: event.id })
  )
}
