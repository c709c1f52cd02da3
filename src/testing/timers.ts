import * as timers from 'node:timers'
import * as promises from 'node:timers/promises'

// The real timers, captured when the test kit is loaded: see the package's timers.ts.

export const { clearTimeout, setTimeout } = timers
/** Resolves after milliseconds. */
export const delay = promises.setTimeout
/** Resolves in the next turn of the event loop. */
export const nextTurn = promises.setImmediate
