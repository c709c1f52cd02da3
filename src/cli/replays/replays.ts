import { Command, InvalidArgumentError } from 'commander'

import { RiverhookError, type Job, type JobState } from '../../index.ts'
import { limitOf } from '../events/filter.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { print, style, styled, type Styled } from '../output.ts'
import { printTable, spanText, time } from '../print.ts'
import { describeFilter, describeProgress, printJob } from './describe.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

export function replayCommands(): Command[] {
  return [listCommand(), showCommand(), stopCommand()]
}

function listCommand(): Command {
  return new Command('list')
    .description('list the replays of many events, newest first, and how far they are')
    .option('--limit <count>', 'at most this many', limitOf(1_000), 20)
    .option('--json', 'as one JSON object per line')
    .addOption(inboxOption())
    .action(({ inbox, limit, json }: Flags & { readonly limit: number }) =>
      withRiverhook({ inbox }, async ({ riverhook }) => {
        const jobs = await riverhook.jobs({ limit })
        if (json === true) for (const job of jobs) printJob(job)
        else if (jobs.length === 0) print('No replays. riverhook events replay starts one.')
        else
          printTable(
            ['id', 'state', 'started', 'by', 'progress', 'events'],
            jobs.map((job) => [
              String(job.id),
              styleJob(job.state),
              time(job.createdAt),
              job.actor.name,
              describeProgress(job),
              describeFilter(job)
            ])
          )
      })
    )
}

function showCommand(): Command {
  return new Command('show')
    .description('show a replay of many events')
    .argument('<id>', 'the number of the replay', readId)
    .option('--json', 'as JSON')
    .addOption(inboxOption())
    .action((id: number, { inbox, json }: Flags) =>
      withRiverhook({ inbox }, async ({ riverhook }) => {
        const job = found(id, await riverhook.job(id))
        if (json === true) printJob(job)
        else show(job)
      })
    )
}

function stopCommand(): Command {
  return new Command('stop')
    .description('stop a replay: it makes nothing more due; deliveries that are already due still run')
    .argument('<id>', 'the number of the replay', readId)
    .option('--json', 'as JSON')
    .addOption(inboxOption())
    .action((id: number, { inbox, json }: Flags) =>
      withRiverhook({ inbox }, async ({ riverhook }) => {
        const before = found(id, await riverhook.job(id))
        const job = found(id, await riverhook.stopJob(id))
        if (json === true) printJob(job)
        else if (before.endedAt === undefined && job.state === 'stopped')
          print(`Stopped replay ${id}: ${describeProgress(job)}.`)
        else print(`Replay ${id} has ended already: ${job.state}, ${describeProgress(job)}. Nothing was changed.`)
      })
    )
}

function show(job: Job): void {
  const { id, state, actor, owner, createdAt, startedAt, endedAt, error } = job
  const lines: readonly (readonly [string, string | Styled | undefined])[] = [
    ['replay', styled`${id} ${styleJob(state)}`],
    ['events', describeFilter(job)],
    ['progress', describeProgress(job)],
    ['by', actor.name],
    ['created', time(createdAt)],
    ['started', startedAt && time(startedAt)],
    ['ended', endedAt && `${time(endedAt)}, after ${spanText(endedAt.getTime() - createdAt.getTime())}`],
    ['runs in', owner],
    ['error', error]
  ]
  for (const [name, value] of lines) if (value !== undefined) print(styled`${style('dim', name.padEnd(10))}${value}`)
}

/** The state of a job, coloured on a terminal. */
function styleJob(state: JobState): Styled {
  const colours = { waiting: 'cyan', running: 'cyan', stopped: 'yellow', done: 'green', failed: 'red' } as const
  return style(colours[state], state)
}

function found(id: number, job: Job | undefined): Job {
  if (job !== undefined) return job
  throw new RiverhookError(
    'RIVERHOOK_CLI_NOT_FOUND',
    `There is no replay ${id}. To list them, run: riverhook replays list`
  )
}

function readId(text: string): number {
  const id = Number(text)
  if (Number.isSafeInteger(id) && id >= 1) return id
  throw new InvalidArgumentError('It must be the number of a replay, as riverhook replays list shows it.')
}
