import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import type { AuditFilter, AuditPage, AuditPruneRequest } from '../inbox.ts'
import { readAudit } from '../rows.ts'
import type { Session } from './database.ts'

/** Writes the entry of an act, if there is one. */
export async function writeAudit(
  session: Session,
  act: Act | undefined,
  { count, outcome }: ActResult,
  fixed: Date | undefined
): Promise<void> {
  if (act === undefined) return
  const { actor, action, target } = act
  const { name, via, peer, requestId } = actor
  await session.query(writeSql, [
    fixed ?? null,
    name,
    via,
    peer ?? null,
    requestId ?? null,
    action,
    target,
    count,
    outcome
  ])
}

const writeSql = `
INSERT INTO riverhook.audit (at, actor, via, peer, request_id, action, target, count, outcome)
VALUES (coalesce($1::timestamptz, statement_timestamp()), $2, $3, $4, $5, $6, $7, $8, $9)`

/** Lists a page of the audit log, newest first. */
export async function listAudits(session: Session, { limit, after, since }: AuditFilter): Promise<AuditPage> {
  const rows = await session.query(listSql, [after ?? Number.MAX_SAFE_INTEGER, since ?? '-infinity', limit + 1])
  const entries = rows.slice(0, limit).map(readAudit)
  return { entries, next: rows.length > limit ? entries.at(-1)?.seq : undefined }
}

const listSql = 'SELECT * FROM riverhook.audit WHERE seq < $1 AND at >= $2 ORDER BY seq DESC LIMIT $3'

/** Deletes old entries of the audit log. @returns how many */
export async function pruneAudits(session: Session, { before, limit }: AuditPruneRequest): Promise<number> {
  return (await session.query(pruneSql, [before, limit])).length
}

// SKIP LOCKED: another replica may be deleting the same entries.
const pruneSql = `
DELETE FROM riverhook.audit WHERE seq IN
  (SELECT seq FROM riverhook.audit WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING seq`

/** Stores entries of another inbox, except those that are here already. */
export async function restoreAudits(session: Session, entries: readonly AuditEntry[]): Promise<void> {
  await session.query(restoreSql, [
    entries.map(({ at }) => at),
    entries.map(({ actor }) => actor),
    entries.map(({ via }) => via),
    entries.map(({ peer }) => peer ?? null),
    entries.map(({ requestId }) => requestId ?? null),
    entries.map(({ action }) => action),
    entries.map(({ target }) => target),
    entries.map(({ count }) => count),
    entries.map(({ outcome }) => outcome)
  ])
}

const columns = 'at, actor, via, peer, request_id, action, target, count, outcome'

const restoreSql = `
INSERT INTO riverhook.audit (${columns})
SELECT ${columns}
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::text[])
  WITH ORDINALITY AS given (${columns}, number)
WHERE NOT EXISTS (
  SELECT 1 FROM riverhook.audit AS known
  WHERE (known.at, known.actor, known.via, known.action, known.target, known.count, known.outcome)
      = (given.at, given.actor, given.via, given.action, given.target, given.count, given.outcome)
    AND known.peer IS NOT DISTINCT FROM given.peer AND known.request_id IS NOT DISTINCT FROM given.request_id)
ORDER BY number`
