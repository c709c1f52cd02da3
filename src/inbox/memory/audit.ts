import type { Act, ActResult } from '../../model/audit.ts'
import type { AuditFilter, AuditPage, AuditPruneRequest } from '../inbox.ts'
import type { Store } from './store.ts'

/** Writes the entry of an act, if there is one. */
export function writeAudit(store: Store, act: Act | undefined, result: ActResult, now: number): void {
  if (act === undefined) return
  const { actor, action, target } = act
  const { name, via, peer, requestId } = actor
  store.audits.push({
    seq: ++store.lastAuditSeq,
    at: new Date(now),
    actor: name,
    via,
    peer,
    requestId,
    action,
    target,
    ...result
  })
}

/** Lists a page of the audit log, newest first. */
export function listAudits({ audits }: Store, { limit, after = Infinity, since }: AuditFilter): AuditPage {
  const found = audits.filter(({ seq, at }) => seq < after && (since === undefined || at >= since)).toReversed()
  const entries = found.slice(0, limit)
  return { entries, next: found.length > limit ? entries.at(-1)?.seq : undefined }
}

/** Deletes old entries of the audit log. @returns how many */
export function pruneAudits({ audits }: Store, { before, limit }: AuditPruneRequest): number {
  const old = audits.filter(({ at }) => at < before).slice(0, limit)
  for (const entry of old) audits.splice(audits.indexOf(entry), 1)
  return old.length
}
