import { findStats } from '../../programs.ts'
import type { StatsJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const showStats: ScopedRoute = {
  method: 'GET',
  path: 'stats',
  scope: 'read',
  schema: {
    summary: 'Count events and deliveries, and show what fails, what waits for a retry, and why requests were refused',
    response: { 200: schemas.Stats }
  },
  handle: ({ riverhook }): Promise<Sent<StatsJson>> => findStats(riverhook.inbox)
}
