import { Command } from 'commander'

import { countOpen, findErasable } from '../../programs.ts'
import { besideServer } from '../config.ts'
import { withRiverhook } from '../inbox.ts'
import { print } from '../output.ts'
import { confirm, counted } from '../print.ts'
import { addChoice, checkChoice, choiceOf, showProgress, type ActFlags } from './act.ts'

interface Flags extends ActFlags {
  readonly dryRun?: true
}

export function eraseCommand(): Command {
  const command = new Command('erase').description(
    'erase the personal data of events, for good: payload, keys, errors; each event stays as "erased", so that it does not come back'
  )
  return addChoice(
    command,
    'one event, or a quarantined request; without it, all that match the filter, such as --about KEY'
  )
    .option('--dry-run', 'only count them')
    .action((id: string | undefined, flags: Flags) => {
      checkChoice(id, flags, '--about buyer@x.example')
      return withRiverhook(besideServer(flags), async ({ riverhook }) => {
        const { inbox } = riverhook
        const filter = await choiceOf(inbox, id, flags)
        await riverhook.checkFilter(filter)
        const { targets } = await findErasable(inbox, filter)
        if (targets.length === 0) {
          print('Nothing to erase.')
          // An earlier command may have ended between the erasure and this.
          const left = flags.dryRun === true ? undefined : await inbox.scrub()
          if (left !== undefined) print(left)
          return
        }
        const open = countOpen(targets)
        const plan = `${counted(targets.length, 'event')}${open === 0 ? '' : `; ${counted(open, 'delivery', 'deliveries')} that ${open === 1 ? 'is' : 'are'} not done will never run`}`
        if (flags.dryRun === true) {
          print(`Would erase ${plan}.`)
          return
        }
        if (!(await confirm(`Erase ${plan}. Nothing can bring the data back. Continue?`, flags.yes === true))) {
          print('Nothing was changed.')
          return
        }
        const { erased, left } = await showProgress(targets.length, id === undefined ? filter : undefined, (options) =>
          riverhook.eraseEvents(targets, options)
        )
        print(`${counted(erased, 'event')} erased.`)
        if (erased < targets.length) {
          print(
            `${counted(targets.length - erased, 'event')} not erased: a delivery is running, its state has changed since it was counted, or the event was erased or removed meanwhile. Run the command again.`
          )
          process.exitCode = 1
        }
        if (left !== undefined) print(left)
        print('Backups still have the data: delete them, or erase it there too.')
      })
    })
}
