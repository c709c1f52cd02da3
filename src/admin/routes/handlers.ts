import { listHandlers } from '../../programs.ts'
import type { HandlerListJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const showHandlers: ScopedRoute = {
  method: 'GET',
  path: 'handlers',
  scope: 'read',
  schema: {
    summary: 'List the handlers: which are paused, what is left for each to do, and how long its attempts take',
    response: { 200: schemas.HandlerList }
  },
  handle: async ({ riverhook }): Promise<Sent<HandlerListJson>> => ({
    handlers: await listHandlers(riverhook.inbox)
  })
}
