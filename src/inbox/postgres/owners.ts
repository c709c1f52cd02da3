import { RiverhookError } from '../../model/errors.ts'
import type { Database } from './database.ts'
import { versions } from './schema.ts'

/** The relations whose owner is checked: an owner can read a table, and add a trigger that runs as the writing role. */
const relations = [
  'migration',
  ...versions.flatMap((sql) =>
    Array.from(sql.matchAll(/CREATE (?:TABLE|SEQUENCE) riverhook\.(\w+)/g), ([, name]) => name)
  )
]

/**
 * Rejects a schema that another role owns: any role that can create schemas could have created it before the first
 * start. Trusts the inbox's role, the roles that it is a member of, the owner of the database, superusers, and
 * `expected`.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS
 */
export async function assertOwners(database: Database, schema: string, expected: string | undefined): Promise<void> {
  const rows = await database.query(strangersSql, [schema, relations, expected ?? null])
  if (rows.length === 0) return
  const names = rows.map((row) => `"${String(row['owner'])}"`).join(', ')
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    `The schema "${schema}" or a table of the inbox in it belongs to ${names}, and an owner can read and change every event. If that role is the intended owner, add owner=NAME to the inbox address (postgresInbox: the option "owner"). Otherwise drop the schema, or make "${String(rows[0]?.['me'])}" its owner and that of its tables`
  )
}

// Ignore a superuser's memberships: it is a member of every role.
const strangersSql = `
SELECT DISTINCT owner.rolname AS owner, me.rolname AS me
FROM (
  SELECT nspowner AS oid FROM pg_catalog.pg_namespace WHERE nspname = $1
  UNION
  SELECT c.relowner FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
) AS given
JOIN pg_catalog.pg_roles AS owner USING (oid)
JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
WHERE owner.oid NOT IN (me.oid, d.datdba) AND NOT owner.rolsuper AND owner.rolname <> 'pg_database_owner' AND owner.rolname IS DISTINCT FROM $3::text
  AND (me.rolsuper OR NOT pg_has_role(me.oid, owner.oid, 'MEMBER'))
ORDER BY 1`
