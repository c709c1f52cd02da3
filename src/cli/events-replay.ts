import { Command } from 'commander'

import { digitalRiver, endpointSettings, retryQuarantined, RiverhookError, selectReplay } from '../index.ts'
import type { Inbox, ReplayFilter, ReplayHandlers, ReplayTarget } from '../index.ts'
import { readConfig } from '../server/config.ts'
import { addFilter, eventsIn, filterOf, isOpen, refuseBesideId, type FilterFlags } from './filter.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { eventIn, handlersOption, knownHandlers, type KnownHandlers } from './interest.ts'
import { print } from './output.ts'
import { confirm, startProgress } from './print.ts'

interface Flags extends FilterFlags {
  readonly handlers?: string
  readonly inbox: string
  readonly yes?: true
}

/** Small enough that the server's requests get their turn in between. */
const batchSize = 200

export function replayCommand(): Command {
  return addFilter(new Command('replay').description('make deliveries due again, from their first attempt; quarantined requests are read anew'))
    .argument('[id]', 'one event; without it, all that the filter finds')
    .option('--yes', 'do not ask')
    .addOption(handlersOption())
    .addOption(inboxOption())
    .action((id: string | undefined, flags: Flags) => {
      if (id === undefined && isOpen(flags)) {
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Replay what? Give an ID or a filter, for example --state dead --since 24h')
      }
      if (id !== undefined) refuseBesideId(flags, ['type', 'since', 'until'])
      return withInbox(flags.inbox, async (inbox) => replay(inbox, await knownHandlers(flags.handlers, inbox), { ...filterOf(flags), id }, flags.yes === true))
    })
}

async function replay(inbox: Inbox, known: KnownHandlers, filter: ReplayFilter, yes: boolean): Promise<void> {
  const quarantined = await findQuarantined(inbox, filter)
  if (filter.id !== undefined && quarantined.length === 0 && (await inbox.event(filter.id)) === undefined) {
    throw new RiverhookError('RIVERHOOK_CLI_NOT_FOUND', `The inbox has no event with the id ${filter.id}`)
  }
  const { deliveriesOf } = known
  const handlers: ReplayHandlers = {
    for: (type) => known.interest.for(type).map(({ name }) => name),
    orderKey: (handler, { body }) => deliveriesOf(eventIn(body)).find((delivery) => delivery.handler === handler)?.orderKey
  }
  const targets: ReplayTarget[] = await Array.fromAsync(selectReplay(inbox, filter, handlers))
  const events = new Set(targets.map(({ eventId }) => eventId)).size
  if (targets.length + quarantined.length === 0) {
    print('Nothing to replay.')
    return
  }
  const what = [
    ...(targets.length === 0 ? [] : [`${targets.length} deliveries of ${events} events`]),
    ...(quarantined.length === 0 ? [] : [`${quarantined.length} quarantined requests`])
  ].join(' and ')
  if (!(await confirm(`Replay ${what}?`, yes))) {
    print('Nothing was changed.')
    return
  }
  if (targets.length > 0) await replayTargets(inbox, targets, new Set((await inbox.handlers()).map(({ name }) => name)))
  for (const id of quarantined) await replayQuarantined(inbox, id, known)
}

/** @param present handlers that the code has: a delivery of another one stays parked until it is back */
async function replayTargets(inbox: Inbox, targets: readonly ReplayTarget[], present: ReadonlySet<string>): Promise<void> {
  const counts = { replayed: 0, created: 0, running: 0, done: 0, unknown_event: 0, parked: 0 }
  const progress = startProgress(targets.length, 'deliveries')
  for (let start = 0; start < targets.length; start += batchSize) {
    const batch = targets.slice(start, start + batchSize)
    for (const [index, result] of (await inbox.replay(batch)).entries()) counts[result === 'replayed' && !present.has(batch[index]?.handler ?? '') ? 'parked' : result] += 1
    progress.add(batch.length)
  }
  progress.stop()
  const due = counts.replayed + counts.created
  print(`${due} ${due === 1 ? 'delivery is' : 'deliveries are'} due now (${counts.created} of them new).`)
  if (counts.parked > 0) print(`${counts.parked} are of handlers that are not in the code: they are parked, and due when their handler is back.`)
  if (counts.running > 0) print(`${counts.running} were running and were left alone.`)
  if (counts.unknown_event > 0) print(`${counts.unknown_event} had been removed meanwhile.`)
}

async function replayQuarantined(inbox: Inbox, id: string, { deliveriesOf }: KnownHandlers): Promise<void> {
  const { path = endpointSettings.path.default, mode } = readConfig(process.env).options
  const result = await retryQuarantined(inbox, id, (body) => digitalRiver().read({ headers: {}, body }), deliveriesOf, (endpoint) => (endpoint === path ? mode : undefined))
  if (typeof result === 'object') {
    print(`${id} is still not an Event: ${result.stillInvalid}`)
    process.exitCode = 1
  } else if (result === 'conflict') {
    print(`${id} stays quarantined: the inbox has another event of the same id. Compare the two (riverhook events show), and remove one of them`)
    process.exitCode = 1
  } else if (result !== undefined) print(`${id}: ${result === 'accepted' ? 'accepted now' : 'its event had arrived in good order meanwhile'}`)
}

async function findQuarantined(inbox: Inbox, filter: ReplayFilter): Promise<string[]> {
  if (filter.id !== undefined) return (await inbox.event(filter.id))?.state === 'quarantined' ? [filter.id] : []
  if (filter.state !== 'quarantined') return []
  if (filter.type !== undefined || filter.handler !== undefined) {
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'A quarantined request has neither a type nor a handler: narrow --state quarantined by --since and --until, or give an ID')
  }
  return Array.fromAsync(eventsIn(inbox, { state: 'quarantined', since: filter.since, until: filter.until }), ({ id }) => id)
}
