import { fingerprint } from '../schema-fingerprint.ts'
import { schemaText } from './schema-name.ts'
import { versions } from './schema.ts'

/**
 * The SQL that `migrate` runs, for a DBA to run instead.
 * @param from the version that exists already; 0 for an empty database
 */
export function migrationText(schema: string, from = 0): string {
  const steps = versions.slice(from).map((_sql, index) => step(from + index))
  return schemaText(
    `BEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\n${prelude(schema)}\n${steps.join('\n')}\nCOMMIT;\n`,
    schema
  )
}

export const migrationTableSql = `CREATE TABLE IF NOT EXISTS riverhook.migration (
  version     integer     PRIMARY KEY,
  -- Of the text that created the tables of this version and those before it.
  fingerprint text        NOT NULL,
  applied_at  timestamptz NOT NULL DEFAULT now(),
  -- For our advisory locks. The first row's salt is used.
  salt        bigint      NOT NULL DEFAULT hashtextextended(gen_random_uuid()::text, 0)
);`

export function prelude(schema: string): string {
  return `CREATE SCHEMA IF NOT EXISTS "${schema}";\n${migrationTableSql}`
}

export function step(version: number): string {
  return `${versions[version]?.trim() ?? ''}\nINSERT INTO riverhook.migration (version, fingerprint) VALUES (${version + 1}, '${fingerprintOf(version + 1)}');`
}

export function fingerprintOf(version: number): string {
  return fingerprint(versions.slice(0, version))
}
