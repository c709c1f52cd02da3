import type pg from 'pg'

import { checkAgainst } from '../../model/option-rules.ts'
import type { Inbox } from '../inbox.ts'
import { lateEngine } from '../late-engine.ts'
import { checkPool, optionRules, type PostgresInboxOptions } from './options.ts'
import { checkSchemaName } from './schema-name.ts'

declare module '../../model/event.ts' {
  interface InboxTransactions {
    readonly postgres: pg.PoolClient
  }
}

/**
 * Creates an inbox on PostgreSQL 13 or newer, for any number of replicas on several machines. Every commit is on disk
 * before a call returns.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for an unusable schema name; RIVERHOOK_OPTIONS_INVALID
 */
export function postgresInbox(options: PostgresInboxOptions): Inbox {
  checkAgainst(optionRules, options, 'postgresInbox')
  const { pool, role = 'server', schema = 'riverhook' } = options
  if (pool !== undefined) checkPool(pool)
  checkSchemaName(schema)
  // Without a listener, the loss of an idle connection would end the process, also before the inbox is opened.
  pool?.on('error', () => undefined)
  return lateEngine({
    name: 'postgres',
    role,
    has: ['transact', 'servers'],
    load: async () => new (await import('./postgres-inbox.ts')).PostgresInbox(options)
  })
}
