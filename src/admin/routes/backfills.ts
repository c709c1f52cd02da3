import type { WatermarkListJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listWatermarks: ScopedRoute = {
  method: 'GET',
  path: 'backfills',
  scope: 'read',
  schema: {
    summary: 'List up to which time the events of each realm were fetched, purged, and served by a server',
    response: { 200: schemas.WatermarkList }
  },
  handle: async ({ riverhook }): Promise<Sent<WatermarkListJson>> => ({
    watermarks: await riverhook.inbox.watermarks()
  })
}
