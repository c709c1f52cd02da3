import type { StoredAlarms } from '../../inbox/inbox.ts'
import { alarmConditions, type ListedAlarm } from '../../model/alarm.ts'
import { listRaised, type AlarmBook, type AlarmEntry } from './book.ts'
import type { AlarmMessage } from './messages.ts'
import type { SilenceChecks } from './silence.ts'
import type { UncheckedEntry } from './unchecked.ts'

/** The state that the process that raises alarms leaves to the next one. Times are in milliseconds since the epoch. */
export interface AlarmsState extends AlarmBook {
  /** When the conditions were checked last. */
  readonly at: number
  /** When they were checked before that. */
  readonly checkedAt: number
  /** Since when servers have been running without a longer break. */
  readonly runningSince: number
  readonly silence: SilenceChecks
  readonly unchecked: readonly UncheckedEntry[]
  /** Messages that are not sent yet. */
  readonly unsent: readonly AlarmMessage[]
}

/** After a longer break, the silence before it says nothing. */
const breakMs = 10 * 60_000

/**
 * Reads the state as the last process left it.
 * @param now milliseconds since the epoch
 */
export function continueState(text: string | undefined, now: number): AlarmsState {
  const state = parse(text)
  const { at, runningSince } = state
  return {
    ...state,
    at: now,
    // A clock that was set back is no break.
    runningSince: now - at > breakMs ? now : Math.min(runningSince, now),
    checkedAt: at
  }
}

/** The entries of a stored state. */
export function readEntries(text: string | undefined): readonly AlarmEntry[] {
  return parse(text).entries
}

/** Lists the alarms of a stored state: those that are raised, and those that cannot be checked. */
export function listStored({ state, acknowledged }: StoredAlarms): readonly ListedAlarm[] {
  const { entries, unchecked } = parse(state)
  return [
    ...listRaised(entries, acknowledged),
    ...unchecked
      .filter(({ okSince }) => okSince === undefined)
      .map(({ condition, since, reason }) => ({
        condition,
        subject: '',
        level: 'warn' as const,
        text: `cannot be checked: ${reason}`,
        value: undefined,
        threshold: undefined,
        since: new Date(since),
        state: 'unchecked' as const
      }))
  ]
}

export function packState(state: AlarmsState): string {
  return JSON.stringify(state)
}

const none: AlarmsState = {
  at: 0,
  checkedAt: 0,
  runningSince: 0,
  entries: [],
  resolved: [],
  silence: {},
  unchecked: [],
  unsent: []
}

/** Another version may have other conditions. */
function parse(text: string | undefined): AlarmsState {
  if (text === undefined) return none
  const state = { ...none, ...(JSON.parse(text) as Partial<AlarmsState>) }
  const isKnown = ({ condition }: { readonly condition: string }): boolean => Object.hasOwn(alarmConditions, condition)
  return { ...state, entries: state.entries.filter(isKnown), unchecked: state.unchecked.filter(isKnown) }
}
