import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'

/** How many statements are tried: one that gives out idle sessions in turn comes to every one of a small pool. */
const tries = 20

type Session = Pick<pg.ClientBase, 'query'>

/**
 * @returns the number of the session as the client was told it: a pooler between it and the server gives out one of
 * its own
 */
export function processOf(client: Session): unknown {
  return (client as unknown as { readonly processID?: number | null }).processID
}

/** @returns the number of the session that answers */
export async function backendOf(client: Session, timeoutMs: number): Promise<unknown> {
  const { rows } = await client.query<{ pid: number }>({
    text: 'SELECT pg_catalog.pg_backend_pid() AS pid',
    types: { getTypeParser: () => Number },
    query_timeout: timeoutMs
  } as pg.QueryConfig)
  return rows[0]?.pid
}

/**
 * Refuses a pooler that gives each transaction another session of the server. Changes nothing in the sessions, which
 * others use too.
 * @param one and other two connections through the pooler
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS
 */
export async function assertSessionPooling(one: Session, other: Session, timeoutMs: number): Promise<void> {
  const own = await backendOf(one, timeoutMs)
  for (let count = 0; count < tries; count += 1) {
    if ((await backendOf(other, timeoutMs)) === own || (await backendOf(one, timeoutMs)) !== own) throw pooled()
  }
}

function pooled(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    'The address of the inbox leads to a pooler, such as PgBouncer in transaction mode, that gives each transaction another session of PostgreSQL. Riverhook needs sessions of its own, for LISTEN and prepared statements. Use the direct address of the database, or a pool in session mode (pool_mode = session)'
  )
}
