import { recordReveal } from '../../programs.ts'
import type { OneEventQueryJson } from '../api-types.ts'
import { findEvent } from '../find-event.ts'
import { AdminAnswer, type ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'

const media = 'application/octet-stream'

export const getBody: ScopedRoute<{ query: OneEventQueryJson }> = {
  method: 'GET',
  path: 'event/body',
  scope: 'reveal',
  schema: {
    summary: 'Get the body of an event, byte for byte as it arrived. Recorded in the audit log',
    querystring: schemas.OneEventQuery,
    media,
    response: {}
  },
  async handle({ riverhook, actor }, { query }) {
    const event = await findEvent(riverhook.inbox, query)
    await recordReveal(riverhook.inbox, actor, [event])
    return new AdminAnswer({
      headers: {
        // Keep a browser from showing it: the sender chose the bytes.
        'content-type': media,
        'content-disposition': 'attachment; filename="event.bin"',
        'content-security-policy': "default-src 'none'; sandbox"
      },
      body: Buffer.from(event.body)
    })
  }
}
