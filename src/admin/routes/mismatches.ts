import type { ChangedJson, MismatchKindJson, MismatchListJson } from '../api-types.ts'
import type { AdminContext, ScopedRoute } from '../route.ts'
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

export const acknowledgeMismatch: ScopedRoute<{ body: MismatchKindJson }> = {
  method: 'PUT',
  path: 'mismatches/acknowledged',
  scope: 'operate',
  schema: {
    summary: 'Acknowledge a kind of mismatch: it is counted, and is no cause for a warning any more',
    body: schemas.MismatchKind,
    response: { 200: schemas.Changed }
  },
  handle: (context, { body }) => mark(context, body, false)
}

export const reopenMismatch: ScopedRoute<{ query: MismatchKindJson }> = {
  method: 'DELETE',
  path: 'mismatches/acknowledged',
  scope: 'operate',
  schema: {
    summary: 'Take back that a kind of mismatch is acknowledged',
    querystring: schemas.MismatchKind,
    response: { 200: schemas.Changed }
  },
  handle: (context, { query }) => mark(context, query, true)
}

async function mark({ riverhook, actor }: AdminContext, kind: MismatchKindJson, reopen: boolean): Promise<ChangedJson> {
  return { changed: (await riverhook.acknowledgeMismatches([kind], { reopen, by: actor })) > 0 }
}
