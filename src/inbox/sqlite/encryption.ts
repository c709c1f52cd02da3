import type { Resealing } from '../inbox.ts'
import { packHeaders, readText } from '../rows.ts'
import type { Prepared } from './prepared.ts'
import { replaceKeys, type searchKeysSql } from './search-keys.ts'

export const encryptionSql = {
  encryption: 'SELECT state FROM encryption',
  saveEncryption:
    'INSERT INTO encryption (one, state) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET state = excluded.state',
  dropEncryption: 'DELETE FROM encryption WHERE true',
  /** Node 22 binds an empty body as NULL. */
  toReseal: `SELECT seq FROM event WHERE id = ? AND realm = ? AND state <> 'erased' AND body = coalesce(?, x'') AND headers IS ?`,
  resealEvent: "UPDATE event SET body = coalesce(?, x''), headers = ?, reason = ? WHERE seq = ?",
  resealErrors: 'UPDATE delivery SET last_error = ? WHERE event_seq = ? AND last_error = ?',
  resealAttempts:
    'UPDATE attempt SET error = ? WHERE delivery_id IN (SELECT id FROM delivery WHERE event_seq = ?) AND error = ?',
  resealOrderKey: 'UPDATE delivery SET order_key = ? WHERE id = ? AND event_seq = ? AND order_key = ?'
} as const

type Sql = Prepared<typeof encryptionSql & typeof searchKeysSql>

/** Returns the state of the encryption. */
export function findEncryption(sql: Sql): string | undefined {
  return readText(sql.encryption.get()?.['state'])
}

/** Replaces the state of the encryption. @returns false if it is not the expected one */
export function saveEncryption(
  sql: Sql,
  { expected, state }: { readonly expected: string | undefined; readonly state: string | undefined }
): boolean {
  if (findEncryption(sql) !== expected) return false
  if (state === undefined) sql.dropEncryption.run()
  else sql.saveEncryption.run(state)
  return true
}

/** Replaces the stored forms of events. @returns how many were changed */
export function reseal(sql: Sql, changes: readonly Resealing[]): number {
  return changes.filter((change) => {
    const { event, from } = change
    const row = sql.toReseal.get(event.id, event.realm, from.body, packHeaders(from.headers))
    if (row === undefined) return false
    resealOne(sql, Number(row['seq']), change)
    return true
  }).length
}

function resealOne(sql: Sql, seq: number, change: Resealing): void {
  const { body, headers, reason, about, resource, errors, orderKeys } = change
  sql.resealEvent.run(body, packHeaders(headers), reason ?? null, seq)
  replaceKeys(sql, seq, { about, resource })
  for (const [from, to] of errors) {
    sql.resealErrors.run(to, seq, from)
    sql.resealAttempts.run(to, seq, from)
  }
  for (const { delivery, from, to } of orderKeys) sql.resealOrderKey.run(to, delivery, seq, from)
}
