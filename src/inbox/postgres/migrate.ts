import pg from 'pg'

import { RiverhookError } from '../../errors.ts'
import type { Database } from './database.ts'
import { migrations } from './migrations.ts'
import { schemaText } from './schema-name.ts'

/** The version that this code reads and writes. */
export const schemaVersion = migrations.length

/**
 * Creates the schema, or brings it to this version, in one transaction. Replicas that start together take turns.
 * @returns the version that was found; 0: there was none
 * @throws {RiverhookError} RIVERHOOK_INBOX_VERSION when it is newer than this code
 */
export async function migrate(database: Database, schema: string): Promise<number> {
  // Seen without a lock first, so that a start changes nothing, and a role that may not create is enough where all is there.
  const found = await versionOf(database)
  assertNotNewer(found, schema)
  if (found === schemaVersion) return found
  return database.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('riverhook.migrate', 0))`)
    await tx.run(prelude(schema))
    const [row] = await tx.query('SELECT coalesce(max(version), 0)::int AS version FROM riverhook.migration')
    const from = Number(row?.['version'])
    assertNotNewer(from, schema)
    for (let version = from; version < schemaVersion; version += 1) await tx.run(step(version))
    return from
  })
}

/** What `migrate` would run on an empty database, for somebody who runs it himself. @param from the version that is there */
export function migrationText(schema: string, from = 0): string {
  const steps = migrations.slice(from).map((_sql, index) => step(from + index))
  return schemaText(`BEGIN;\n${prelude(schema)}\n${steps.join('\n')}\nCOMMIT;\n`, schema)
}

/** @returns 0 where there is no schema yet */
export async function versionOf(database: Database): Promise<number> {
  try {
    const [row] = await database.query('SELECT coalesce(max(version), 0)::int AS version FROM riverhook.migration')
    return Number(row?.['version'])
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    // The schema, or the table in it, does not exist.
    if (cause instanceof pg.DatabaseError && (cause.code === '42P01' || cause.code === '3F000')) return 0
    throw error
  }
}

function prelude(schema: string): string {
  return `CREATE SCHEMA IF NOT EXISTS "${schema}";
CREATE TABLE IF NOT EXISTS riverhook.migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());`
}

function step(version: number): string {
  return `${migrations[version]?.trim() ?? ''}\nINSERT INTO riverhook.migration (version) VALUES (${version + 1});`
}

function assertNotNewer(version: number, schema: string): void {
  if (version <= schemaVersion) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_VERSION',
    `The schema "${schema}" has version ${version}, and this Riverhook knows ${schemaVersion}: it was written by a newer one. Start that, or use another schema`
  )
}
