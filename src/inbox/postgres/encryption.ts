import type { Resealing } from '../inbox.ts'
import { packHeaders, readText } from '../rows.ts'
import type { Database, Session, Transaction } from './database.ts'
import { deleteKeysSql, insertKeysSql } from './reindex.ts'
import { indexed } from './storable.ts'

/** Returns the state of the encryption. */
export async function findEncryption(session: Database | Session): Promise<string | undefined> {
  const [row] = await session.query('SELECT state FROM riverhook.encryption')
  return readText(row?.['state'])
}

/** Replaces the state of the encryption. @returns false if it is not the expected one */
export async function saveEncryption(
  database: Database,
  expected: string | undefined,
  state: string | undefined
): Promise<boolean> {
  const rows =
    expected === undefined
      ? state === undefined
        ? []
        : await database.query(insertSql, [state])
      : state === undefined
        ? await database.query('DELETE FROM riverhook.encryption WHERE state = $1 RETURNING one', [expected])
        : await database.query('UPDATE riverhook.encryption SET state = $2 WHERE state = $1 RETURNING one', [
            expected,
            state
          ])
  return rows.length > 0
}

const insertSql =
  'INSERT INTO riverhook.encryption (one, state) VALUES (true, $1) ON CONFLICT (one) DO NOTHING RETURNING one'

/** Replaces the stored forms of events. @returns how many were changed */
export function reseal(database: Database, changes: readonly Resealing[]): Promise<number> {
  return database.transaction(async (tx) => {
    let changed = 0
    for (const change of changes) if (await resealOne(tx, change)) changed += 1
    return changed
  })
}

async function resealOne(tx: Transaction, change: Resealing): Promise<boolean> {
  const { event, from, body, headers, reason, about, resource, errors, orderKeys } = change
  const [row] = await tx.query(eventSql, [
    ...[indexed(event.id), indexed(event.realm), from.body, packHeaders(from.headers)],
    ...[body, packHeaders(headers), reason ?? null, resource ?? null]
  ])
  if (row === undefined) return false
  const seq = row['seq']
  await tx.query(deleteKeysSql, [[seq]])
  if (about.length > 0) await tx.query(insertKeysSql, [about.map(() => seq), about])
  for (const [before, after] of errors) {
    await tx.query('UPDATE riverhook.delivery SET last_error = $3 WHERE event_seq = $1 AND last_error = $2', [
      seq,
      before,
      after
    ])
    await tx.query(attemptsSql, [seq, before, after])
  }
  for (const { delivery, from: before, to } of orderKeys)
    await tx.query('UPDATE riverhook.delivery SET order_key = $4 WHERE id = $2 AND event_seq = $1 AND order_key = $3', [
      seq,
      delivery,
      before,
      indexed(to)
    ])
  return true
}

const eventSql = `
UPDATE riverhook.event SET body = $5, headers = $6, reason = $7, resource = $8
WHERE id = $1 AND realm = $2 AND state <> 'erased' AND body = $3 AND headers IS NOT DISTINCT FROM $4::text RETURNING seq`

const attemptsSql = `
UPDATE riverhook.attempt SET error = $3
WHERE delivery_id IN (SELECT id FROM riverhook.delivery WHERE event_seq = $1) AND error = $2`
