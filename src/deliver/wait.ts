import { setImmediate } from '../model/timers.ts'

/** Resolves when the pending events of the event loop are handled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
