import { setImmediate } from '../model/timers.ts'

/** Resolves in the next turn of the event loop, after its pending events. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
