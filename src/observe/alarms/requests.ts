import { errorCodes, type RiverhookErrorCode } from '../../model/errors.ts'
import type { TallyRow } from '../../model/tally.ts'
import type { AlarmEntry, Finding } from './book.ts'
import type { AlarmSubject } from './subject.ts'
import { dayMs, minuteMs, percent } from './words.ts'

/** The requests of an endpoint in the last minutes. */
class Recent {
  readonly #rows: readonly TallyRow[]

  constructor(rows: readonly TallyRow[]) {
    this.#rows = rows
  }

  count(is: (outcome: string) => boolean): number {
    return this.#rows.reduce((sum, { outcome, count }) => (is(outcome) ? sum + count : sum), 0)
  }

  of(outcome: string): number {
    return this.count((other) => other === outcome)
  }
}

export interface RequestFindings {
  readonly unauthenticated: readonly Finding[]
  readonly refusing: readonly Finding[]
  readonly slow: readonly Finding[]
  readonly clock: readonly Finding[]
  readonly stale: readonly Finding[]
}

/** The last reason why a request was not authentic, by endpoint. Holds no secret. */
export type Reasons = ReadonlyMap<string, string>

export interface RequestsInput extends Pick<AlarmSubject, 'inbox' | 'endpoints'> {
  readonly reasons: Reasons
  /** The alarms as the last round left them. */
  readonly entries: readonly AlarmEntry[]
  /** When the last round was, in milliseconds since the epoch. */
  readonly checkedAt: number
  readonly now: number
}

/** Checks how the endpoints answered in the last half hour. All processes of the inbox count. */
export async function findAboutRequests({
  inbox,
  endpoints,
  reasons,
  entries,
  checkedAt,
  now
}: RequestsInput): Promise<RequestFindings> {
  /** In minutes: a request of a time without rounds counts, too. */
  const sinceRound = Math.min(Math.max(15, (now - checkedAt) / minuteMs), dayMs / minuteMs)
  const rows = await inbox.tally({
    since: new Date(now - Math.max(30, sinceRound) * minuteMs),
    until: new Date(now + minuteMs),
    step: 'minute',
    kind: 'request'
  })
  const check = (find: (path: string, within: (minutes: number) => Recent) => Omit<Finding, 'subject'> | undefined) =>
    endpoints.flatMap(({ path }): Finding[] => {
      const own = rows.filter(({ name }) => name === path)
      const within = (minutes: number): Recent =>
        new Recent(own.filter(({ at }) => at.getTime() >= now - minutes * minuteMs))
      const found = find(path, within)
      return found === undefined ? [] : [{ subject: path, ...found }]
    })
  return {
    unauthenticated: check((path, within) => {
      const recent = within(15)
      const value = recent.of('RIVERHOOK_RECEIVE_UNAUTHENTICATED')
      const reason = reasons.get(path)
      const why = reason === undefined ? 'the log says why' : `the last one: ${reason}`
      const found = { level: 'error', value, threshold: 5 } as const
      if (value >= 5 && recent.of('authentic') === 0)
        return { ...found, text: `no request has right credentials: ${value} were refused in 15 min; ${why}` }
      const isRaised = ({ condition, subject, reported, okSince }: AlarmEntry): boolean =>
        condition === 'unauthenticated' && subject === path && reported !== undefined && okSince === undefined
      // Without a request, it is not known whether the credentials are right again.
      return entries.some(isRaised) && within(sinceRound).of('authentic') === 0
        ? { ...found, text: `no request has had right credentials since 5 or more were refused; ${why}` }
        : undefined
    }),
    refusing: check((_path, within) => {
      const recent = within(5)
      const value = recent.count(isFailure) / recent.of('answered')
      return recent.of('answered') >= 20 && value > 0.05
        ? {
            level: 'error',
            text: `${percent(value)} of the requests in 5 min were answered 5xx`,
            value,
            threshold: 0.05
          }
        : undefined
    }),
    slow: check((_path, within) => {
      const recent = within(10)
      const value = recent.of('slow') / recent.of('answered')
      const text = `${percent(value)} of the requests in 10 min were answered after more than 2 s: the provider may give up before`
      return recent.of('answered') >= 20 && value > 0.01 ? { level: 'warn', text, value, threshold: 0.01 } : undefined
    }),
    clock: check((_path, within) => {
      const recent = within(10)
      const value = recent.of('skewed') / recent.of('answered')
      const text = `the signed times of ${percent(value)} of the requests in 10 min differ by more than a minute: set the clock of this machine`
      return recent.of('skewed') >= 5 && value > 0.5 ? { level: 'warn', text, value, threshold: 0.5 } : undefined
    }),
    stale: check((_path, within) => {
      const recent = within(30)
      const value = recent.of('late') / recent.of('authentic')
      const text = `${percent(value)} of the requests in 30 min had events that were created more than 1 h before`
      return recent.of('late') >= 5 && value > 0.5 ? { level: 'warn', text, value, threshold: 0.5 } : undefined
    })
  }
}

/** True for the code of an answer 5xx, except that of a process that is shutting down. */
function isFailure(outcome: string): boolean {
  if (outcome === 'RIVERHOOK_RECEIVE_DRAINING' || !Object.hasOwn(errorCodes, outcome)) return false
  const known: { readonly statusCode?: number; readonly means: string } = errorCodes[outcome as RiverhookErrorCode]
  return (known.statusCode ?? 0) >= 500
}
