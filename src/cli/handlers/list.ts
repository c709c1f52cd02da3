import { Command } from 'commander'

import { listHandlers, unfinishedStates, type ListedHandler } from '../../programs.ts'
import { inboxOption, type WithInbox } from '../inbox.ts'
import { print, printJson, styled } from '../output.ts'
import { durationText, printTable, spanText, styleState } from '../print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

export function listCommand(withInbox: WithInbox): Command {
  return new Command('list')
    .description(
      'list the handlers: which are paused, what is left for each to do, and how long its newest attempts took'
    )
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

function show(rows: readonly ListedHandler[]): void {
  if (rows.length === 0) {
    print('No handlers: no server with handlers has used this inbox.')
    return
  }
  const now = Date.now()
  printTable(
    ['handler', 'source', 'types', ...unfinishedStates, 'overdue', 'p50', 'p95', ''],
    rows.map(({ name, source, pattern, pausedSince, deliveries, oldestDueAt, lengths }) => [
      name,
      source ?? '',
      pattern ?? '',
      ...unfinishedStates.map((state) =>
        deliveries[state] > 0 && (state === 'dead' || state === 'parked')
          ? styled`${deliveries[state]} ${styleState(state)}`
          : String(deliveries[state])
      ),
      oldestDueAt === undefined ? '' : spanText(now - oldestDueAt.getTime()),
      lengths === undefined ? '' : durationText(lengths.p50Ms),
      lengths === undefined ? '' : durationText(lengths.p95Ms),
      pausedSince !== undefined
        ? `paused for ${spanText(now - pausedSince.getTime())}`
        : pattern === undefined
          ? 'no server has it'
          : ''
    ])
  )
}
