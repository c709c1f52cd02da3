import { loggedError } from '../model/error-text.ts'
import type { AnyEvent } from '../model/event.ts'
import type { SourceHandlers } from './registry.ts'
import type { NewDelivery } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { eventKeys } from '../model/visible.ts'

/**
 * One delivery for each handler that wants the event, with its order key. A handler's `orderBy` that fails must not
 * cost the event: its delivery goes without an order, and the fault is logged.
 *
 * Once its handler is removed, a delivery is parked until a handler of that name is back: see `Inbox.adopt()`.
 */
export function deliveriesFor(
  realm: string,
  event: AnyEvent,
  handlers: Pick<SourceHandlers, 'for'>,
  log: Pick<Log, 'error'>
): NewDelivery[] {
  return handlers.for(event.type).map(({ name, orderBy }) => {
    if (orderBy === undefined) return { handler: name }
    try {
      return { handler: name, orderKey: orderBy(event) }
    } catch (error) {
      const keys = { ...eventKeys(realm, event), handler: name }
      log.error({ ...keys, err: loggedError(error) }, 'orderBy failed: this delivery goes without an order')
      return { handler: name }
    }
  })
}
