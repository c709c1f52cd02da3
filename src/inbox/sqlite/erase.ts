import type { Act } from '../../model/audit.ts'
import { eraseResult } from '../act-results.ts'
import type { RemovalTarget } from '../inbox.ts'
import { writeAudit, type auditSql } from './audit.ts'
import { lineUp, readLine, type orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import { findSeen, type pruneSql } from './prune.ts'
import { replaceKeys, type searchKeysSql } from './search-keys.ts'

export const eraseSql = {
  eraseEvent: "UPDATE event SET state = 'erased', reason = NULL, headers = NULL, body = x'' WHERE seq = ?",
  deleteOpenAttempts:
    "DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE event_seq = ? AND state <> 'done')",
  deleteOpen: "DELETE FROM delivery WHERE event_seq = ? AND state <> 'done'",
  eraseAttempts: 'UPDATE attempt SET error = NULL WHERE delivery_id IN (SELECT id FROM delivery WHERE event_seq = ?)',
  eraseDeliveries: 'UPDATE delivery SET order_key = NULL, last_error = NULL WHERE event_seq = ?'
} as const

type Sql = Prepared<typeof eraseSql & typeof pruneSql & typeof orderSql & typeof searchKeysSql & typeof auditSql>

/** Erases the personal data of events, and deletes their deliveries that are not done. @returns how many events */
export function erase(
  sql: Sql,
  { targets, act }: { readonly targets: readonly RemovalTarget[]; readonly act: Act | undefined },
  now: number
): number {
  const erased = targets.filter((target) => {
    const seq = findSeen(sql, target)
    if (seq !== undefined) eraseOne(sql, seq)
    return seq !== undefined
  }).length
  writeAudit(sql, act, eraseResult(targets.length, erased), now)
  return erased
}

function eraseOne(sql: Sql, seq: number): void {
  const lines = sql.linesOf.all(seq)
  sql.deleteOpenAttempts.run(seq)
  sql.deleteOpen.run(seq)
  sql.eraseAttempts.run(seq)
  sql.eraseDeliveries.run(seq)
  replaceKeys(sql, seq, { about: [], resource: undefined })
  sql.eraseEvent.run(seq)
  for (const row of lines) lineUp(sql, readLine(row))
}
