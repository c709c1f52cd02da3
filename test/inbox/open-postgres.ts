import type { Test } from 'tap'

import { postgresInbox, type Inbox, type PostgresInboxOptions } from '../../src/index.ts'
import { patient } from './limits.ts'

/** A patient inbox on this database, open until the test ends. */
export async function openPostgres(
  t: Test,
  connectionString: string,
  options: PostgresInboxOptions = {}
): Promise<Inbox> {
  const inbox = postgresInbox({ connectionString, maxConnections: 4, ...patient, ...options })
  await inbox.open()
  t.teardown(() => inbox.close())
  return inbox
}

/** Several inboxes that open at the same time, like replicas. */
export function openReplicas(
  t: Test,
  connectionString: string,
  count: number,
  options: PostgresInboxOptions = {}
): Promise<readonly Inbox[]> {
  return Promise.all(Array.from({ length: count }, () => openPostgres(t, connectionString, options)))
}
