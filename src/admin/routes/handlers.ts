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
    summary: 'List the handlers, which of them are paused, and how many deliveries each has in each state',
    response: { 200: schemas.HandlerList }
  },
  handle: async ({ riverhook }): Promise<Sent<HandlerListJson>> => ({
    handlers: await listHandlers(riverhook.inbox)
  })
}
