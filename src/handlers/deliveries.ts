import { loggedError } from '../model/error-text.ts'
import type { AnyEvent } from '../model/event.ts'
import { hideValuesOf } from '../model/hidden-values.ts'
import type { SourceHandlers } from './registry.ts'
import type { NewDelivery } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { eventKeys } from '../model/visible.ts'

/**
 * Makes one delivery for each handler of the event, with its order key. If a handler's `orderBy` fails, the error is
 * logged and the delivery has no order key: the event must not be lost.
 *
 * If its handler is removed later, a delivery is parked until a handler of that name is back: see `Inbox.adopt()`.
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
      log.error(
        { ...keys, err: loggedError(error, hideValuesOf(event)) },
        'orderBy failed; this delivery has no order key'
      )
      return { handler: name }
    }
  })
}
