import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'
import { admitResult } from '../act-results.ts'
import type { Admission, AdmitResult } from '../inbox.ts'
import { packHeaders } from '../rows.ts'
import { writeAudit } from './audit.ts'
import type { Database, Transaction } from './database.ts'
import { kindId, storeHandled, storeKindsSql } from './kinds.ts'
import { newKeys, lineUp, lockKeys } from './order.ts'
import { inParts } from './parts.ts'
import { countedNames, type RecordTerms } from './record.ts'
import { insertKeysSql } from './reindex.ts'
import { indexed, wholeIfShortened } from './storable.ts'
import { countEventsSql } from './tally.ts'

/** Accepts quarantined requests in one transaction: each row becomes the event. Errors are handled as in `inParts`. */
export function admit(
  database: Database,
  requests: readonly Admission[],
  act: Act | undefined,
  terms: RecordTerms
): Promise<readonly (AdmitResult | RiverhookError)[]> {
  return inParts(requests, (part) => admitAll(database, part, act, terms))
}

function admitAll(
  database: Database,
  requests: readonly Admission[],
  act: Act | undefined,
  terms: RecordTerms
): Promise<readonly AdmitResult[]> {
  const keys = requests.flatMap(({ request, deliveries }) => newKeys(request.realm, deliveries))
  return database.transaction(
    async (tx) => {
      const results: AdmitResult[] = []
      for (const request of requests) results.push(await admitOne(tx, request, terms))
      await lineUp(tx, keys)
      await writeAudit(tx, act, admitResult(results), terms.now)
      return results
    },
    { begin: lockKeys(keys) }
  )
}

async function admitOne(
  tx: Transaction,
  { request, id, type, liveMode, createdTime, about = [], resource, deliveries, body, headers }: Admission,
  { now, names }: RecordTerms
): Promise<AdmitResult> {
  const [row] = await tx.query(
    "SELECT seq, source, endpoint, backfilled FROM riverhook.event WHERE id = $1 AND realm = $2 AND state = 'quarantined' FOR UPDATE",
    [indexed(request.id), indexed(request.realm)]
  )
  if (row === undefined) return 'unknown_request'
  const seq = row['seq']
  const count = (conflict: unknown): Promise<unknown> =>
    tx.query(countAdmittedSql, [countedNames(names, [{ type }], now)[0], row['backfilled'], conflict, now ?? null])
  const [known] = await tx.query(knownSql, [indexed(id), seq, body ?? null])
  if (known !== undefined) {
    await tx.query(countSql, [known['seq'], known['conflict']])
    await count(known['conflict'])
    if (known['conflict'] === true) return 'conflict'
    await tx.query('DELETE FROM riverhook.repeat WHERE event_seq = $1', [seq])
    await tx.query('DELETE FROM riverhook.event WHERE seq = $1', [seq])
    return 'duplicate'
  }
  const kind = kindId({
    source: String(row['source']),
    realm: request.realm,
    endpoint: String(row['endpoint']),
    type,
    liveMode
  })
  await tx.query(admitSql, [seq, indexed(id), wholeIfShortened(id), type, liveMode, createdTime, resource, kind])
  if (body !== undefined && headers !== undefined)
    await tx.query('UPDATE riverhook.event SET body = $2, headers = $3 WHERE seq = $1', [
      seq,
      body,
      packHeaders(headers)
    ])
  await tx.query(storeKindSql, [seq])
  if (about.length > 0) await tx.query(insertKeysSql, [about.map(() => seq), about])
  await tx.query(deliveriesSql, [
    seq,
    deliveries.map(({ handler }) => handler),
    deliveries.map(({ orderKey }) => (orderKey === undefined ? null : indexed(orderKey))),
    now ?? null
  ])
  await storeHandled(
    tx,
    deliveries.map(({ handler }) => ({ handler, kind }))
  )
  await count(null)
  return 'accepted'
}

// The body of a backfilled event is not compared: the API serialises the event again, so the bytes differ.
// FOR KEY SHARE prevents the known event from being purged meanwhile.
const knownSql = `
SELECT known.seq, NOT known.backfilled AND NOT request.backfilled AND known.state <> 'erased' AND known.body <> coalesce($3::bytea, request.body) AS conflict
FROM riverhook.event AS known JOIN riverhook.event AS request ON request.seq = $2 AND request.realm = known.realm WHERE known.id = $1 FOR KEY SHARE OF known`

const countSql = `
INSERT INTO riverhook.repeat AS repeat (event_seq, duplicates, conflicts) VALUES ($1, 1, $2::boolean::integer)
ON CONFLICT (event_seq) DO UPDATE SET duplicates = repeat.duplicates + 1, conflicts = repeat.conflicts + excluded.conflicts`

const countAdmittedSql = countEventsSql(
  "SELECT $1::text AS name, 'accepted' AS state, $2::boolean AS backfilled, $3::boolean AS conflict",
  '$4'
)

const admitSql = `
UPDATE riverhook.event SET id = $2, whole_id = $3, state = 'accepted', type = $4, live_mode = $5, created_time = $6, resource = $7, kind = $8, reason = NULL WHERE seq = $1`

const storeKindSql = storeKindsSql('SELECT * FROM riverhook.event WHERE seq = $1')

// Deliveries with an order key start as `waiting`. `lineUp` then promotes the first one of each key.
const deliveriesSql = `
INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at, order_key)
SELECT event.seq, event.realm, given.handler, CASE WHEN given.order_key IS NULL THEN 'pending' ELSE 'waiting' END, coalesce($4::timestamptz, statement_timestamp()), given.order_key
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (handler, order_key, position)
JOIN riverhook.event AS event ON event.seq = $1 ORDER BY given.position`
