import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
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

/** Stores entries of another inbox, except those that are here already. */
export function restoreAudits(store: Store, entries: readonly AuditEntry[]): void {
  const known = new Set(store.audits.map(entryText))
  for (const entry of entries.filter((each) => !known.has(entryText(each))))
    store.audits.push({ ...entry, seq: ++store.lastAuditSeq })
}

function entryText({ seq: _, ...entry }: AuditEntry): string {
  return JSON.stringify([
    entry.at,
    entry.actor,
    entry.via,
    entry.peer,
    entry.requestId,
    entry.action,
    entry.target,
    entry.count,
    entry.outcome
  ])
}
