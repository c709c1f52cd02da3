import type { Pause } from '../inbox.ts'
import type { Store } from './store.ts'

/** Pauses a handler. @returns false if it is paused already */
export function pause({ pauses }: Store, handler: string, now: number): boolean {
  if (pauses.has(handler)) return false
  pauses.set(handler, { handler, since: new Date(now) })
  return true
}

/** Ends the pause of a handler. @returns false if it was not paused */
export function resume({ pauses }: Store, handler: string): boolean {
  return pauses.delete(handler)
}

/** Lists the paused handlers by name. */
export function listPauses({ pauses }: Store): readonly Pause[] {
  return [...pauses.values()].sort((one, other) => (one.handler < other.handler ? -1 : 1))
}
