import * as timers from 'node:timers'
import * as promises from 'node:timers/promises'

// The real timers, taken when this package is loaded. Fake timers of a user's test (node:test, Vitest, Jest) replace the global ones, and by
// way of a later `require` also what was imported from 'node:timers': whatever waits here would wait for ever.

export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers
/** Resolves after milliseconds. */
export const delay = promises.setTimeout
