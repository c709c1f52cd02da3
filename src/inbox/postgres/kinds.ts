import { hash } from 'node:crypto'

import type { DeliveryKind, EventKind } from '../wanted.ts'
import type { Session } from './database.ts'
import { indexed } from './storable.ts'

/*
 * The dictionary of kinds of events, so that their index has one number instead of five texts, and the kinds of
 * deliveries: one look into an index for each, so that millions of rows are not read for a few names. See list.ts for
 * the comparisons of rows.
 */

/** A kind in the dictionary. */
export interface StoredKind extends EventKind {
  readonly id: string
}

/** The fields of an event that make its kind. */
export interface KindFields {
  readonly source: string
  readonly realm: string
  readonly endpoint: string
  readonly type?: string | undefined
  readonly liveMode?: boolean | undefined
}

/**
 * The id of an event's kind: 64 bits of a digest. So it is known before the kind is stored, and two replicas that store
 * a new kind at the same time give it the same id.
 */
export function kindId({ source, realm, endpoint, type = '', liveMode }: KindFields): string {
  const fields = JSON.stringify([source, indexed(realm), type, endpoint, liveMode ?? null])
  const known = knownIds.get(fields)
  if (known !== undefined) return known
  const digest = hash('sha256', fields)
  const id = String(BigInt.asIntN(64, BigInt(`0x${digest.slice(0, 16)}`)))
  // Types come from outside: limit what is kept.
  if (fields.length > maxKnownLength) return id
  if (knownIds.size >= maxKnownIds) knownIds.clear()
  knownIds.set(fields, id)
  return id
}

/** The ids of kinds: an event takes a digest less, of a kind that came before. */
const knownIds = new Map<string, string>()
const maxKnownIds = 1_000
const maxKnownLength = 500

/**
 * Stores the kinds that are new. They are never deleted, because an event of the kind may be stored at the same time.
 * @param given a query with the columns `kind`, `source`, `realm`, `type`, `endpoint` and `live_mode`
 */
export const storeKindsSql = (given: string): string => `
  INSERT INTO riverhook.kind (id, source, realm, type, endpoint, live)
  SELECT each.* FROM (
    SELECT DISTINCT ON (kind) kind, source, realm, type, endpoint, live_mode FROM (${given}) AS given ORDER BY kind) AS each
  WHERE (SELECT true FROM riverhook.kind AS known WHERE known.id = each.kind) IS NULL
  ON CONFLICT DO NOTHING`

/**
 * The same for one kind.
 * @param value gives each of these columns as an expression
 */
export const storeKindSql = (value: (column: string) => string): string => `
  INSERT INTO riverhook.kind (id, source, realm, type, endpoint, live)
  SELECT ${['kind', 'source', 'realm', 'type', 'endpoint', 'live_mode'].map(value).join(', ')}
  WHERE (SELECT true FROM riverhook.kind AS known WHERE known.id = ${value('kind')}) IS NULL
  ON CONFLICT DO NOTHING`

/**
 * Stores which kinds of events a handler has deliveries of, if that is new. Never deleted, as the kinds.
 * @param given a query with the columns `handler` and `kind`
 */
export const storeHandledSql = (given: string): string => `
  INSERT INTO riverhook.handled (handler, kind)
  SELECT each.* FROM (SELECT DISTINCT handler, kind FROM (${given}) AS given ORDER BY handler, kind) AS each
  WHERE (SELECT true FROM riverhook.handled AS known WHERE known.handler = each.handler AND known.kind = each.kind) IS NULL
  ON CONFLICT DO NOTHING`

/** A handler, and the id of a kind of which it has deliveries. */
export interface Handled {
  readonly handler: string
  readonly kind: string
}

/** Converts pairs, each once, to query parameters: handlers and kinds. */
export function handledColumns(pairs: readonly Handled[]): readonly (readonly string[])[] {
  const each = [...new Map(pairs.map((pair) => [`${pair.kind} ${pair.handler}`, pair])).values()]
  return [each.map(({ handler }) => handler), each.map(({ kind }) => kind)]
}

/** Stores which kinds of events handlers have deliveries of. */
export async function storeHandled(session: Session, pairs: readonly Handled[]): Promise<void> {
  if (pairs.length > 0) await session.query(storeGivenSql, handledColumns(pairs))
}

const storeGivenSql = storeHandledSql('SELECT * FROM unnest($1::text[], $2::bigint[]) AS pair (handler, kind)')

/** Lists which of these kinds these handlers have deliveries of. Some may have none any more. */
export async function listHandled(
  session: Session,
  handlers: readonly string[],
  kinds: readonly string[]
): Promise<readonly Handled[]> {
  const rows = await session.query(
    'SELECT handler, kind FROM riverhook.handled WHERE handler = ANY ($1::text[]) AND kind = ANY ($2::bigint[])',
    [handlers, kinds]
  )
  return rows as unknown as readonly Handled[]
}

/** Lists the kinds of events. Some may have no event any more. */
export async function listKinds(session: Session): Promise<readonly StoredKind[]> {
  const rows = await session.query('SELECT id, source, realm, type, endpoint, live FROM riverhook.kind')
  return rows.map((row) => ({
    ...(row as unknown as StoredKind),
    live: (row['live'] ?? undefined) as boolean | undefined
  }))
}

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

/** Lists the kinds of deliveries, of one handler or of all. */
export async function listDeliveryKinds(session: Session, only: string | undefined): Promise<readonly DeliveryKind[]> {
  return (await session.query(deliveryKindsSql('$1::text'), [only ?? null])).map((row) => {
    const { handler, realm, state } = row as unknown as DeliveryKind
    return { handler, realm, state }
  })
}
