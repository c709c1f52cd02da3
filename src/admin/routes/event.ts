import { createHash } from 'node:crypto'

import type { EventDetail } from '../../index.ts'
import type { EventDetailJson, EventDetailQueryJson, PreviousEventJson } from '../api-types.ts'
import { stringifyAs } from '../compile-schema.ts'
import { findEvent } from '../find-event.ts'
import { Payloads } from '../payload.ts'
import { recordReveal } from '../reveal.ts'
import { AdminAnswer, type ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

const stringify = stringifyAs('EventDetail')

export const showEvent: ScopedRoute<{ query: EventDetailQueryJson }> = {
  method: 'GET',
  path: 'event',
  scope: 'read',
  schema: {
    summary:
      'Show an event with its deliveries and attempts; its payload only with the scope `reveal`. Has an ETag: 304 if nothing changed',
    querystring: schemas.EventDetailQuery,
    response: { 200: schemas.EventDetail }
  },
  async handle({ riverhook, actor, scopes }, { query, headers }) {
    const event = await findEvent(riverhook.inbox, query)
    const previous = query.compare === undefined ? undefined : await riverhook.previousEvent(event)
    const payloads = new Payloads(scopes)
    const { body: _body, headers: _kept, about: _about, ...shown } = event
    const answer: Sent<EventDetailJson> = {
      ...shown,
      payload: payloads.of(event),
      mismatches: riverhook.mismatches(event),
      previous: previous && describePrevious(previous, payloads)
    }
    const text = payloads.fill(stringify(answer))
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
    if (isNamed(headers['if-none-match'], etag)) return new AdminAnswer({ status: 304, headers: { etag } })
    if (payloads.isRevealed)
      await recordReveal(riverhook.inbox, actor, previous === undefined ? [event] : [event, previous])
    return new AdminAnswer({ headers: { etag, 'content-type': 'application/json; charset=utf-8' }, body: text })
  }
}

function describePrevious(event: EventDetail, payloads: Payloads): Sent<PreviousEventJson> {
  const { realm, id, type, receivedAt } = event
  return { realm, id, type, receivedAt, payload: payloads.of(event) }
}

/** Whether `If-None-Match` has a tag. A proxy that compresses marks it as weak. */
function isNamed(header: string | readonly string[] | undefined, etag: string): boolean {
  return [header ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .some((value) => value.trim().replace(/^W\//, '') === etag)
}
