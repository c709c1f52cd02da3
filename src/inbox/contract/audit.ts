import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'

/** The audit log. Part of `Inbox`. */
export interface InboxAudit {
  /** Writes an entry about an act that is not a call of the inbox, once it is done. */
  audit(act: Act, result: ActResult): Promise<void>

  /** Lists a page of the audit log, newest first. */
  audits(filter: AuditFilter): Promise<AuditPage>

  /** Deletes the oldest entries of the audit log before a time, at most `limit`. @returns how many were deleted */
  pruneAudits(request: AuditPruneRequest): Promise<number>

  /**
   * Stores entries of another inbox's audit log, in the given order and with new numbers. Skips those that were there
   * before the call, so a copy can be repeated if equal entries are always given together.
   */
  restoreAudits(entries: readonly AuditEntry[]): Promise<void>
}

export interface AuditFilter {
  /** From 1 to 1,000. */
  readonly limit: number
  /** `next` of the previous page. */
  readonly after?: number | undefined
  /** Done at or after. */
  readonly since?: Date | undefined
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[]
  /** Undefined on the last page. */
  readonly next: number | undefined
}

export interface AuditPruneRequest {
  readonly before: Date
  readonly limit: number
}
