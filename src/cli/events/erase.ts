import { Command } from 'commander'

import { RiverhookError, type CommandRiverhook, type EraseOptions, type EventKey } from '../../index.ts'
import { findErasable } from '../../programs.ts'
import { addFilter, filterOf, findEvent, isOpen, refuseBesideId, type FilterFlags } from './filter.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { print } from '../output.ts'
import { confirm, counted, startProgress } from '../print.ts'

interface Flags extends FilterFlags {
  readonly inbox: string
  readonly dryRun?: true
  readonly yes?: true
}

export function eraseCommand(): Command {
  return addFilter(
    new Command('erase').description(
      'erase the personal data of events, for good: payload, keys, errors; each event stays as "erased", so that it does not come back'
    )
  )
    .argument('[id]', 'one event, or a quarantined request; without it, all that match the filter, such as --about KEY')
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask')
    .addOption(inboxOption())
    .action((id: string | undefined, flags: Flags) => {
      if (id === undefined && isOpen(flags))
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Give an ID or a filter, for example --about buyer@x.example')
      if (id !== undefined)
        refuseBesideId(flags, [
          ...(['about', 'type', 'endpoint', 'live', 'test', 'state', 'handler', 'error', 'where'] as const),
          ...(['since', 'until'] as const)
        ])
      return withRiverhook({ inbox: flags.inbox }, async ({ riverhook }) => {
        const { inbox } = riverhook
        const filter =
          id === undefined ? filterOf(flags) : { id, realm: (await findEvent(inbox, id, flags.realm)).realm }
        const { keys, open } = await findErasable(inbox, filter)
        if (keys.length === 0) {
          print('Nothing to erase.')
          // An earlier command may have ended between the erasure and this.
          const left = flags.dryRun === true ? undefined : await inbox.scrub()
          if (left !== undefined) print(left)
          return
        }
        const plan = `${counted(keys.length, 'event')}${open === 0 ? '' : `; ${counted(open, 'delivery', 'deliveries')} that ${open === 1 ? 'is' : 'are'} not done will never run`}`
        if (flags.dryRun === true) {
          print(`Would erase ${plan}.`)
          return
        }
        if (!(await confirm(`Erase ${plan}. Nothing can bring the data back. Continue?`, flags.yes === true))) {
          print('Nothing was changed.')
          return
        }
        await erase(riverhook, keys, id === undefined ? filterOf(flags) : undefined)
      })
    })
}

async function erase(
  riverhook: CommandRiverhook,
  keys: readonly EventKey[],
  filter: EraseOptions['filter']
): Promise<void> {
  const progress = startProgress(keys.length, 'events')
  const onProgress = (count: number): void => {
    progress.add(count)
  }
  const { erased, left } = await riverhook.eraseEvents(keys, { filter, onProgress }).finally(() => {
    progress.stop()
  })
  print(`${counted(erased, 'event')} erased.`)
  if (erased < keys.length) {
    print(
      `${counted(keys.length - erased, 'event')} not erased: a delivery is running, or the event was erased or removed meanwhile. Run the command again.`
    )
    process.exitCode = 1
  }
  if (left !== undefined) print(left)
  print('Backups still have the data: delete them, or erase it there too.')
}
