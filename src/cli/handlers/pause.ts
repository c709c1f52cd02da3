import { Command } from 'commander'

import { inboxOption, withRiverhook } from '../inbox.ts'
import { print } from '../output.ts'
import { counted } from '../print.ts'

interface Flags {
  readonly inbox: string
}

export function pauseCommand(): Command {
  return new Command('pause')
    .description('pause a handler on all servers and across restarts: its deliveries wait; running attempts finish')
    .argument('<name>', 'the handler')
    .addOption(inboxOption())
    .action((name: string, { inbox }: Flags) =>
      withRiverhook({ inbox }, async ({ riverhook }) => {
        await riverhook.pauseHandler(name)
        print(`${name} is paused. Its deliveries wait; to resume it, run: riverhook handlers resume ${name}`)
      })
    )
}

export function resumeCommand(): Command {
  return new Command('resume')
    .description('end the pause of a handler: its deliveries run, in their order')
    .argument('<name>', 'the handler')
    .addOption(inboxOption())
    .action((name: string, { inbox }: Flags) =>
      withRiverhook({ inbox }, async ({ riverhook }) => {
        if (!(await riverhook.resumeHandler(name))) {
          print(`${name} was not paused.`)
          return
        }
        const { byHandler } = await riverhook.inbox.levels()
        const left = byHandler.find(({ handler }) => handler === name)
        const count = left === undefined ? 0 : left.pending + left.later + left.waiting
        print(`${name} is resumed: ${counted(count, 'delivery', 'deliveries')} to run.`)
      })
    )
}
