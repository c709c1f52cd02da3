import { Readable } from 'node:stream'

import type { EventDetail, MaskedEvent } from '../../index.ts'
import { beginExport } from '../../programs.ts'
import type { ExportQueryJson, EventDetailJson } from '../api-types.ts'
import { stringifyAs } from '../compile-schema.ts'
import { needReveal, readFilter } from '../event-query.ts'
import { Payloads } from '../payload.ts'
import { AdminAnswer, type ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

const stringify = stringifyAs('EventDetail')

/** The most events of one export. */
const mostExported = 100_000

const media = 'application/x-ndjson'

export const exportEvents: ScopedRoute<{ query: ExportQueryJson }> = {
  method: 'GET',
  path: 'export',
  scope: 'read',
  schema: {
    summary:
      'Export the events that match all conditions with their payloads, the oldest first, as NDJSON: at most 100,000. If there are more, the last line is `{"more":true}`. Personal data is masked; `reveal=true` shows it, and needs the scope `reveal`. Recorded in the audit log',
    querystring: schemas.ExportQuery,
    media,
    response: {}
  },
  async handle({ riverhook, actor, scopes, signal }, { query: { reveal = false, ...query } }) {
    if (reveal) needReveal('"reveal"', scopes)
    const filter = readFilter(query, scopes)
    await riverhook.checkFilter(filter)
    let hasMore = false
    const onMore = (): void => {
      hasMore = true
    }
    const events = await beginExport(riverhook.inbox, {
      ...{ filter, actor, signal, onMore },
      ...{ isRevealed: reveal, most: mostExported }
    })
    async function* writeLines(): AsyncGenerator<string> {
      for await (const event of events) yield writeLine(event, reveal ? undefined : riverhook.mask(event))
      if (hasMore) yield '{"more":true}\n'
    }
    return new AdminAnswer({
      headers: {
        'content-type': media,
        'content-disposition': 'attachment; filename="events.ndjson"'
      },
      body: Readable.from(writeLines(), { objectMode: false })
    })
  }
}

/** @param masked the event without personal data; undefined to reveal it */
function writeLine(event: EventDetail, masked: MaskedEvent | undefined): string {
  const payloads = new Payloads()
  const line: Sent<EventDetailJson> =
    masked === undefined
      ? { ...event, payload: payloads.revealed(event) }
      : { ...masked, payload: payloads.masked(masked) }
  // In JSON, a line break is only white space between tokens.
  return `${payloads.fill(stringify(line)).replaceAll(/[\r\n]/g, ' ')}\n`
}
