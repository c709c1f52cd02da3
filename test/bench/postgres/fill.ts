import pg from 'pg'

import { postgresInbox } from '../../../src/index.ts'
import { kindId, storeHandled } from '../../../src/inbox/postgres/kinds.ts'

/** That of all events. */
const kind = {
  source: 'digital-river',
  realm: 'digital-river',
  type: 'order.accepted',
  endpoint: '/webhooks',
  liveMode: false
}

/**
 * Makes an inbox with `events` events, each with one delivery for the handler `*`, due tomorrow, in one statement.
 * @param state of the deliveries
 */
export async function fill(database: string, events: number, state: 'pending' | 'done'): Promise<void> {
  const inbox = postgresInbox({ connectionString: database })
  await inbox.open()
  await inbox.close()
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    await client.query(
      'INSERT INTO riverhook.kind (id, source, realm, type, endpoint, live) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING',
      [kindId(kind), kind.source, kind.realm, kind.type, kind.endpoint, kind.liveMode]
    )
    await client.query(
      `WITH made AS (
         INSERT INTO riverhook.event (seq, realm, id, source, state, type, live_mode, created_time, endpoint, kind, received_at, backfilled, receipt, body)
         SELECT nextval('riverhook.event_seq'), 'digital-river', gen_random_uuid()::text, 'digital-river', 'accepted', 'order.accepted', false, '2026-01-01T00:00:00Z', '/webhooks', $3, now(), false, '{"checks":[]}',
           convert_to('{"id":"' || n || '","type":"order.accepted","data":{"object":{"id":"' || n || '","note":"' || repeat('x', 700) || '"}},"liveMode":false,"createdTime":"2026-01-01T00:00:00Z"}', 'UTF8')
         FROM generate_series(1, $1::int) AS n RETURNING seq, realm)
       INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at, settled_at)
       SELECT seq, realm, '*', $2::text, now() + interval '1 day', CASE $2::text WHEN 'done' THEN now() END FROM made`,
      [events, state, kindId(kind)]
    )
    await storeHandled(
      { query: async (text, values = []) => (await client.query<Record<string, unknown>>(text, [...values])).rows },
      [{ handler: '*', kind: kindId(kind) }]
    )
    await client.query('VACUUM ANALYZE')
  } finally {
    await client.end()
  }
}

/** Makes `deliveries` of them due now. */
export async function makeDue(database: string, deliveries: number): Promise<void> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    await client.query(
      "UPDATE riverhook.delivery SET due_at = now() WHERE id IN (SELECT id FROM riverhook.delivery WHERE state = 'pending' ORDER BY id LIMIT $1)",
      [deliveries]
    )
    await client.query('VACUUM ANALYZE riverhook.delivery')
  } finally {
    await client.end()
  }
}
