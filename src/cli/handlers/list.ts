import { Command } from 'commander'

import { deliveryStates, type DeliveryState } from '../../index.ts'
import { inboxOption, withInbox } from '../inbox.ts'
import { print, printJson, styled } from '../output.ts'
import { printTable, spanText, styleState } from '../print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

export function listCommand(): Command {
  return new Command('list')
    .description('list the handlers of the server, which are paused, and their deliveries by state')
    .option('--json', 'as one JSON object a line')
    .addOption(inboxOption())
    .action((flags: Flags) =>
      withInbox(flags.inbox, async (inbox) => {
        const [handlers, pauses, { byHandler }] = [await inbox.handlers(), await inbox.pauses(), await inbox.stats()]
        const since = new Map(pauses.map((pause) => [pause.handler, pause.since]))
        const counts = new Map(byHandler.map(({ handler, ...states }) => [handler, states]))
        const gone = [...since.keys(), ...counts.keys()].filter((name) => !handlers.some((each) => each.name === name))
        const all = [
          ...handlers,
          ...[...new Set(gone)].map((name) => ({ name, source: undefined, pattern: undefined }))
        ]
        const rows = all.map((handler) => ({
          ...handler,
          pausedSince: since.get(handler.name),
          deliveries: counts.get(handler.name) ?? noDeliveries
        }))
        if (flags.json === true) for (const row of rows) printJson(row)
        else show(rows)
      })
    )
}

const noDeliveries = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<DeliveryState, number>

interface Shown {
  readonly name: string
  /** Undefined for a handler that no server has any more. */
  readonly source: string | undefined
  readonly pattern: string | undefined
  readonly pausedSince: Date | undefined
  readonly deliveries: Readonly<Record<DeliveryState, number>>
}

/** The states that a person must know of; deliveries that are done are not counted here. */
const shownStates = ['pending', 'waiting', 'running', 'dead', 'parked'] as const

function show(rows: readonly Shown[]): void {
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
