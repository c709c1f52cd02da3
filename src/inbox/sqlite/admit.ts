import type { Act } from '../../model/audit.ts'
import { admitResult } from '../act-results.ts'
import type { Admission, AdmitResult, RecordResult } from '../inbox.ts'
import { packHeaders } from '../rows.ts'
import { eventOutcome } from '../tally.ts'
import { writeAudit, type auditSql } from './audit.ts'
import type { listIndexSql } from './list-index.ts'
import type { orderSql } from './order.ts'
import type { Prepared } from './prepared.ts'
import { packFlag } from './protocol.ts'
import type { pruneSql } from './prune.ts'
import type { recordSql } from './record.ts'
import { createDelivery } from './replay.ts'
import { replaceKeys, type searchKeysSql } from './search-keys.ts'
import type { Counting } from './tally.ts'

export const admitSql = {
  quarantined: "SELECT seq, body, backfilled FROM event WHERE id = ? AND realm = ? AND state = 'quarantined'",
  admit:
    "UPDATE event SET id = ?, state = 'accepted', type = ?, live_mode = ?, created_time = ?, reason = NULL WHERE seq = ?",
  admitAs: 'UPDATE event SET body = ?, headers = ? WHERE seq = ?'
} as const

type Sql = Prepared<
  typeof admitSql & typeof orderSql & typeof pruneSql & typeof recordSql & typeof searchKeysSql & typeof listIndexSql
> &
  Counting

/** Accepts quarantined requests: each row becomes the event. */
export function admit(
  sql: Sql & Prepared<typeof auditSql>,
  { requests, act }: { readonly requests: readonly Admission[]; readonly act: Act | undefined },
  now: number
): AdmitResult[] {
  const results = requests.map((request) => admitOne(sql, request, now))
  writeAudit(sql, act, admitResult(results), now)
  return results
}

function admitOne(
  sql: Sql,
  { request, id, type, liveMode, createdTime, about = [], resource, deliveries, ...given }: Admission,
  now: number
): AdmitResult {
  const { realm } = request
  const row = sql.quarantined.get(request.id, realm)
  if (row === undefined) return 'unknown_request'
  const { seq, body: stored, backfilled } = row as { seq: number; body: Uint8Array; backfilled: number }
  const { body = stored, headers } = given
  const count = (result: RecordResult): void => {
    sql.counts.addEvent(type, eventOutcome(result, 'accepted', backfilled === 1), now)
  }
  if (sql.isKnown.get(id, realm) !== undefined) {
    const isConflict = sql.countDuplicate.get(backfilled, body, id, realm, backfilled, body)?.['conflict'] === 1
    count(isConflict ? 'conflict' : 'duplicate')
    if (isConflict) return 'conflict'
    sql.deleteEvent.run(seq)
    return 'duplicate'
  }
  sql.admit.run(id, type, packFlag(liveMode), createdTime ?? null, seq)
  if (headers !== undefined) sql.admitAs.run(body, packHeaders(headers), seq)
  replaceKeys(sql, seq, { about, resource })
  for (const delivery of deliveries) createDelivery(sql, seq, realm, delivery, now)
  count('accepted')
  return 'accepted'
}
