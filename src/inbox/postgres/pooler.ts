import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'

/** Attempts to detect a pooler: one that rotates idle sessions reaches each session of a small pool within these. */
const attempts = 20

type Session = Pick<pg.ClientBase, 'query'>

/** @returns the process id that the client received when it connected; a pooler sends a made-up id */
export function clientProcessId(client: Session): unknown {
  return (client as unknown as { readonly processID?: number | null }).processID
}

/** @returns the process id of the server session that runs the query */
export async function serverProcessId(client: Session, timeoutMs: number): Promise<unknown> {
  const { rows } = await client.query<{ pid: number }>({
    text: 'SELECT pg_catalog.pg_backend_pid() AS pid',
    types: { getTypeParser: () => Number },
    query_timeout: timeoutMs
  } as pg.QueryConfig)
  return rows[0]?.pid
}

/**
 * Rejects a pooler that gives each transaction another session of the server. Changes nothing in the sessions, since
 * other clients may share them.
 * @param one a connection through the pooler
 * @param other another one
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS
 */
export async function assertSessionPooling(one: Session, other: Session, timeoutMs: number): Promise<void> {
  const own = await serverProcessId(one, timeoutMs)
  for (let count = 0; count < attempts; count += 1) {
    if ((await serverProcessId(other, timeoutMs)) === own || (await serverProcessId(one, timeoutMs)) !== own)
      throw poolerError()
  }
}

function poolerError(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    'The address of the inbox leads to a pooler, such as PgBouncer in transaction mode, that gives each transaction another session of PostgreSQL. Riverhook needs permanent sessions, for LISTEN and prepared statements. Use the direct address of the database, or a pool in session mode (pool_mode = session)'
  )
}
