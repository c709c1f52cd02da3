import pg from 'pg'
import type { Test } from 'tap'

import { Reused } from './reused.ts'

/**
 * The longest interval of heartbeats, for an inbox whose schema is emptied while it is open. Its heartbeat would find
 * that its process is unknown, adopt the handlers of a former test, and park the deliveries of the current one: so no
 * inbox is kept that long.
 */
export const keptPresenceMs = 60_000

/**
 * Schemas for inboxes in one database. Creating the tables takes longer than most tests, so each schema is emptied and
 * used again.
 */
export interface EmptiedSchemas {
  /** Returns the name of a schema that is empty or does not exist yet. */
  take(t: Pick<Test, 'teardown'>): Promise<string>
  /** Empties a schema. */
  clear(schema: string): Promise<unknown>
}

export async function emptiedSchemas(t: Pick<Test, 'teardown'>, connectionString: string): Promise<EmptiedSchemas> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  let made = 0
  const clear = (schema: string): Promise<unknown> => client.query(emptyText(schema))
  const schemas = new Reused(() => Promise.resolve(`inbox_${made++}`), clear)
  return { take: (t) => schemas.take(t), clear }
}

function emptyText(schema: string): string {
  return `DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'migration' LOOP
    EXECUTE format('DELETE FROM ${schema}.%I', name);
  END LOOP;
  PERFORM setval(format('${schema}.%I', sequencename), 1, false) FROM pg_sequences WHERE schemaname = '${schema}';
END $$`
}
