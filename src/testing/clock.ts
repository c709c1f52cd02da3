import { optionRules } from '../programs.ts'
import { clearTimeout, setTimeout } from './timers.ts'

const { checkAgainst, isDate, isNumber, longestTimerMs } = optionRules

/** The clock of the simulator: reads the time, and schedules work. */
export interface Clock {
  now(): Date
  /** Calls `run` after a number of milliseconds. @returns a function that cancels it */
  after(ms: number, run: () => Promise<void>): () => void
}

/** A clock that stands still until a test moves it. */
export interface DrivenClock extends Clock {
  /** Advances the time. Resolves when everything that became due has been done, in order. */
  advance(ms: number): Promise<void>
}

/** The time of this machine. Scheduled work keeps no process alive. */
export function realClock(): Clock {
  return {
    now: () => new Date(),
    after(ms, run) {
      const until = performance.now() + ms
      let timer = schedule(ms)
      return () => {
        clearTimeout(timer)
      }

      // Split a delay that is too long for one timer.
      function schedule(leftMs: number): NodeJS.Timeout {
        const made = setTimeout(
          () => {
            const still = until - performance.now()
            if (leftMs <= longestTimerMs || still <= 0) void run()
            else timer = schedule(still)
          },
          Math.min(leftMs, longestTimerMs)
        )
        made.unref()
        return made
      }
    }
  }
}

/**
 * A clock for tests: hours of retries pass at once, in the right order.
 * @param start default: now
 */
export function createClock(start: Date = new Date()): DrivenClock {
  checkAgainst({ start: isDate }, { start }, 'createClock')
  let now = start.getTime()
  let due: { readonly at: number; readonly run: () => Promise<void> }[] = []
  return {
    now: () => new Date(now),
    after(ms, run) {
      const entry = { at: now + ms, run }
      due.push(entry)
      return () => {
        due = due.filter((other) => other !== entry)
      }
    },
    async advance(ms) {
      checkAgainst({ ms: isNumber(0) }, { ms }, 'clock.advance', '', ['ms'])
      const end = now + ms
      for (;;) {
        // The work may schedule more work that is due before the end.
        const next = due.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0]
        if (next === undefined) break
        due = due.filter((entry) => entry !== next)
        now = Math.max(now, next.at)
        await next.run()
      }
      now = end
    }
  }
}
