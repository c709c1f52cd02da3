import { RiverhookError } from '../../index.ts'
import type { RelatedEventsJson, RelatedQueryJson } from '../api-types.ts'
import { findEvent } from '../find-event.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listRelated: ScopedRoute<{ query: RelatedQueryJson }> = {
  method: 'GET',
  path: 'event/related',
  scope: 'read',
  schema: {
    summary: 'List the newest events about the same resource, such as an order, in order of arrival',
    querystring: schemas.RelatedQuery,
    response: { 200: schemas.RelatedEvents }
  },
  async handle({ riverhook }, { query: { limit = 50, ...query } }): Promise<Sent<RelatedEventsJson>> {
    const page = await riverhook.relatedEvents(await findEvent(riverhook.inbox, query), { limit })
    if (page === undefined) throw new RiverhookError('RIVERHOOK_ADMIN_NOT_FOUND', 'The event was removed meanwhile')
    return { events: await riverhook.maskList(page.events.toReversed()), more: page.next !== undefined }
  }
}
