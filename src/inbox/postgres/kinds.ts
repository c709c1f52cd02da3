import type { DeliveryKind, EventKind } from '../wanted.ts'
import type { Session } from './database.ts'

/*
 * Looks once into an index for each kind, so that millions of rows are not read for a few names. See list.ts for the
 * comparisons of rows.
 */

const firstKind = 'ORDER BY event.source, event.realm, event.type LIMIT 1'

/** The source, realm and type of events. */
export const kindsSql = `
WITH RECURSIVE kind AS (
  (SELECT event.source, event.realm, event.type FROM riverhook.event AS event ${firstKind})
  UNION ALL
  SELECT next.* FROM kind CROSS JOIN LATERAL (
    SELECT event.source, event.realm, event.type FROM riverhook.event AS event
    WHERE (event.source, event.realm, event.type) > (kind.source, kind.realm, kind.type) ${firstKind}) AS next)
SELECT source, realm, type FROM kind`

/** The condition of the index `delivery_kind`. */
export const isListed = (alias: string): string => `${alias}.event_seq > 0`

const nextDeliveryKind = (handler: string, realm: string, state: string): string => `
  SELECT d.handler, d.realm, d.state FROM riverhook.delivery AS d
  WHERE ${isListed('d')} AND (d.handler, d.realm, d.state) > (${handler}, ${realm}, ${state})
  ORDER BY d.handler, d.realm, d.state LIMIT 1`

/** The handler, realm and state of deliveries. @param handler an expression: one handler, or NULL for all */
export const deliveryKindsSql = (handler: string): string => `
WITH RECURSIVE kind AS (
  (${nextDeliveryKind(`coalesce(${handler}, '')`, "''", "''")})
  UNION ALL
  SELECT next.* FROM kind CROSS JOIN LATERAL (${nextDeliveryKind('kind.handler', 'kind.realm', 'kind.state')}) AS next
  WHERE kind.handler = coalesce(${handler}, kind.handler))
SELECT handler, realm, state FROM kind WHERE handler = coalesce(${handler}, handler)`

/** Lists the kinds of events. */
export async function listKinds(session: Session): Promise<readonly EventKind[]> {
  return (await session.query(kindsSql)).map((row) => {
    const { source, realm, type } = row as unknown as EventKind
    return { source, realm, type }
  })
}

/** Lists the kinds of deliveries, of one handler or of all. */
export async function listDeliveryKinds(session: Session, only: string | undefined): Promise<readonly DeliveryKind[]> {
  return (await session.query(deliveryKindsSql('$1::text'), [only ?? null])).map((row) => {
    const { handler, realm, state } = row as unknown as DeliveryKind
    return { handler, realm, state }
  })
}
