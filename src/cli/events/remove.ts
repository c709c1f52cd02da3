import { Command } from 'commander'

import { findRemovable } from '../../programs.ts'
import { besideServer } from '../config.ts'
import { withRiverhook } from '../inbox.ts'
import { print } from '../output.ts'
import { confirm, counted } from '../print.ts'
import { addChoice, checkChoice, choiceOf, showProgress, type ActFlags } from './act.ts'

export function removeCommand(): Command {
  const command = new Command('remove').description(
    'remove events with all their deliveries, for good, before the retention purges them'
  )
  return addChoice(command, 'one event; without it, all that match the filter').action(
    (id: string | undefined, flags: ActFlags) => {
      checkChoice(id, flags, '--state quarantined --until 30d')
      return withRiverhook(besideServer(flags), async ({ riverhook }) => {
        const filter = await choiceOf(riverhook.inbox, id, flags)
        await riverhook.checkFilter(filter)
        const { targets, kept } = await findRemovable(riverhook.inbox, filter)
        if (kept > 0) print(whyKept(kept, id))
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
        const removed = await showProgress(targets.length, id === undefined ? filter : undefined, (options) =>
          riverhook.removeEvents(targets, options)
        )
        print(`${counted(removed, 'event')} removed.`)
        if (removed < targets.length)
          print(
            `${counted(targets.length - removed, 'event')} not removed: a delivery is running, its state has changed since it was counted, or the event was gone already.`
          )
      })
    }
  )
}

function whyKept(kept: number, id: string | undefined): string {
  return id === undefined
    ? `${counted(kept, 'event is', 'events are')} kept: erased, or with another delivery that is not done. To remove an event with such a delivery anyway, give its ID.`
    : 'The event is erased: it stays until the retention purges it, so that it does not come back.'
}
