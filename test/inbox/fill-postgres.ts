import pg from 'pg'

import { postgresInbox } from '../../src/index.ts'
import { kindId, storeHandled, storeKindsSql } from '../../src/inbox/postgres/kinds.ts'
import type { ManyEvent } from './filters.ts'
import { bodies } from './many-bodies.ts'
import { patient } from './limits.ts'

const perStatement = 5_000

/** Fills the inbox in this database. */
export async function fillPostgres(database: string, events: Iterable<ManyEvent>): Promise<void> {
  const inbox = postgresInbox({ connectionString: database, ...patient })
  await inbox.open()
  await inbox.close()
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    await client.query('SET synchronous_commit = off')
    let stored = 0
    let batch: ManyEvent[] = []
    const store = async (): Promise<void> => {
      await insert(client, batch, stored + 1)
      stored += batch.length
      batch = []
    }
    for (const event of events) if (batch.push(event) === perStatement) await store()
    await store()
    // VACUUM marks only what is on disk as visible to all.
    await client.query('SET synchronous_commit = on')
    await client.query("SELECT setval('riverhook.event_seq', $1)", [stored])
    await client.query('VACUUM ANALYZE')
  } finally {
    await client.end()
  }
}

async function insert(client: pg.Client, batch: readonly ManyEvent[], first: number): Promise<void> {
  const seqs = batch.map((_event, index) => first + index)
  await client.query(
    `WITH stored AS (
       INSERT INTO riverhook.event (seq, realm, id, source, state, type, live_mode, endpoint, kind, received_at, backfilled, receipt, body)
       SELECT seq, realm, id, source, state, type, live_mode, endpoint, kind, received_at, false, '{"checks":["signature"]}', body
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bytea[], $9::boolean[], $10::text[], $11::bigint[])
         AS given (seq, realm, id, source, state, type, received_at, body, live_mode, endpoint, kind)
       RETURNING *)
     ${storeKindsSql('SELECT * FROM stored')}`,
    [
      seqs,
      batch.map(({ realm }) => realm),
      batch.map(({ id }) => id),
      batch.map(({ source }) => source),
      batch.map(({ state }) => state),
      batch.map(({ type }) => type),
      batch.map(({ receivedAt }) => receivedAt),
      seqs.map(bodies),
      batch.map(({ liveMode }) => liveMode ?? null),
      batch.map(({ endpoint }) => endpoint),
      batch.map(kindId)
    ]
  )
  const keys = batch.flatMap(({ about }, index) => about.map((value) => ({ seq: seqs[index], value })))
  await client.query(
    'INSERT INTO riverhook.event_key (event_seq, value) SELECT * FROM unnest($1::bigint[], $2::text[])',
    [keys.map(({ seq }) => seq), keys.map(({ value }) => value)]
  )
  const deliveries = batch.flatMap(({ realm, deliveries }, index) =>
    deliveries.map((delivery) => ({ ...delivery, realm, seq: seqs[index] }))
  )
  await storeHandled(
    { query: async (text, values = []) => (await client.query<Record<string, unknown>>(text, [...values])).rows },
    batch.flatMap((event) => event.deliveries.map(({ handler }) => ({ handler, kind: kindId(event) })))
  )
  await client.query(
    `INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at, order_key, settled_at)
     SELECT seq, realm, handler, state, now() + interval '1 day', order_key, CASE state WHEN 'done' THEN now() END
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) AS given (seq, realm, handler, state, order_key)`,
    [
      deliveries.map(({ seq }) => seq),
      deliveries.map(({ realm }) => realm),
      deliveries.map(({ handler }) => handler),
      deliveries.map(({ state }) => state),
      deliveries.map(({ orderKey }) => orderKey)
    ]
  )
}
