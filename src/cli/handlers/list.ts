import { Command } from 'commander'

import { listHandlers, type ListedHandler } from '../../programs.ts'
import { inboxOption, withInbox } from '../inbox.ts'
import { print, printJson, styled } from '../output.ts'
import { printTable, spanText, styleState } from '../print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

export function listCommand(): Command {
  return new Command('list')
    .description('list the handlers, which of them are paused, and their deliveries by state')
    .option('--json', 'as one JSON object per line')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const rows = await listHandlers(inbox)
        if (flags.json === true) for (const row of rows) printJson(row)
        else show(rows)
      })
    )
}

/** The states that a person must know of; deliveries that are done are not counted here. */
const shownStates = ['pending', 'waiting', 'running', 'dead', 'parked'] as const

function show(rows: readonly ListedHandler[]): void {
  if (rows.length === 0) {
    print('No handlers: no server with handlers has used this inbox.')
    return
  }
  const now = Date.now()
  printTable(
    ['handler', 'source', 'types', ...shownStates, ''],
    rows.map(({ name, source, pattern, pausedSince, deliveries }) => [
      name,
      source ?? '',
      pattern ?? '',
      ...shownStates.map((state) =>
        deliveries[state] > 0 && (state === 'dead' || state === 'parked')
          ? styled`${deliveries[state]} ${styleState(state)}`
          : String(deliveries[state])
      ),
      pausedSince !== undefined
        ? `paused for ${spanText(now - pausedSince.getTime())}`
        : pattern === undefined
          ? 'no server has it'
          : ''
    ])
  )
}
