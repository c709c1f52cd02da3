import { packageVersion } from '../../programs.ts'
import type { InboxJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const showInbox: ScopedRoute = {
  method: 'GET',
  path: 'inbox',
  scope: 'read',
  schema: { summary: 'Show the store: its engine, its oldest event, its servers', response: { 200: schemas.Inbox } },
  async handle({ riverhook: { inbox } }): Promise<Sent<InboxJson>> {
    const { events } = await inbox.events({ limit: 1, oldestFirst: true })
    return {
      engine: inbox.name,
      version: packageVersion(),
      now: await inbox.now(),
      oldestEventAt: events[0]?.receivedAt,
      servers: await inbox.servers?.()
    }
  }
}
