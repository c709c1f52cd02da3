import type { Inbox } from '../index.ts'
import { print } from './output.ts'
import { counted, printTable, spanText } from './print.ts'

const dayMs = 86_400_000
const minuteMs = 60_000

/** The counts of the last 24 hours, from the tally of the inbox. */
export interface LastDay {
  readonly since: Date
  /** Refused requests by endpoint and code, the most frequent first. The times are the first and the last minute. */
  readonly refused: readonly {
    readonly endpoint: string
    readonly code: string
    readonly count: number
    readonly firstAt: Date
    readonly lastAt: Date
  }[]
  /** Attempts by handler, sorted by name. `failed` includes those that were retried. Times are in milliseconds. */
  readonly attempts: readonly {
    readonly handler: string
    readonly done: number
    readonly failed: number
    readonly lost: number
    readonly averageMs: number
    readonly longestMs: number
  }[]
}

export async function findLastDay(inbox: Inbox): Promise<LastDay> {
  const now = await inbox.now()
  const since = new Date(now.getTime() - dayMs)
  const span = { since, until: new Date(now.getTime() + minuteMs), step: 'minute' } as const
  const refused = await inbox.tally({ ...span, kind: 'request' })
  const attempts = (await inbox.tally({ ...span, kind: 'attempt' })).filter(({ outcome }) => outcome in endings)
  return {
    since,
    refused: [...Map.groupBy(refused, ({ name, outcome }) => JSON.stringify([name, outcome])).values()]
      .flatMap((rows) => {
        const [first] = rows
        const last = rows.at(-1)
        return first === undefined || last === undefined
          ? []
          : [{ endpoint: first.name, code: first.outcome, count: sum(rows), firstAt: first.at, lastAt: last.at }]
      })
      .sort((one, other) => other.count - one.count),
    attempts: [...Map.groupBy(attempts, ({ name }) => name)]
      .map(([handler, rows]) => {
        const of = (ending: string): number => sum(rows.filter(({ outcome }) => endings[outcome] === ending))
        const timed = rows.filter(({ outcome }) => outcome !== 'lost')
        const totalMs = timed.reduce((total, row) => total + row.totalMs, 0)
        return {
          handler,
          done: of('done'),
          failed: of('failed'),
          lost: of('lost'),
          averageMs: timed.length === 0 ? 0 : Math.round(totalMs / sum(timed)),
          longestMs: Math.max(...rows.map(({ maxMs }) => maxMs))
        }
      })
      .sort((one, other) => (one.handler < other.handler ? -1 : 1))
  }
}

/** The outcomes of attempts that ran. An attempt that was handed back is not one. */
const endings: Readonly<Record<string, 'done' | 'failed' | 'lost'>> = {
  done: 'done',
  retry: 'failed',
  dead: 'failed',
  lost: 'lost'
}

function sum(rows: readonly { readonly count: number }[]): number {
  return rows.reduce((total, { count }) => total + count, 0)
}

const mostRefusals = 5

/** Prints why requests were refused, and since when. */
export function showRefused({ refused }: LastDay, now: number): void {
  if (refused.length === 0) return
  print(`${counted(sum(refused), 'request was', 'requests were')} refused in the last 24 hours:`)
  for (const { endpoint, code, count, firstAt, lastAt } of refused.slice(0, mostRefusals)) {
    const ago = spanText(now - lastAt.getTime())
    const span = now - firstAt.getTime()
    const when = firstAt.getTime() === lastAt.getTime() ? `${ago} ago` : `since ${spanText(span)}, the last ${ago} ago`
    print(`  ${code} ×${count}\n    at ${endpoint}, ${when}`)
  }
  if (refused.length > mostRefusals) print(`  and ${counted(refused.length - mostRefusals, 'other reason')}`)
}

/** Prints how the attempts of each handler ended. */
export function showAttempts({ attempts }: LastDay): void {
  if (attempts.length === 0) return
  print('')
  printTable(
    ['attempts in the last 24 hours', 'done', 'failed', 'lost', 'average', 'longest'],
    attempts.map(({ handler, done, failed, lost, averageMs, longestMs }) => [
      handler,
      String(done),
      String(failed),
      String(lost),
      durationText(averageMs),
      durationText(longestMs)
    ])
  )
}

function durationText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : spanText(ms)
}
