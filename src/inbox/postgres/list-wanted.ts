import type { EventFilter } from '../inbox.ts'
import { hasDelivery, hasKind, hasTime, isOfDeliveryKind, isOfKind, type DeliveryKind, type Wanted } from '../wanted.ts'
import type { Session } from './database.ts'
import { listDeliveryKinds, listHandled, listKinds, type StoredKind } from './kinds.ts'
import { findBlocks } from './list-time.ts'
import { indexed } from './storable.ts'

/** Finds what the inbox has of what a filter wants. Without a filter for a thing, it is undefined. */
export async function findWanted(session: Session, given: EventFilter): Promise<Wanted<StoredKind>> {
  const filter = given.realm === undefined ? given : { ...given, realm: indexed(given.realm) }
  const kinds = hasKind(filter) ? (await listKinds(session)).filter((kind) => isOfKind(filter, kind)) : undefined
  const deliveryKinds = hasDelivery(filter)
    ? (await listDeliveryKinds(session, filter.handler)).filter((kind) => isOfDeliveryKind(filter, kind))
    : undefined
  return {
    ...(kinds && { kinds }),
    ...(deliveryKinds && { deliveryKinds }),
    ...(kinds && deliveryKinds && (await match(session, kinds, deliveryKinds))),
    ...(hasTime(filter) && { blocks: await findBlocks(session, filter) })
  }
}

/** Leaves out kinds of events without such deliveries, and kinds of deliveries without such events. */
async function match(
  session: Session,
  kinds: readonly StoredKind[],
  deliveryKinds: readonly DeliveryKind[]
): Promise<Wanted<StoredKind>> {
  const handlers = [...new Set(deliveryKinds.map(({ handler }) => handler))]
  const realms = new Map(kinds.map(({ id, realm }) => [id, realm]))
  const handled = await listHandled(session, handlers, [...realms.keys()])
  const ids = new Set(handled.map(({ kind }) => kind))
  const places = Map.groupBy(handled, ({ handler }) => handler)
  return {
    kinds: kinds.filter(({ id }) => ids.has(id)),
    deliveryKinds: deliveryKinds.filter(({ handler, realm }) =>
      places.get(handler)?.some(({ kind }) => realms.get(kind) === realm)
    )
  }
}
