import { Readable } from 'node:stream'

import type { Actor, EventDetail, Inbox } from '../../index.ts'
import type { ExportQueryJson, EventDetailJson } from '../api-types.ts'
import { stringifyAs } from '../compile-schema.ts'
import { readFilter, type Wanted } from '../event-query.ts'
import { Payloads } from '../payload.ts'
import { AdminAnswer, type AdminContext, type ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

const stringify = stringifyAs('EventDetail')

/** The most events of one export. */
const mostExported = 100_000
const pageSize = 200

const media = 'application/x-ndjson'

export const exportEvents: ScopedRoute<{ query: ExportQueryJson }> = {
  method: 'GET',
  path: 'export',
  scope: 'reveal',
  schema: {
    summary:
      'Export the events that match all conditions with their payloads, the oldest first, as NDJSON: at most 100,000. If there are more, the last line is `{"more":true}`. Recorded in the audit log',
    querystring: schemas.ExportQuery,
    media,
    response: {}
  },
  async handle({ riverhook: { inbox }, actor, scopes, signal }, { query }) {
    const filter = readFilter(query, scopes)
    const audit = auditor(inbox, actor, query)
    await audit(0, 'begun')
    return new AdminAnswer({
      headers: {
        'content-type': media,
        'content-disposition': 'attachment; filename="events.ndjson"'
      },
      body: Readable.from(writeLines(inbox, filter, { signal, audit }), { objectMode: false })
    })
  }
}

type Audit = (count: number, outcome: string) => Promise<void>

/** The values of a filter may be personal data, so only their names are in the log, except for these. */
const harmless = ['realm', 'source', 'type', 'state', 'handler', 'endpoint', 'live', 'since', 'until'] as const

function auditor(inbox: Inbox, actor: Actor, query: ExportQueryJson): Audit {
  const names = Object.keys(query) as (keyof ExportQueryJson)[]
  const target = names
    .map((name) => ((harmless as readonly string[]).includes(name) ? `${name} ${String(query[name])}` : name))
    .join(', ')
  return (count, outcome) =>
    inbox.audit({ actor, action: 'events.export', target: target === '' ? 'all events' : target }, { count, outcome })
}

async function* writeLines(
  inbox: Inbox,
  filter: Wanted,
  { signal, audit }: Pick<AdminContext, 'signal'> & { readonly audit: Audit }
): AsyncGenerator<string> {
  let count = 0
  let isWhole = false
  try {
    let after: number | undefined
    do {
      const page = await inbox.events({
        ...filter,
        oldestFirst: true,
        after,
        limit: Math.min(pageSize, mostExported - count)
      })
      for (const key of page.events) {
        const event = await inbox.event(key)
        // It was purged meanwhile.
        if (event === undefined) continue
        count += 1
        yield writeLine(event)
      }
      after = page.next
    } while (after !== undefined && count < mostExported && !signal.aborted)
    if (after !== undefined && !signal.aborted) yield '{"more":true}\n'
    isWhole = !signal.aborted
  } finally {
    await audit(count, isWhole ? 'sent' : 'ended early')
  }
}

function writeLine(event: EventDetail): string {
  const payloads = new Payloads()
  const line: Sent<EventDetailJson> = { ...event, payload: payloads.revealed(event) }
  // In JSON, a line break is only white space between tokens.
  return `${payloads.fill(stringify(line)).replaceAll(/[\r\n]/g, ' ')}\n`
}
