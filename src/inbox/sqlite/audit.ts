import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import type { AuditFilter, AuditPage, AuditPruneRequest } from '../inbox.ts'
import { readAudit } from '../rows.ts'
import { givenLimit, type Prepared } from './prepared.ts'

export const auditSql = {
  writeAudit: `
    INSERT INTO audit (at, actor, via, peer, request_id, action, target, count, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  hasAudit: `
    SELECT 1 FROM audit WHERE at = ? AND actor = ? AND via = ? AND peer IS ? AND request_id IS ? AND action = ? AND target = ? AND count = ? AND outcome = ?`,
  audits: `SELECT * FROM audit WHERE seq < ? AND at >= ? ORDER BY seq DESC ${givenLimit}`,
  pruneAudits: `DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < ? ORDER BY at ${givenLimit})`
} as const

type Sql = Prepared<typeof auditSql>

/** Writes the entry of an act, if there is one. */
export function writeAudit(sql: Sql, act: Act | undefined, { count, outcome }: ActResult, now: number): void {
  if (act === undefined) return
  const { actor, action, target } = act
  const { name, via, peer = null, requestId = null } = actor
  sql.writeAudit.run(now, name, via, peer, requestId, action, target, count, outcome)
}

/** Writes the entry of an act that is not a call of the inbox. */
export function audit(
  sql: Sql,
  { act, result }: { readonly act: Act; readonly result: ActResult },
  now: number
): undefined {
  writeAudit(sql, act, result, now)
}

/** Lists a page of the audit log, newest first. */
export function listAudits(sql: Sql, { limit, after = Number.MAX_SAFE_INTEGER, since }: AuditFilter): AuditPage {
  const rows = sql.audits.all(after, since?.getTime() ?? Number.MIN_SAFE_INTEGER, limit + 1)
  const entries = rows.slice(0, limit).map(readAudit)
  return { entries, next: rows.length > limit ? entries.at(-1)?.seq : undefined }
}

/** Deletes old entries of the audit log. @returns how many */
export function pruneAudits(sql: Sql, { before, limit }: AuditPruneRequest): number {
  return Number(sql.pruneAudits.run(before.getTime(), limit).changes)
}

/** Stores entries of another inbox, except those that are here already. */
export function restoreAudits(sql: Sql, entries: readonly AuditEntry[]): undefined {
  const rows = entries.map(
    ({ at, actor, via, peer = null, requestId = null, action, target, count, outcome }) =>
      [at.getTime(), actor, via, peer, requestId, action, target, count, outcome] as const
  )
  for (const row of rows.filter((each) => sql.hasAudit.get(...each) === undefined)) sql.writeAudit.run(...row)
}
