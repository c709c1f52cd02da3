import { Command } from 'commander'

import { RiverhookError, type EventKey, type EventSummary, type Inbox } from '../../index.ts'
import { isDeliveryState } from '../../programs.ts'
import { addFilter, eventsIn, filterOf, findEvent, isOpen, refuseBesideId, type FilterFlags } from './filter.ts'
import { inboxOption, withInbox } from '../inbox.ts'
import { print } from '../output.ts'
import { confirm, counted, startProgress } from '../print.ts'

interface Flags extends FilterFlags {
  readonly inbox: string
  readonly yes?: true
}

const batchSize = 200

export function removeCommand(): Command {
  return addFilter(
    new Command('remove').description(
      'remove events with all their deliveries, for good; dead letters and quarantined requests are kept until then'
    )
  )
    .argument('[id]', 'one event; without it, all that match the filter')
    .option('--yes', 'do not ask')
    .addOption(inboxOption())
    .action((id: string | undefined, flags: Flags) => {
      if (id === undefined && isOpen(flags)) {
        throw new RiverhookError(
          'RIVERHOOK_CLI_USAGE',
          'Give an ID or a filter, for example --state quarantined --until 30d'
        )
      }
      if (id !== undefined) refuseBesideId(flags, ['about', 'type', 'state', 'handler', 'since', 'until'])
      return withInbox(flags.inbox, async (inbox) => {
        const { keys, spared } =
          id === undefined
            ? await find(inbox, flags)
            : { keys: [keyOf(await findEvent(inbox, id, flags.realm))], spared: 0 }
        if (spared > 0)
          print(
            `${counted(spared, 'event is', 'events are')} kept: other deliveries are not done, and an event is removed with all its deliveries. To remove one nevertheless, give its ID.`
          )
        if (keys.length === 0) {
          print('Nothing to remove.')
          return
        }
        if (
          !(await confirm(
            `Remove ${counted(keys.length, 'event')} for good? If the provider sends a removed event again, it is handled again.`,
            flags.yes === true
          ))
        ) {
          print('Nothing was changed.')
          return
        }
        await remove(inbox, keys)
      })
    })
}

async function find(inbox: Inbox, flags: FilterFlags): Promise<{ keys: EventKey[]; spared: number }> {
  const keys: EventKey[] = []
  let spared = 0
  for await (const event of eventsIn(inbox, filterOf(flags))) {
    if (isSettledBeside(event, flags.state)) keys.push(keyOf(event))
    else spared += 1
  }
  return { keys, spared }
}

function keyOf({ realm, id }: EventKey): EventKey {
  return { realm, id }
}

/** With a filter by delivery state, an event is removed only if its other deliveries are done. */
function isSettledBeside({ deliveries }: EventSummary, state: FilterFlags['state']): boolean {
  return (
    !isDeliveryState(state) || deliveries.every((delivery) => delivery.state === state || delivery.state === 'done')
  )
}

async function remove(inbox: Inbox, keys: readonly EventKey[]): Promise<void> {
  const progress = startProgress(keys.length, 'events')
  let removed = 0
  for (let start = 0; start < keys.length; start += batchSize) {
    const batch = keys.slice(start, start + batchSize)
    removed += await inbox.remove(batch)
    progress.add(batch.length)
  }
  progress.stop()
  print(`${counted(removed, 'event')} removed.`)
  if (removed < keys.length)
    print(
      `${counted(keys.length - removed, 'event')} not removed: a delivery is running, or the event was gone already.`
    )
}
