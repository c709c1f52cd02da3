import * as timers from 'node:timers'
import * as promises from 'node:timers/promises'

// The real timers, captured when this package is loaded. Fake timers of a user's test (node:test, Vitest, Jest) replace
// the global ones, and with a
// later `require` also the imports from 'node:timers'. Code that waits on them would never continue.

export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers
/** Resolves after milliseconds. */
export const delay = promises.setTimeout
