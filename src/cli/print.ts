import { createInterface } from 'node:readline/promises'

import Progress from 'cli-progress'
import Table from 'cli-table3'

import { RiverhookError, visible, type DeliveryState, type EventSummary } from '../index.ts'
import { join, print, shown, style, styled, Styled } from './output.ts'

/** A table without borders. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | Styled)[])[]): void {
  const none = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': ''
  }
  const inner = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' }
  const table = new Table({
    head: head.map((text) => style('dim', text).text),
    chars: { ...none, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  })
  table.push(...rows.map((row) => row.map(shown)))
  print(new Styled(table.toString()))
}

/** A delivery's state, coloured on a terminal. */
export function styleState(state: DeliveryState | 'quarantined' | 'accepted'): Styled {
  const colours = {
    done: 'green',
    dead: 'red',
    quarantined: 'red',
    parked: 'yellow',
    running: 'cyan',
    pending: 'cyan',
    waiting: 'cyan',
    accepted: 'green'
  } as const
  return style(colours[state], state)
}

export function cut(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}

export function time(date: Date | undefined): string {
  return date === undefined
    ? ''
    : date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z')
}

/** What became of an event, in a few words: `done 2, dead 1`. */
export function summary({ state, deliveries }: EventSummary): string | Styled {
  if (state === 'quarantined') return styleState('quarantined')
  if (deliveries.length === 0) return 'no handler'
  const counts = new Map<DeliveryState, number>()
  for (const delivery of deliveries) counts.set(delivery.state, (counts.get(delivery.state) ?? 0) + 1)
  return join(
    [...counts].map(([each, count]) => styled`${styleState(each)} ${count}`),
    ', '
  )
}

/**
 * Asks for a yes. Without a terminal nobody can answer, so `--yes` is required there.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `${question} There is no terminal to ask on: say --yes`)
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${visible(question)} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

/**
 * A progress bar on a terminal; elsewhere nothing.
 * @param what is counted; `{name}` in it stands for the detail of that name, 0 until it is told
 */
export function startProgress(
  total: number,
  what: string
): { add(count: number, details?: Readonly<Record<string, number>>): void; stop(): void } {
  if (!process.stderr.isTTY || total === 0) return { add: () => undefined, stop: () => undefined }
  const bar = new Progress.SingleBar(
    { format: `{bar} {value}/{total} ${what}, {eta} s left`, stream: process.stderr },
    Progress.Presets.shades_classic
  )
  bar.start(total, 0, Object.fromEntries([...what.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, 0])))
  return {
    add: (count, details) => {
      bar.increment(count, details)
    },
    stop: () => {
      bar.stop()
    }
  }
}
