import type { EventKey } from '../src/model/event.ts'
import type { HandlerName } from '../src/inbox/inbox.ts'

/** The realm and the source of the events in tests that are not about realms: those of an endpoint without settings. */
export const realm = 'digital-river'
export const source = 'digital-river'

/** Names an event of that realm. */
export function keyOf(id: string): EventKey {
  return { realm, id }
}

/** Names events of that realm. */
export function keysOf(...ids: readonly string[]): EventKey[] {
  return ids.map(keyOf)
}

/** Names handlers of that source. */
export function named(...names: readonly string[]): HandlerName[] {
  return names.map((name) => ({ name, source }))
}
