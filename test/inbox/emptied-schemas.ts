import { run } from './postgres-server.ts'
import { Reused } from './reused.ts'

/** Names of schemas of inboxes in one database: making the tables takes longer than most tests do, so they are emptied for the next one. */
export function emptiedSchemas(connectionString: string): Reused {
  let made = 0
  return new Reused(() => Promise.resolve(`inbox_${made++}`), (schema) => clearSchema(connectionString, schema))
}

/** Makes an inbox as good as new. */
export async function clearSchema(connectionString: string, schema: string): Promise<void> {
  await run(connectionString, `DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'migration' LOOP
    EXECUTE format('DELETE FROM ${schema}.%I', name);
  END LOOP;
  PERFORM setval(format('${schema}.%I', sequencename), 1, false) FROM pg_sequences WHERE schemaname = '${schema}';
END $$`)
}
