import type { SeriesJson, SeriesQueryJson } from '../api-types.ts'
import { readTime } from '../event-query.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const showSeries: ScopedRoute<{ query: SeriesQueryJson }> = {
  method: 'GET',
  path: 'series',
  scope: 'read',
  schema: {
    summary: 'Count by minute or hour what was received, attempted and refused, for charts',
    querystring: schemas.SeriesQuery,
    response: { 200: schemas.Series }
  },
  async handle({ riverhook: { inbox } }, { query }): Promise<Sent<SeriesJson>> {
    const { step = 'hour', kind, name } = query
    const since = readTime('since', query.since)
    const until = readTime('until', query.until) ?? (await inbox.now())
    return { since, until, step, rows: await inbox.tally({ since, until, step, kind, name }) }
  }
}
