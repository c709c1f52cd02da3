import type { StatsJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const showStats: ScopedRoute = {
  method: 'GET',
  path: 'stats',
  scope: 'read',
  schema: { summary: 'Count events and deliveries by state, realm and handler', response: { 200: schemas.Stats } },
  handle: ({ riverhook }): Promise<Sent<StatsJson>> => riverhook.inbox.stats()
}
