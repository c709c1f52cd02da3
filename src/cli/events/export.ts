import { Command } from 'commander'

import { beginExport } from '../../programs.ts'
import { commandActor } from '../actor.ts'
import { besideServer } from '../config.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { printAndWait, printError } from '../output.ts'
import { counted } from '../print.ts'
import { addFilter, filterOf, type FilterFlags } from './filter.ts'
import { asJson, maskedEvent, reveal } from './show.ts'

interface Flags extends FilterFlags {
  readonly inbox: string
  readonly reveal?: true
}

export function exportCommand(): Command {
  return addFilter(
    new Command('export').description(
      'write events with their payloads, the oldest first, one JSON object per line; for a person: --about KEY --reveal; recorded in the audit log'
    )
  )
    .option('--reveal', 'do not mask personal data')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withRiverhook(besideServer(flags), async ({ riverhook }) => {
        const isRevealed = flags.reveal === true
        const filter = filterOf(flags)
        await riverhook.checkFilter(filter)
        const events = await beginExport(riverhook.inbox, {
          filter,
          actor: commandActor(),
          isRevealed
        })
        let count = 0
        for await (const event of events) {
          await printAndWait(asJson(isRevealed ? reveal(event) : maskedEvent(riverhook, event)))
          count += 1
        }
        printError(`${counted(count, 'event')} exported${isRevealed ? '' : ', with personal data masked'}.`)
      })
    )
}
