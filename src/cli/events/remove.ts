import { Command } from 'commander'

import { RiverhookError, type CommandRiverhook, type EventKey, type RemoveOptions } from '../../index.ts'
import { findRemovable } from '../../programs.ts'
import { addFilter, filterOf, findEvent, isOpen, refuseBesideId, type FilterFlags } from './filter.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { print } from '../output.ts'
import { confirm, counted, startProgress } from '../print.ts'

interface Flags extends FilterFlags {
  readonly inbox: string
  readonly yes?: true
}

export function removeCommand(): Command {
  return addFilter(
    new Command('remove').description(
      'remove events with all their deliveries, for good; nothing else removes dead letters and quarantined requests'
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
      if (id !== undefined)
        refuseBesideId(flags, [
          'about',
          'type',
          'endpoint',
          'live',
          'test',
          'state',
          'handler',
          'error',
          'where',
          'since',
          'until'
        ])
      return withRiverhook({ inbox: flags.inbox }, async ({ riverhook }) => {
        const { inbox } = riverhook
        const { keys, spared } =
          id === undefined
            ? await findRemovable(inbox, filterOf(flags))
            : { keys: [keyOf(await findEvent(inbox, id, flags.realm))], spared: 0 }
        if (spared > 0)
          print(
            `${counted(spared, 'event is', 'events are')} kept, because another delivery is not done. To remove such an event anyway, give its ID.`
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
        await remove(riverhook, keys, id === undefined ? filterOf(flags) : undefined)
      })
    })
}

function keyOf({ realm, id }: EventKey): EventKey {
  return { realm, id }
}

async function remove(
  riverhook: CommandRiverhook,
  keys: readonly EventKey[],
  filter: RemoveOptions['filter']
): Promise<void> {
  const progress = startProgress(keys.length, 'events')
  const onProgress = (count: number): void => {
    progress.add(count)
  }
  const removed = await riverhook.removeEvents(keys, { filter, onProgress }).finally(() => {
    progress.stop()
  })
  print(`${counted(removed, 'event')} removed.`)
  if (removed < keys.length)
    print(
      `${counted(keys.length - removed, 'event')} not removed: a delivery is running, or the event was gone already.`
    )
}
