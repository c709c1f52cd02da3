import * as timers from 'node:timers'
import * as promises from 'node:timers/promises'

// The real timers, captured when this package is loaded. A user's test may replace the global ones with fake timers
// (node:test, Vitest, Jest), and after a later `require` also those of 'node:timers'. Code that waits on fake timers
// would never continue.

export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers
/** Resolves after `ms` milliseconds. */
export const delay = promises.setTimeout

const { hrtime } = process

/** Milliseconds on a clock that is never set back. It continues where a user's test has stopped the global one. */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}

/**
 * Measures how busy this thread's event loop is.
 * @returns a function that returns the part of the time since its last call in which the loop worked, from 0 to 1
 */
export function loopLoad(): () => number {
  // Only a server measures it: its module takes a command a millisecond to load.
  const { performance } = process.getBuiltinModule('node:perf_hooks')
  let last = performance.eventLoopUtilization()
  return () => {
    const current = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(current, last)
    last = current
    return utilization
  }
}

/** Resolves in the next turn of the event loop, after its pending events. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
