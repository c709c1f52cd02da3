import type { AlarmName } from '../../model/alarm.ts'
import { loggedError } from '../../model/error-text.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { Log } from '../../model/log.ts'
import { minuteMs } from './words.ts'

/** A condition that cannot be checked. Times are in milliseconds since the epoch. */
export interface UncheckedEntry {
  readonly condition: AlarmName
  readonly since: number
  /** Why, without personal data. */
  readonly reason: string
  /** Since when it can be checked again. */
  readonly okSince?: number | undefined
}

/** A condition that fails now and then is logged once. */
const settledMs = 10 * minuteMs

/**
 * Notes which conditions cannot be checked, and logs each when that begins and ends.
 * @param failed the conditions whose check failed, with the error
 */
export function updateUnchecked(
  before: readonly UncheckedEntry[],
  failed: ReadonlyMap<AlarmName, unknown>,
  { now, log }: { readonly now: number; readonly log: Pick<Log, 'warn' | 'info'> }
): readonly UncheckedEntry[] {
  const known = new Map(before.map((entry) => [entry.condition, entry]))
  const began = [...failed].filter(([condition]) => !known.has(condition))
  for (const [error, same] of Map.groupBy(began, ([, error]) => error))
    log.warn(
      { alarms: same.map(([condition]) => condition), err: loggedError(error) },
      'these alarms cannot be checked: those that are raised stay, and no other is raised'
    )
  const failing = [...failed].map(([condition, error]): UncheckedEntry => {
    const since = known.get(condition)?.since ?? now
    return { condition, since, reason: reasonOf(error) }
  })
  const resting = before
    .filter(({ condition }) => !failed.has(condition))
    .map((entry) => ({ ...entry, okSince: entry.okSince ?? now }))
  const ended = resting.filter(({ okSince }) => now - okSince >= settledMs)
  if (ended.length > 0)
    log.info({ alarms: ended.map(({ condition }) => condition) }, 'these alarms can be checked again')
  return [...failing, ...resting.filter((entry) => !ended.includes(entry))]
}

/** Only errors of Riverhook are known to hold no personal data. */
function reasonOf(error: unknown): string {
  return error instanceof RiverhookError ? `${error.code}, the log says why` : 'the log says why'
}
