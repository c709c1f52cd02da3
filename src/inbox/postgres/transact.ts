import type pg from 'pg'

import { backoffMs } from '../../model/backoff.ts'
import { RiverhookError } from '../../model/errors.ts'
import { leaseLost } from '../../model/lease.ts'
import type { HeldDelivery, OrderKey } from '../inbox.ts'
import type { Times } from './claim.ts'
import type { Connections } from './connections.ts'
import type { Database, Session } from './database.ts'
import { isConnectionLost, isDatabaseError, isPermanent, serverCode, unavailable } from './faults.ts'
import { LentClient } from './lent-client.ts'
import { readKey, lockKeys, lineUp } from './order.ts'
import { settleIn } from './settle.ts'
import { settingsSql } from './session.ts'
import type { Semaphore } from '../semaphore.ts'
import { delay as pause } from '../../model/timers.ts'

export interface TransactOptions {
  /** The connections for handlers' transactions. */
  readonly connections: Connections
  /** Limits transactions to the connections that handlers may use. */
  readonly semaphore: Semaphore
  readonly database: Database
  readonly times: () => Times
  /** Aborted when the attempt ends or the inbox is closed. Ends all waiting, and rolls the transaction back. */
  readonly signal: AbortSignal
}

/** The time limit of our own statements, at the beginning and the end of the transaction. */
const ownTimeoutMs = 2_000
const minRetryMs = 100
const maxRetryMs = 2_000

/** Carries an error thrown by the handler, to be rethrown unchanged. */
class HandlerError extends Error {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    super('The handler failed in its transaction')
    this.thrown = thrown
  }
}

/**
 * Runs the handler's `work` in the transaction that settles the delivery: both are committed, or neither. Locks nothing
 * while `work` runs, so that heartbeats continue. Checks the lease at the beginning, to avoid useless work, and again
 * at the end, which decides.
 */
export async function transact<Result>(
  options: TransactOptions,
  held: HeldDelivery,
  work: (client: pg.PoolClient) => Promise<Result>
): Promise<Result> {
  const release = await options.semaphore.acquire(options.signal)
  try {
    return await runIn(await connect(options, held), options, held, work)
  } finally {
    release()
  }
}

interface Connection {
  readonly client: pg.PoolClient
  /** The reason why the connection cannot be used again; undefined while it can. */
  fault: unknown
  readonly onError: (error: Error) => void
}

/** An open transaction for a delivery whose lease is held. */
interface Begun {
  readonly connection: Connection
  readonly transactionId: unknown
  /** The role of the session. */
  readonly role: unknown
  readonly keys: readonly OrderKey[]
}

/**
 * Begins the transaction. Waits for a connection as long as the attempt lasts: a missing or lost connection must not
 * count as a failure of the delivery.
 */
async function connect({ connections, database, signal }: TransactOptions, held: HeldDelivery): Promise<Begun> {
  for (let failures = 1; ; failures += 1) {
    try {
      const connection = watchConnection(await waitForConnection(connections.pool, signal))
      try {
        await unlessAborted(connection.client.query(database.plain(connections.beginHandler, ownTimeoutMs)), signal)
        return {
          connection,
          ...(await unlessAborted(begin(createSession(connection, database), held, connections.place), signal))
        }
      } catch (error) {
        connections.discardIdleIfSilent(error)
        returnConnection(connections, connection, error)
        throw error
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof RiverhookError) throw error
      if (!isDatabaseError(error) || isPermanent(error)) throw unavailable(error, connections.place)
    }
    await pause(backoffMs(failures, minRetryMs, maxRetryMs), undefined, { signal }).catch(() => undefined)
    signal.throwIfAborted()
  }
}

function createSession({ client }: Connection, database: Database): Session {
  return {
    query: async (sql, values = []) =>
      (await client.query<Record<string, unknown>>(database.prepared(sql, values, ownTimeoutMs))).rows
  }
}

async function waitForConnection(pool: pg.Pool, signal: AbortSignal): Promise<pg.PoolClient> {
  const connecting = pool.connect()
  try {
    return await unlessAborted(connecting, signal)
  } catch (error) {
    // Release a connection that arrives after the wait was aborted.
    connecting.then(
      (client) => {
        client.release()
      },
      () => undefined
    )
    throw error
  }
}

function watchConnection(client: pg.PoolClient): Connection {
  const connection: Connection = {
    client,
    fault: undefined,
    onError: (error) => {
      connection.fault = error
    }
  }
  // Without a listener, the loss of the connection would end the process.
  client.on('error', connection.onError)
  return connection
}

function returnConnection(connections: Connections, { client, onError }: Connection, fault: unknown): void {
  client.off('error', onError)
  connections.release(client, fault)
}

async function runIn<Result>(
  { connection, transactionId, role, keys }: Begun,
  { connections, database, times, signal }: TransactOptions,
  held: HeldDelivery,
  work: (client: pg.PoolClient) => Promise<Result>
): Promise<Result> {
  const { client } = connection
  const run = (sql: string): Promise<pg.QueryResult> => client.query(database.plain(sql, ownTimeoutMs))
  const session = createSession(connection, database)
  const lent = new LentClient(client)
  try {
    const result = await unlessAborted(callWork(work, lent.client), signal).catch((error: unknown) => {
      // Destroy the connection, to end a statement that is still running on it.
      if (signal.aborted) connection.fault ??= signal.reason
      throw error
    })
    lent.revoke()
    // From here on `signal` is ignored: the transaction ends within a moment.
    await assertSameTransaction(session, { transactionId, role }, lent.failure)
    if (keys.length > 0) await run(lockKeys(keys))
    const [settled] = await settleIn(
      session,
      [{ ...held, orderKey: keys[0] ?? null, outcome: { state: 'done' }, endedAt: new Date(times().now) }],
      times()
    )
    if (settled !== 'settled') throw leaseLost('Nothing was committed')
    await lineUp(session, keys)
    const { command } = await run('COMMIT')
    if (command !== 'COMMIT') throw endedByHandler()
    return result
  } catch (error) {
    lent.revoke()
    connections.discardIdleIfSilent(error)
    if (isConnectionLost(unwrapError(error))) connection.fault ??= error
    if (connection.fault === undefined)
      await run('ROLLBACK').catch((cause: unknown) => {
        connection.fault ??= cause
      })
    if (error instanceof HandlerError) throw error.thrown
    throw isDatabaseError(error) ? unavailable(error, connections.place) : error
  } finally {
    returnConnection(connections, connection, connection.fault)
  }
}

/** Unwraps an error to the one that pg threw, if any. */
function unwrapError(error: unknown): unknown {
  const thrown = error instanceof HandlerError ? error.thrown : error
  return thrown instanceof RiverhookError ? thrown.cause : thrown
}

/** Calls `work`. Treats a synchronous error like a rejected promise. */
async function callWork<Result>(
  work: (client: pg.PoolClient) => Promise<Result>,
  client: pg.PoolClient
): Promise<Result> {
  try {
    return await work(client)
  } catch (error) {
    throw new HandlerError(error)
  }
}

/** Names are qualified because the application's `search_path` applies here. */
const transactionColumn = 'pg_catalog.pg_current_xact_id()::pg_catalog.text AS transaction_id'

async function begin(session: Session, { id, token }: HeldDelivery, place: string): Promise<Omit<Begun, 'connection'>> {
  const [row] = await session
    .query(
      `SELECT ${transactionColumn}, pg_catalog.current_setting('role') AS role, handler, realm, order_key FROM riverhook.delivery
     WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.int8 AND token OPERATOR(pg_catalog.=) $2::pg_catalog.int8 AND state OPERATOR(pg_catalog.=) 'running'`,
      [id, token]
    )
    .catch((error: unknown) => {
      // Do not retry: another connection would fail too.
      throw isDatabaseError(error) && !isConnectionLost(error) ? unavailable(error, place) : error
    })
  if (row === undefined) throw leaseLost('Nothing was committed')
  return {
    transactionId: row['transaction_id'],
    role: row['role'],
    keys: row['order_key'] === null ? [] : [readKey(row)]
  }
}

/**
 * Throws if the handler committed or rolled back the transaction: its writes would not be atomic with the delivery.
 * Also applies our settings until the end, and restores the role: the handler may have switched to a role that cannot
 * write to the inbox.
 */
async function assertSameTransaction(
  session: Session,
  { transactionId, role }: Pick<Begun, 'transactionId' | 'role'>,
  failure: Error | undefined
): Promise<void> {
  let row: Readonly<Record<string, unknown>> | undefined
  try {
    ;[row] = await session.query(
      `SELECT ${transactionColumn}, pg_catalog.set_config('role', $1::pg_catalog.text, false), ${settingsSql({ statementTimeoutMs: ownTimeoutMs, isLocal: true })}`,
      [role]
    )
  } catch (error) {
    const code = serverCode(error)
    if (code === '25P02') throw failedStatement(failure, error)
    if (code === '26000')
      throw transactionError(
        'The handler discarded the prepared statements of the connection (DEALLOCATE ALL or DISCARD ALL). Remove that statement: the inbox uses the same connection',
        error
      )
    throw error
  }
  if (row?.['transaction_id'] !== transactionId) throw endedByHandler()
}

function failedStatement(failure: Error | undefined, cause: unknown): RiverhookError {
  const what = failure === undefined ? '' : `: ${failure.message} (${serverCode(failure) ?? 'no code'})`
  return transactionError(
    `A statement in the transaction failed${what}. The handler continued, but PostgreSQL rejects all further statements in the transaction. Let the function throw the error, or set a SAVEPOINT before a statement that may fail`,
    failure ?? cause
  )
}

function endedByHandler(): RiverhookError {
  return transactionError(
    'The handler ended the transaction (COMMIT or ROLLBACK), so its writes are not atomic with the delivery. Remove that statement: return from the function to commit, or throw to roll back'
  )
}

function transactionError(message: string, cause?: unknown): RiverhookError {
  return new RiverhookError('RIVERHOOK_DELIVER_TRANSACTION', message, { cause })
}

/** @throws the reason of `signal` if it is aborted before the promise settles */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => {
    reject(signal.reason as Error)
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return Promise.race([promise, aborted]).finally(() => {
    signal.removeEventListener('abort', abort)
  })
}
