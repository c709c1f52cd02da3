import type { Connections } from './connections.ts'
import type { Database } from './database.ts'
import { isDatabaseError, unavailable } from './faults.ts'
import { explainRefusal, migrate, requireSchema } from './migrate.ts'
import { assertOwners } from './owners.ts'
import { schemaVersion } from './schema.ts'

export interface PrepareOptions {
  readonly connections: Connections
  readonly database: Database
  readonly schema: string
  /** Another role that may own the schema. */
  readonly owner: string | undefined
  /** Only a server creates the schema. */
  readonly role: 'server' | 'command'
}

/**
 * Prepares the use of the schema: checks the connections, the server's version and who owns the schema, and creates it.
 * @throws {RiverhookError} with the reason why the inbox cannot be used
 */
export async function prepare({ connections, database, schema, owner, role }: PrepareOptions): Promise<void> {
  try {
    await connections.assertSessions()
    await database.learn()
    await assertOwners(database, schema, owner)
    if (role !== 'server') await requireSchema(database, schema)
    // Another role may have created the schema since the first check.
    else if ((await migrate(database, schema)) < schemaVersion) await assertOwners(database, schema, owner)
  } catch (error) {
    const known = isDatabaseError(error) ? unavailable(error, connections.place) : error
    throw explainRefusal(known, schema) ?? known
  }
}
