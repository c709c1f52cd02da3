import { Command } from 'commander'

import {
  digitalRiver,
  RiverhookError,
  type BackfillReport,
  type EndpointOptions,
  type Interest,
  type RiverhookOptions
} from '../index.ts'
import { backfill, backfillMark, endpointSettings, matches, payloadRefusals, unknownTypeHint } from '../programs.ts'
import { apiOptions, configured } from './config.ts'
import { realmOf } from '../options/realms.ts'
import { inboxOption, instantOf, withInbox } from './inbox.ts'
import { handlersOption, knownHandlers } from './events/interest.ts'
import { print, printError, printJson } from './output.ts'
import { startProgress, time } from './print.ts'
import { providerName } from '../options/default-names.ts'

interface Flags {
  readonly since: string
  readonly until?: string
  readonly type?: string
  readonly endpoint?: string
  readonly realm?: string
  readonly handlers?: RiverhookOptions['handlers']
  readonly inbox: string
  readonly dryRun?: true
  readonly json?: true
}

export function backfillCommand(): Command {
  return new Command('backfill')
    .description(
      `fetch events from ${providerName} that never arrived, and record them; events that arrived are left alone`
    )
    .requiredOption('--since <time>', 'created at or after: 24h, or an instant; at most 30 days ago')
    .option('--until <time>', 'created before: 1h, or an instant')
    .option(
      '--type <pattern>',
      "only this type, or pattern such as order.*; default: the types that the handlers take, '*' for all"
    )
    .option('--endpoint <path>', 'the endpoint to store them under (default: the first that is configured)')
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
  const { type } = flags
  if (type !== undefined && !digitalRiver().types.some((known) => matches(type, known))) {
    printError(
      `riverhook: warning: --type ${type} matches no known event type${unknownTypeHint(type, digitalRiver().types)}`
    )
  }
  if (since >= until) throw new RiverhookError('RIVERHOOK_CLI_USAGE', '--since must be before --until')
  const source = digitalRiver()
  const api = source.api(apiOptions())
  const { options } = configured()
  const pathOf = ({ path = endpointSettings.path.default }: EndpointOptions): string => path
  const endpoints = options.endpoints ?? [options]
  const at: EndpointOptions =
    endpoints.find((each) => flags.endpoint === undefined || pathOf(each) === flags.endpoint) ?? {}
  const { validate = endpointSettings.validate.default, mode } = at
  const endpoint = flags.endpoint ?? pathOf(at)
  const realm = flags.realm ?? realmOf(at, source.name)
  await withInbox(flags.inbox, async (inbox) => {
    const { interest, handlersOf, deliveriesOf, from } = await knownHandlers(flags.handlers, inbox)
    const total = until.getTime() - since.getTime()
    const progress = startProgress(100, '% of the time, {listed} listed, {recovered} recovered')
    let shown = 0
    // If this run covers everything up to the server's own watermark, advance it: the server need not fetch it again.
    const mark = backfillMark(endpoint)
    const readTo = await inbox.watermark(realm, mark)
    const isWhole =
      flags.type === undefined && flags.dryRun !== true && readTo !== undefined && since <= readTo && readTo <= now
    const onProgress = async (report: BackfillReport): Promise<void> => {
      const percent = Math.floor((100 * (report.until.getTime() - since.getTime())) / total)
      progress.add(percent - shown, { listed: report.listed, recovered: report.recovered })
      shown = percent
      if (isWhole) await inbox.advance(realm, mark, report.until)
    }
    try {
      const report = await backfill({
        api,
        inbox,
        source,
        realm,
        endpoint,
        mode,
        since,
        until,
        now,
        onProgress,
        deliveriesOf: (event) => deliveriesOf(event, { realm, source: source.name }),
        interest: flags.type === undefined ? interest : interestIn(flags.type),
        read: (request) => source.read(request),
        refusalOf: payloadRefusals({ source, handlersOf, modeOf: () => validate }),
        dryRun: flags.dryRun === true
      })
      progress.stop()
      if (flags.json === true) printJson(report)
      else printReport(report, flags, from)
    } finally {
      progress.stop()
    }
  })
}

function interestIn(pattern: string): Interest {
  return { all: [{ pattern }], for: (type) => (matches(pattern, type) ? [pattern] : []) }
}

function printReport(report: BackfillReport, { dryRun, type }: Flags, from: string): void {
  const { since, until, gap, listed, arrived, recovered, quarantined, forgotten, oldest, newest } = report
  const facts: [string, string | undefined][] = [
    ['read', `${time(since)} to ${time(until)}, ${type ?? `for the handlers in ${from}`}`],
    ['listed', `${listed} by ${providerName}${listed === 0 ? '' : `, created ${oldest ?? '?'} to ${newest ?? '?'}`}`],
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
        : `${time(gap.since)} to ${time(gap.until)}: ${providerName} does not list events this old; what was missed then cannot be fetched`
    ]
  ]
  for (const [name, value] of facts) if (value !== undefined) print(`${name.padEnd(20)}${value}`)
}
