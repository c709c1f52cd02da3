import type { MismatchListJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listMismatches: ScopedRoute = {
  method: 'GET',
  path: 'mismatches',
  scope: 'read',
  schema: {
    summary: 'List where payloads differ from their schemas, the latest first, without values',
    response: { 200: schemas.MismatchList }
  },
  handle: async ({ riverhook }): Promise<Sent<MismatchListJson>> => ({ mismatches: await riverhook.inbox.drifts() })
}
