import { alarmConditions } from '../../model/alarm.ts'
import type { AlarmEntry } from './book.ts'
import type { AlarmMessage } from './messages.ts'
import type { SilenceChecks } from './silence.ts'

/** The state that the process that raises alarms leaves to the next one. Times are in milliseconds since the epoch. */
export interface AlarmsState {
  /** When the conditions were checked last. */
  readonly at: number
  /** Since when servers have been running without a longer break. */
  readonly runningSince: number
  readonly entries: readonly AlarmEntry[]
  readonly silence: SilenceChecks
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
  const { at, runningSince, entries, silence, unsent } = parse(text)
  return {
    at: now,
    // A clock that was set back is no break.
    runningSince: now - at > breakMs ? now : Math.min(runningSince, now),
    entries,
    silence,
    unsent
  }
}

/** The entries of a stored state. */
export function readEntries(text: string | undefined): readonly AlarmEntry[] {
  return parse(text).entries
}

export function packState(state: AlarmsState): string {
  return JSON.stringify(state)
}

const none: AlarmsState = { at: 0, runningSince: 0, entries: [], silence: {}, unsent: [] }

/** Another version may have other conditions. */
function parse(text: string | undefined): AlarmsState {
  if (text === undefined) return none
  const state = { ...none, ...(JSON.parse(text) as Partial<AlarmsState>) }
  return { ...state, entries: state.entries.filter(({ condition }) => Object.hasOwn(alarmConditions, condition)) }
}
