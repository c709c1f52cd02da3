import type { FailureListJson, FailureQueryJson } from '../api-types.ts'
import { readTime } from '../event-query.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listFailures: ScopedRoute<{ query: FailureQueryJson }> = {
  method: 'GET',
  path: 'failures',
  scope: 'read',
  schema: {
    summary: 'Group the deliveries that failed by handler and error, with the filter that replays each group',
    querystring: schemas.FailureQuery,
    response: { 200: schemas.FailureList }
  },
  async handle({ riverhook }, { query: { since, ...query } }): Promise<Sent<FailureListJson>> {
    const found = await riverhook.failures({ ...query, since: readTime('since', since) })
    if (found.failures.length === 0) await riverhook.checkFilter({ handler: query.handler })
    return found
  }
}
