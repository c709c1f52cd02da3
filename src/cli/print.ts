import { createRequire } from 'node:module'
import { stripVTControlCharacters } from 'node:util'

import type Table from 'cli-table3'

import { RiverhookError, type DeliveryState, type EventState, type MaskedSummary } from '../index.ts'
import { visible } from '../programs.ts'
import { join, print, shown, style, styled, Styled } from './output.ts'

const require = createRequire(import.meta.url)

type Rows = readonly (readonly (string | Styled)[])[]

/** Prints a table without borders, fitted to the terminal. */
export function printTable(head: readonly string[], rows: Rows): void {
  print(new Styled(tableText(head, rows, process.stdout.isTTY ? process.stdout.columns : undefined)))
}

/** The narrowest last column that is still a column, in characters. */
const narrowest = 24
const gap = '  '

/**
 * A table as text. On a terminal that is too narrow, the last column is wrapped. If too little is left for it, it goes
 * below its row. If the other columns do not fit either, each row becomes a block with one line for each column.
 * @param width of the terminal; undefined for a file or a pipe, where nothing is wrapped
 */
export function tableText(head: readonly string[], rows: Rows, width = Infinity): string {
  const cells = rows.map((row) => row.map(shown))
  const widths = head.map((title, column) =>
    cells.reduce((widest, row) => Math.max(widest, lengthOf(row[column] ?? '')), title.length)
  )
  const whole = widths.reduce((sum, each) => sum + each, gap.length * (head.length - 1))
  const others = whole - (widths.at(-1) ?? 0)
  const left = width - others
  if (whole <= width) return columnsText(head, cells)
  if (left >= narrowest)
    return columnsText(
      head,
      cells.map((row) => [...row.slice(0, -1), wrap(row.at(-1) ?? '', left)])
    )
  if (others - gap.length <= width) {
    const line = (row: readonly string[]): string =>
      row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell)))).join(gap)
    const below = (text = ''): string[] =>
      text === ''
        ? []
        : wrap(text, width - 2 * gap.length)
            .split('\n')
            .map((each) => `${gap}${gap}${each}`)
    return [
      line(head.slice(0, -1).map((title) => style('dim', title).text)),
      ...cells.flatMap((row) => [line(row.slice(0, -1)), ...below(row.at(-1))])
    ].join('\n')
  }
  const longest = Math.max(...head.map(({ length }) => length))
  // A value that does not fit beside its title stands below it.
  const field = (title: string, value: string): string =>
    longest + gap.length + lengthOf(value) <= width
      ? `${style('dim', title.padEnd(longest)).text}${gap}${value}`
      : `${style('dim', title).text}\n${gap}${gap}${value}`
  return cells
    .map((row) => head.flatMap((title, column) => (row[column] ? [field(title, row[column])] : [])).join('\n'))
    .join('\n\n')
}

/** A text in which each character takes one column of the terminal. */
const isNarrow = (text: string): boolean => /^[ -~\u2026]*$/.test(stripVTControlCharacters(text))

function columnsText(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const rows = [head.map((text) => style('dim', text).text), ...cells]
  if (rows.every((row) => row.length === head.length && row.every(isNarrow))) return narrowText(rows)
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
  const inner = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: gap }
  // Few tables have wide characters or several lines in a row.
  const OwnTable = require('cli-table3') as typeof Table
  const table = new OwnTable({
    head: [...(rows[0] ?? [])],
    chars: { ...none, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  })
  table.push(...cells.map((row) => [...row]))
  return table.toString()
}

/** Rows of such texts as cli-table3 prints them. To load it takes longer than most commands. */
function narrowText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ''))))
  const padded = (text: string, column: number): string => text + ' '.repeat((widths[column] ?? 0) - lengthOf(text))
  return rows.map((row) => row.map(padded).join(gap)).join('\n')
}

/** How many characters of a text are seen. */
function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length
}

/** Breaks a text into lines of at most `width` characters, between words where possible. */
export function wrap(text: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((each) => each.match(new RegExp(`.{1,${width}}`, 'gsu')) ?? [''])) {
    if (line !== '' && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

/** A number and its noun: `1 delivery`, `2 deliveries`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** A span of time for people, in its largest unit: `35 s`, `5 min`, `3 h`, `2 days`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

/** How long something took: `34 ms`, `5 s`. */
export function durationText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : spanText(ms)
}

/** A delivery's state, coloured on a terminal. */
export function styleState(state: DeliveryState | EventState): Styled {
  const colours = {
    done: 'green',
    dead: 'red',
    quarantined: 'red',
    parked: 'yellow',
    running: 'cyan',
    pending: 'cyan',
    waiting: 'cyan',
    accepted: 'green',
    erased: 'yellow'
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

/** The states of an event's deliveries in a few words: `done 2, dead 1`. */
export function summary({ state, deliveries }: MaskedSummary): string | Styled {
  if (state !== 'accepted') return styleState(state)
  if (deliveries.length === 0) return 'no handler'
  const counts = new Map<DeliveryState, number>()
  for (const delivery of deliveries) counts.set(delivery.state, (counts.get(delivery.state) ?? 0) + 1)
  return join(
    [...counts].map(([each, count]) => styled`${styleState(each)} ${count}`),
    ', '
  )
}

/**
 * Asks for confirmation. Without a terminal there is no one to answer, so `--yes` is required.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `${question} There is no terminal to ask on: pass --yes to go ahead`
    )
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and Ctrl-D close it. Node 22 then leaves the question without an answer.
  const ending = new AbortController()
  lines.once('close', () => {
    ending.abort()
  })
  try {
    const answer = await lines.question(`${visible(question)} [y/N] `, { signal: ending.signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch (error) {
    if (!ending.signal.aborted) throw error
    process.exitCode = 1
    return false
  } finally {
    lines.close()
  }
}

/**
 * A progress bar on a terminal; nothing elsewhere.
 * @param what is counted; `{name}` in it stands for the detail of that name, 0 until it is given
 */
export async function startProgress(
  total: number,
  what: string
): Promise<{ add(count: number, details?: Readonly<Record<string, number>>): void; stop(): void }> {
  if (!process.stderr.isTTY || total === 0) return { add: () => undefined, stop: () => undefined }
  const { default: Progress } = await import('cli-progress')
  const bar = new Progress.SingleBar(
    // The time left is that of the last 200 steps: a few would be less than a second of a paced replay.
    { format: `{bar} {value}/{total} ${what}, {eta} s left`, stream: process.stderr, etaBuffer: 200 },
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
