import type { EventKey } from '../src/model/event.ts'
import type { HandlerName } from '../src/inbox/inbox.ts'

/** The realm and the source of the events in tests that are not about realms: those of an endpoint without settings. */
export const realm = 'digital-river'
export const source = 'digital-river'

/** The key of an event in that realm. */
export function keyOf(id: string): EventKey {
  return { realm, id }
}

/** The keys of events in that realm. */
export function keysOf(...ids: readonly string[]): EventKey[] {
  return ids.map(keyOf)
}

/** The records of handlers of that source. */
export function named(...names: readonly string[]): HandlerName[] {
  return names.map((name) => ({ name, source }))
}
