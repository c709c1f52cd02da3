import type pg from 'pg'

import { RiverhookError } from '../../errors.ts'
import type { HeldDelivery } from '../inbox.ts'
import type { Times } from './claim.ts'
import { unavailable, isOfDatabase, type Database, type Session } from './database.ts'
import { lockKeys, promote } from './order-keys.ts'
import { keysOf, settleIn } from './settle.ts'

/** What the merchant's function threw: it goes back to him as it is. */
class WorkError extends Error {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    super('The handler failed in its transaction')
    this.thrown = thrown
  }
}

/**
 * Runs the merchant's `work` in the transaction that settles the delivery: both are committed, or neither. Nothing is locked while it
 * runs, so heartbeats go on; whether the lease still holds is seen at the beginning, to spare the work, and decided at the end.
 */
export async function transact<Result>(
  { pool, database, times }: { readonly pool: pg.Pool; readonly database: Database; readonly times: () => Times },
  held: HeldDelivery,
  work: (client: pg.PoolClient) => Promise<Result>
): Promise<Result> {
  const keys = await keysOf(database, [held])
  const client = await pool.connect().catch((error: unknown) => { throw unavailable(error) })
  let broken: Error | undefined
  const onError = (error: Error): void => { broken = error }
  client.on('error', onError)
  const session: Session = { query: async (sql, values = []) => (await client.query<Record<string, unknown>>(database.prepared(sql, values))).rows }
  try {
    await client.query('BEGIN')
    const transactionId = await begin(session, held)
    const result = await work(lent(client)).catch((error: unknown) => { throw new WorkError(error) })
    await assertSame(session, transactionId)
    if (keys.length > 0) await client.query(lockKeys(keys))
    const [settled] = await settleIn(session, [{ ...held, outcome: { state: 'done' }, endedAt: new Date(times().now) }], times())
    if (settled !== 'settled') throw leaseLost()
    await promote({ ...session, client }, keys)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: unknown) => { broken ??= cause as Error })
    if (error instanceof WorkError) throw error.thrown
    throw isOfDatabase(error) ? unavailable(error) : error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** The client as a handler, or its query builder, may use it: to give it back is ours. */
function lent(client: pg.PoolClient): pg.PoolClient {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'release') return () => undefined
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    }
  })
}

async function begin(session: Session, { id, token }: HeldDelivery): Promise<unknown> {
  const [row] = await session.query(
    "SELECT pg_current_xact_id()::text AS transaction_id FROM riverhook.delivery WHERE id = $1 AND token = $2 AND state = 'running'", [id, token]
  )
  if (row === undefined) throw leaseLost()
  return row['transaction_id']
}

/** A handler that commits or rolls back by itself has broken what it asked for: that must not pass in silence. */
async function assertSame(session: Session, transactionId: unknown): Promise<void> {
  const [row] = await session.query('SELECT pg_current_xact_id()::text AS transaction_id')
  if (row?.['transaction_id'] === transactionId) return
  throw new RiverhookError(
    'RIVERHOOK_DELIVER_TRANSACTION',
    'The handler ended the transaction by itself (COMMIT or ROLLBACK): what it wrote and the delivery cannot be settled together. Return from the function instead, or throw'
  )
}

function leaseLost(): RiverhookError {
  return new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', 'The lease of this delivery was lost: another process may run it now. Nothing was committed')
}
