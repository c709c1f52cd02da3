import { createHash } from 'node:crypto'

import type { EventDetail } from '../../index.ts'
import { recordReveal } from '../../programs.ts'
import type { EventDetailJson, EventDetailQueryJson } from '../api-types.ts'
import { stringifyAs } from '../compile-schema.ts'
import { needReveal } from '../event-query.ts'
import { findEvent } from '../find-event.ts'
import { Payloads } from '../payload.ts'
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
      'Show an event with its deliveries and attempts, and its payload with personal data masked. `reveal=true` shows it unmasked, needs the scope `reveal`, and is recorded in the audit log. Has an ETag: 304 if nothing changed',
    querystring: schemas.EventDetailQuery,
    response: { 200: schemas.EventDetail }
  },
  async handle({ riverhook, actor, scopes }, { query, headers }) {
    const { reveal = false, compare } = query
    if (reveal) needReveal('"reveal"', scopes)
    const event = await findEvent(riverhook.inbox, query)
    const previous = compare === undefined ? undefined : await riverhook.previousEvent(event)
    const trace = riverhook.traceOf(event)
    const payloads = new Payloads()
    const describe = (each: EventDetail): Omit<Sent<EventDetailJson>, 'mismatches' | 'previous'> => {
      if (reveal) return { ...each, payload: payloads.revealed(each) }
      const masked = riverhook.mask(each)
      return { ...masked, payload: payloads.masked(masked) }
    }
    const answer: Sent<EventDetailJson> = {
      ...describe(event),
      traceId: trace?.traceId,
      traceUrl: trace?.url,
      mismatches: riverhook.mismatches(event),
      previous: previous && describe(previous)
    }
    const text = payloads.fill(stringify(answer))
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
    if (isNamed(headers['if-none-match'], etag)) return new AdminAnswer({ status: 304, headers: { etag } })
    if (reveal) await recordReveal(riverhook.inbox, actor, previous === undefined ? [event] : [event, previous])
    return new AdminAnswer({ headers: { etag, 'content-type': 'application/json; charset=utf-8' }, body: text })
  }
}

/** Whether `If-None-Match` has a tag. A proxy that compresses marks it as weak. */
function isNamed(header: string | readonly string[] | undefined, etag: string): boolean {
  return [header ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .some((value) => value.trim().replace(/^W\//, '') === etag)
}
