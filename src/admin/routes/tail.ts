import { Readable } from 'node:stream'

import { RiverhookError, type Riverhook } from '../../index.ts'
import { answerError } from '../answer-error.ts'
import type { TailQueryJson } from '../api-types.ts'
import { stringifyAs } from '../compile-schema.ts'
import { beginSearch, type Wanted } from '../event-query.ts'
import { follow } from '../follow.ts'
import { AdminAnswer, type ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'

const stringify = stringifyAs('EventSummary')

/** Proxies close a connection that is silent for longer. In milliseconds. */
const silenceMs = 15_000
/** The longest tail, in milliseconds. A browser then connects again, and must still be allowed to. */
const longestMs = 30 * 60_000

export const tailEvents: ScopedRoute<{ query: TailQueryJson }> = {
  method: 'GET',
  path: 'events/tail',
  scope: 'read',
  schema: {
    summary:
      'Follow the events that match all conditions, as server-sent events. Continues at `Last-Event-ID` without a gap; an event may then come twice',
    querystring: schemas.TailQuery,
    media: 'text/event-stream',
    response: {}
  },
  async handle(context, { query: { lastEventId, ...query }, headers }) {
    const { riverhook, signal, tails } = context
    // A browser that reconnects sends the header, and the query of the first connection.
    const from = readPosition(headers['last-event-id'] ?? lastEventId)
    const filter = await beginSearch(query, context)
    const { events } = await riverhook.inbox.events({ ...filter, limit: 1 })
    if (events.length === 0) await riverhook.checkFilter(filter)
    const end = AbortSignal.any([tails.open(signal), AbortSignal.timeout(longestMs)])
    return new AdminAnswer({
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no'
      },
      body: Readable.from(writeTail(riverhook, filter, from, end))
    })
  }
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID */
function readPosition(text: string | readonly string[] | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text)
  throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', '"Last-Event-ID" is not an id of this tail: leave it out')
}

async function* writeTail(
  riverhook: Pick<Riverhook, 'inbox' | 'maskList'>,
  filter: Wanted,
  from: number | undefined,
  signal: AbortSignal
): AsyncGenerator<string> {
  yield 'retry: 2000\n\n'
  let spokeAt = 0
  let last: number | undefined
  try {
    for await (const { events, position } of follow(riverhook.inbox, filter, { from, signal })) {
      for (const event of await riverhook.maskList(events))
        yield `id: ${position}\nevent: event\ndata: ${stringify(event)}\n\n`
      const isNew = position !== last
      if (events.length > 0 || isNew) spokeAt = performance.now()
      // Without data, this only sets the id: a client that connects again continues there.
      if (isNew) yield `id: ${position}\n\n`
      else if (performance.now() - spokeAt >= silenceMs) {
        spokeAt = performance.now()
        yield ': no new events\n\n'
      }
      last = position
    }
  } catch (error) {
    // The status was sent long ago. The client connects again.
    const { code, message } = answerError(error)
    yield `event: failed\ndata: ${JSON.stringify({ code, message })}\n\n`
  }
}
