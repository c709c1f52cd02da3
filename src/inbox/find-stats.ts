import { isRequestNote, minuteMs } from '../model/tally.ts'
import { shorten } from '../model/shorten.ts'
import type { Inbox, InboxStats, Pause } from './inbox.ts'

/** The contents of an inbox, with what fails, what is paused, and what happened in the last 24 hours. */
export interface FoundStats extends InboxStats, Pending {
  readonly pauses: readonly Pause[]
  /** How many kinds of payload mismatches are not acknowledged. */
  readonly mismatches: number
  readonly lastDay: LastDay
}

/** Finds what `riverhook stats` and `GET stats` show. */
export async function findStats(inbox: Inbox): Promise<FoundStats> {
  const stats = await inbox.stats()
  const pending = await findPending(inbox)
  const mismatches = (await inbox.drifts()).filter(({ acknowledgedAt }) => acknowledgedAt === undefined).length
  return { ...stats, ...pending, pauses: await inbox.pauses(), mismatches, lastDay: await findLastDay(inbox) }
}

/** The failed deliveries whose errors are read. */
export const mostFailedRead = 5_000

/** The deliveries that failed or were lost, and are tried again. */
export interface Pending {
  /** How many deliveries failed and wait for a retry. */
  readonly retrying: number
  /** Their last errors by handler, the most frequent first. */
  readonly failing: readonly { readonly handler: string; readonly error: string; readonly count: number }[]
  /** The earliest retry of them. */
  readonly nextAt: Date | undefined
  /** Deliveries that have lost runs, and how many. */
  readonly lost: { readonly deliveries: number; readonly runs: number }
  /** True if `failing` is of the newest 5,000 failed deliveries. The other counts are complete. */
  readonly isPartial: boolean
}

/** Looks at the deliveries that wait for a retry, of all realms or of one. */
export async function findPending(inbox: Inbox, realm?: string): Promise<Pending> {
  const isWanted = (one: string): boolean => one === (realm ?? one)
  const retries = (await inbox.retries()).filter((each) => isWanted(each.realm))
  const sumOf = (name: 'failed' | 'lost' | 'losses'): number => retries.reduce((total, each) => total + each[name], 0)
  const retrying = sumOf('failed')
  const read = retrying === 0 ? [] : await inbox.failed({ limit: mostFailedRead + 1 })
  const failed = read
    .slice(0, mostFailedRead)
    .filter(({ state, hasFailed, event }) => state !== 'dead' && hasFailed && isWanted(event.realm))
  const kinds = Map.groupBy(failed, ({ handler, error }) =>
    JSON.stringify([handler, shorten(error.replaceAll(/\s+/g, ' '), 60)])
  )
  const times = retries.flatMap(({ nextAt }) => nextAt?.getTime() ?? [])
  return {
    retrying,
    failing: [...kinds]
      .map(([kind, { length }]) => {
        const [handler = '', error = ''] = JSON.parse(kind) as string[]
        return { handler, error, count: length }
      })
      .sort((one, other) => other.count - one.count),
    nextAt: times.length === 0 ? undefined : new Date(Math.min(...times)),
    lost: { deliveries: sumOf('lost'), runs: sumOf('losses') },
    isPartial: read.length > mostFailedRead
  }
}

const dayMs = 86_400_000

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

async function findLastDay(inbox: Inbox): Promise<LastDay> {
  const now = await inbox.now()
  const since = new Date(now.getTime() - dayMs)
  const span = { since, until: new Date(now.getTime() + minuteMs), step: 'minute' } as const
  const refused = (await inbox.tally({ ...span, kind: 'request' })).filter(({ outcome }) => !isRequestNote(outcome))
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
