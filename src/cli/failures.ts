import { Command } from 'commander'

import type { FailureGroup, ReplayFilter } from '../index.ts'
import { shellWord } from '../programs.ts'
import { besideServer } from './config.ts'
import { limitOf } from './events/filter.ts'
import { inboxOption, instantOf, withRiverhook } from './inbox.ts'
import { print, printJson, style, styled } from './output.ts'
import { counted, spanText, time } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly handler?: string
  readonly since?: string
  readonly limit: number
  readonly json?: true
}

export function failuresCommand(): Command {
  return new Command('failures')
    .description('group the deliveries that failed by handler and error, with the command that replays each group')
    .option('--handler <name>', 'only of this handler')
    .option('--since <time>', 'failed at or after: 24h, or an instant')
    .option('--limit <count>', 'at most this many groups, the largest', limitOf(1_000), 20)
    .option('--json', 'as JSON')
    .addOption(inboxOption())
    .action(({ inbox, handler, since: given, limit, json }: Flags) => {
      const since = instantOf('--since', given)
      return withRiverhook(besideServer({ inbox }), async ({ riverhook }) => {
        const found = await riverhook.failures({ handler, since, limit })
        if (found.failures.length === 0) await riverhook.checkFilter({ handler })
        if (json === true) {
          printJson(found)
          return
        }
        const { failures, more, isPartial } = found
        if (failures.length === 0) print(`No delivery ${given === undefined ? 'fails' : `has failed since ${given}`}.`)
        for (const [index, group] of failures.entries()) {
          if (index > 0) print('')
          show(group)
        }
        if (more > 0) print(`\n${counted(more, 'smaller group')} not shown: see --limit`)
        if (isPartial) print('\nOnly the failed deliveries of the newest events were read: there are more.')
      })
    })
}

function show({ handler, error, dead, retrying, oldest, newest, example, replay, alsoReplays }: FailureGroup): void {
  const counts = [
    ...(dead === 0 ? [] : [counted(dead, 'dead letter')]),
    ...(retrying === 0 ? [] : [`${retrying} waiting for a retry`])
  ]
  print(styled`${style('bold', handler)}: ${counts.join(', ')}`)
  print(`  ${error}`)
  const last = `${spanText(Date.now() - newest.getTime())} ago`
  print(`  ${oldest.getTime() === newest.getTime() ? '' : `since ${time(oldest)}, `}last ${last}: ${example.id}`)
  print(`  ${replayCommand(replay)}`)
  if (alsoReplays > 0) print(`  (replays ${counted(alsoReplays, 'other failure')} of this handler too)`)
}

/** The command for a filter. */
function replayCommand({ id, realm, state, handler, since, until }: ReplayFilter): string {
  const flags = { handler, state, since: since?.toISOString(), until: until?.toISOString(), realm }
  const words = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, shellWord(value)]
  )
  return ['riverhook events replay', ...(id === undefined ? [] : [shellWord(id)]), ...words].join(' ')
}
