import { Command } from 'commander'

import { RiverhookError, type CommandRiverhook, type RemovalTarget, type RemoveOptions } from '../../index.ts'
import { findRemovable, toRemovalTarget } from '../../programs.ts'
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
        const { targets, kept } =
          id === undefined
            ? await findRemovable(inbox, filterOf(flags))
            : { targets: [toRemovalTarget(await findEvent(inbox, id, flags.realm))], kept: 0 }
        if (kept > 0)
          print(
            `${counted(kept, 'event is', 'events are')} kept, because another delivery is not done. To remove such an event anyway, give its ID.`
          )
        if (targets.length === 0) {
          print('Nothing to remove.')
          return
        }
        if (
          !(await confirm(
            `Remove ${counted(targets.length, 'event')} for good? If the provider sends a removed event again, it is handled again.`,
            flags.yes === true
          ))
        ) {
          print('Nothing was changed.')
          return
        }
        await remove(riverhook, targets, id === undefined ? filterOf(flags) : undefined)
      })
    })
}

async function remove(
  riverhook: CommandRiverhook,
  targets: readonly RemovalTarget[],
  filter: RemoveOptions['filter']
): Promise<void> {
  const progress = startProgress(targets.length, 'events')
  const onProgress = (count: number): void => {
    progress.add(count)
  }
  const removed = await riverhook.removeEvents(targets, { filter, onProgress }).finally(() => {
    progress.stop()
  })
  print(`${counted(removed, 'event')} removed.`)
  if (removed < targets.length)
    print(
      `${counted(targets.length - removed, 'event')} not removed: a delivery is running, its state has changed since it was counted, or the event was gone already.`
    )
}
