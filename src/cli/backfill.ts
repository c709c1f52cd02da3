import { Command } from 'commander'

import { RiverhookError, type BackfillReport, type RiverhookOptions } from '../index.ts'
import { addChoiceFlags, besideEndpoint, providerOf, type EndpointChoice } from './endpoint.ts'
import { inboxOption, instantOf, withRiverhook } from './inbox.ts'
import { describeHandlers, handlersOption } from './events/interest.ts'
import { print, printJson } from './output.ts'
import { startProgress, time } from './print.ts'

interface Flags extends EndpointChoice {
  readonly since: string
  readonly until?: string
  readonly type?: string
  readonly realm?: string
  readonly handlers?: RiverhookOptions['handlers']
  readonly inbox: string
  readonly dryRun?: true
  readonly json?: true
}

export function backfillCommand(): Command {
  return addChoiceFlags(
    new Command('backfill').description(
      'fetch events from the provider that never arrived, and record them; events that arrived are left alone'
    )
  )
    .requiredOption('--since <time>', 'created at or after: 24h, or an instant; at most 30 days ago')
    .option('--until <time>', 'created before: 1h, or an instant')
    .option(
      '--type <pattern>',
      "only this type, or pattern such as order.*; default: the types that the handlers take, '*' for all"
    )
    .option(
      '--realm <name>',
      'the realm of that endpoint (default: as the server has it by RIVERHOOK_REALM and RIVERHOOK_MODE)'
    )
    .option('--dry-run', 'only show what would be recovered')
    .option('--json', 'the report as one JSON object')
    .addOption(handlersOption())
    .addOption(inboxOption())
    .action((flags: Flags) => run(flags))
}

async function run(flags: Flags): Promise<void> {
  const now = new Date()
  const since = instantOf('--since', flags.since, now) ?? now
  const until = instantOf('--until', flags.until, now) ?? now
  const { type, dryRun } = flags
  if (since >= until) throw new RiverhookError('RIVERHOOK_CLI_USAGE', '--since must be before --until')
  const { options, endpoint } = await besideEndpoint(flags)
  await withRiverhook(options, async ({ riverhook }) => {
    const total = until.getTime() - since.getTime()
    const progress = await startProgress(100, '% of the time, {listed} listed, {recovered} recovered')
    let shown = 0
    const onProgress = (report: BackfillReport): void => {
      const percent = Math.floor((100 * (report.until.getTime() - since.getTime())) / total)
      progress.add(percent - shown, { listed: report.listed, recovered: report.recovered })
      shown = percent
    }
    try {
      const report = await riverhook.backfill({ since, until, endpoint: endpoint.path, type, dryRun, onProgress })
      progress.stop()
      if (flags.json === true) printJson(report)
      else printReport(report, flags, providerOf(endpoint.source), describeHandlers(flags.handlers, options.forward))
    } finally {
      progress.stop()
    }
  })
}

function printReport(report: BackfillReport, { dryRun, type }: Flags, provider: string, from: string): void {
  const { since, until, gap, listed, arrived, recovered, quarantined, forgotten, oldest, newest } = report
  const facts: [string, string | undefined][] = [
    ['read', `${time(since)} to ${time(until)}, ${type ?? `for the handlers in ${from}`}`],
    ['listed', `${listed} by ${provider}${listed === 0 ? '' : `, created ${oldest ?? '?'} to ${newest ?? '?'}`}`],
    ['had arrived', String(arrived)],
    [dryRun === true ? 'would be recovered' : 'recovered', String(recovered)],
    [
      'quarantined',
      quarantined === 0 ? undefined : `${quarantined}: not valid; see: riverhook events list --state quarantined`
    ],
    [
      'left out',
      forgotten === 0 ? undefined : `${forgotten}: so old that the inbox may have handled and purged them already`
    ],
    [
      'gap',
      gap === undefined
        ? undefined
        : `${time(gap.since)} to ${time(gap.until)}: ${provider} does not list events this old; what was missed then cannot be fetched`
    ]
  ]
  for (const [name, value] of facts) if (value !== undefined) print(`${name.padEnd(20)}${value}`)
}
