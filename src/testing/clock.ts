import { optionRules } from '../index.ts'
import { clearTimeout, setTimeout } from './timers.ts'

const { checkAgainst, isDate, isNumber, longestTimerMs } = optionRules

/** What the simulator needs of time: to read it, and to have something done later. */
export interface Clock {
  now(): Date
  /** Has `run` done after so many milliseconds. @returns a function that calls it off */
  after(ms: number, run: () => Promise<void>): () => void
}

/** A clock that stands still until a test moves it. */
export interface DrivenClock extends Clock {
  /** Moves on. Resolves when everything that fell due, in its order, has been done. */
  advance(ms: number): Promise<void>
}

/** The time of this machine. What is to be done later keeps no process alive. */
export function realClock(): Clock {
  return {
    now: () => new Date(),
    after(ms, run) {
      const until = performance.now() + ms
      let timer = schedule(ms)
      return () => {
        clearTimeout(timer)
      }

      // A delay that is too long for one timer is kept in portions.
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
 * A clock for tests: hours of retries pass at once, and in the right order.
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
        // What is done may bring further things that fall due before the end.
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
