import type { AuditPageJson, AuditQueryJson } from '../api-types.ts'
import { readCursor, readTime, writeCursor } from '../event-query.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listAudits: ScopedRoute<{ query: AuditQueryJson }> = {
  method: 'GET',
  path: 'audit',
  scope: 'read',
  schema: {
    summary: 'List a page of the audit log: who did what, newest first',
    querystring: schemas.AuditQuery,
    response: { 200: schemas.AuditPage }
  },
  async handle({ riverhook }, { query }): Promise<Sent<AuditPageJson>> {
    const { limit = 50, after, since } = query
    const { entries, next } = await riverhook.inbox.audits({
      limit,
      after: readCursor(after, query),
      since: readTime('since', since)
    })
    return { entries, next: writeCursor(next, query) }
  }
}
