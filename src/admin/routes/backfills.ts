import type { BackfillBodyJson, BackfillReportJson, WatermarkListJson } from '../api-types.ts'
import { readTime } from '../event-query.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listWatermarks: ScopedRoute = {
  method: 'GET',
  path: 'backfills',
  scope: 'read',
  schema: {
    summary: 'List, for each realm, the time up to which events were fetched and purged, and a server ran',
    response: { 200: schemas.WatermarkList }
  },
  handle: async ({ riverhook }): Promise<Sent<WatermarkListJson>> => ({
    watermarks: await riverhook.inbox.watermarks()
  })
}

export const runBackfill: ScopedRoute<{ body: BackfillBodyJson }> = {
  method: 'POST',
  path: 'backfills',
  scope: 'operate',
  schema: {
    summary: 'Fetch from the provider the events that never arrived, or only count them. Answers when all are stored',
    body: schemas.BackfillBody,
    response: { 200: schemas.BackfillReport }
  },
  handle: ({ riverhook, actor }, { body: { since, until, ...others } }): Promise<Sent<BackfillReportJson>> =>
    riverhook.backfill({ ...others, since: readTime('since', since), until: readTime('until', until) }, { by: actor })
}
