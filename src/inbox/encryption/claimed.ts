import { RiverhookError } from '../../model/errors.ts'
import type { ClaimedDelivery, StoredEvent } from '../inbox.ts'
import { openBody, openHeaders, openOrderKey } from './fields.ts'
import type { Keys } from './state.ts'

/** Decrypts a claimed delivery. One whose event cannot be decrypted is marked, so that its handler does not run. */
export function openClaimed(keys: Keys, delivery: ClaimedDelivery): ClaimedDelivery {
  if (keys.index === undefined) return delivery
  const { handler, orderKey, event } = delivery
  return {
    ...delivery,
    orderKey: orderKey && openOrderKey(keys, { handler, realm: event.realm, orderKey }),
    event: openEvent(keys, event)
  }
}

function openEvent(keys: Keys, event: StoredEvent): StoredEvent {
  try {
    return { ...event, body: openBody(keys, event, event.body), headers: openHeaders(keys, event, event.headers) }
  } catch (error) {
    if (!(error instanceof RiverhookError)) throw error
    return { ...event, body: new Uint8Array(), headers: {}, unreadable: error }
  }
}
