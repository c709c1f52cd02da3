import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import type { HeldDelivery } from '../inbox.ts'
import type { Times } from './claim.ts'
import type { Connections } from './connections.ts'
import type { Database, Session } from './database.ts'
import { isLost, isOfDatabase, isPermanent, serverCode, unavailable } from './faults.ts'
import { LentClient } from './lent-client.ts'
import { keyOf, lockKeys, lineUp, type OrderKey } from './order.ts'
import { settleIn } from './settle.ts'
import { settingsSql } from './session.ts'
import type { Semaphore } from './semaphore.ts'
import { delay as pause } from '../../model/timers.ts'

export interface TransactOptions {
  /** Where handlers' transactions run. */
  readonly connections: Connections
  /** Limits transactions to the connections that handlers may use. */
  readonly semaphore: Semaphore
  readonly database: Database
  readonly times: () => Times
  /** The attempt is over, or the inbox is being closed: waiting ends, and what was written is rolled back. */
  readonly signal: AbortSignal
}

/** For our own statements at the transaction's beginning and end. */
const ownTimeoutMs = 2_000
const firstPauseMs = 100
const longestPauseMs = 2_000

/** What the merchant's function threw: it goes back to him as it is. */
class WorkError extends Error {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    super('The handler failed in its transaction')
    this.thrown = thrown
  }
}

/**
 * Runs the merchant's `work` in the transaction that settles the delivery: both are committed, or neither. Nothing is
 * locked while it runs, so heartbeats go on; whether the lease still holds is seen at the beginning, to spare the
 * work, and decided at the end.
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
  /** Why it cannot be used again; undefined while it can. */
  fault: unknown
  readonly onError: (error: Error) => void
}

/** A transaction that has begun, for a delivery whose lease holds. */
interface Begun {
  readonly connection: Connection
  readonly transactionId: unknown
  /** As whom the session acts. */
  readonly role: unknown
  readonly keys: readonly OrderKey[]
}

/**
 * Begins the transaction. A connection is waited for as long as the attempt lasts: that there is none now, or that it
 * was lost or is not as it was left, says nothing about the delivery.
 */
async function connect({ connections, database, signal }: TransactOptions, held: HeldDelivery): Promise<Begun> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      const connection = connectionOf(await free(connections.pool, signal))
      try {
        await unlessAborted(connection.client.query(database.plain(connections.beginWork, ownTimeoutMs)), signal)
        return {
          connection,
          ...(await unlessAborted(begin(sessionOf(connection, database), held, connections.place), signal))
        }
      } catch (error) {
        connections.noteFault(error)
        giveUp(connections, connection, error)
        throw error
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof RiverhookError) throw error
      if (!isOfDatabase(error) || isPermanent(error)) throw unavailable(error, connections.place)
    }
    await pause(pauseMs, undefined, { signal }).catch(() => undefined)
    signal.throwIfAborted()
  }
}

function sessionOf({ client }: Connection, database: Database): Session {
  return {
    query: async (sql, values = []) =>
      (await client.query<Record<string, unknown>>(database.prepared(sql, values, ownTimeoutMs))).rows
  }
}

async function free(pool: pg.Pool, signal: AbortSignal): Promise<pg.PoolClient> {
  const connecting = pool.connect()
  try {
    return await unlessAborted(connecting, signal)
  } catch (error) {
    // It may come when nobody waits for it any more.
    connecting.then(
      (client) => {
        client.release()
      },
      () => undefined
    )
    throw error
  }
}

function connectionOf(client: pg.PoolClient): Connection {
  const connection: Connection = {
    client,
    fault: undefined,
    onError: (error) => {
      connection.fault = error
    }
  }
  // Without a listener, a connection that is lost meanwhile would end the process.
  client.on('error', connection.onError)
  return connection
}

function giveUp(connections: Connections, { client, onError }: Connection, fault: unknown): void {
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
  const session = sessionOf(connection, database)
  const lent = new LentClient(client)
  try {
    const result = await unlessAborted(called(work, lent.client), signal).catch((error: unknown) => {
      // What is still under way on it ends with it.
      if (signal.aborted) connection.fault ??= signal.reason
      throw error
    })
    lent.revoke()
    // From here on it is ended, one way or the other, in a moment: nothing cuts it off any more.
    await assertSame(session, { transactionId, role }, lent.failure)
    if (keys.length > 0) await run(lockKeys(keys))
    const [settled] = await settleIn(
      session,
      [{ ...held, outcome: { state: 'done' }, endedAt: new Date(times().now) }],
      times()
    )
    if (settled !== 'settled') throw leaseLost()
    await lineUp(session, keys)
    const { command } = await run('COMMIT')
    if (command !== 'COMMIT') throw endedByItself()
    return result
  } catch (error) {
    lent.revoke()
    connections.noteFault(error)
    if (isLost(originOf(error))) connection.fault ??= error
    if (connection.fault === undefined)
      await run('ROLLBACK').catch((cause: unknown) => {
        connection.fault ??= cause
      })
    if (error instanceof WorkError) throw error.thrown
    throw isOfDatabase(error) ? unavailable(error, connections.place) : error
  } finally {
    giveUp(connections, connection, connection.fault)
  }
}

/** What pg threw, if it did: by what we make of it, or by what a handler lets through. */
function originOf(error: unknown): unknown {
  const thrown = error instanceof WorkError ? error.thrown : error
  return thrown instanceof RiverhookError ? thrown.cause : thrown
}

/** A function that is not async, and one that throws before its first await, is like any other. */
async function called<Result>(
  work: (client: pg.PoolClient) => Promise<Result>,
  client: pg.PoolClient
): Promise<Result> {
  try {
    return await work(client)
  } catch (error) {
    throw new WorkError(error)
  }
}

/** Qualified, as all that runs with a merchant's settings: names are looked up in his schemas then. */
const transactionColumn = 'pg_catalog.pg_current_xact_id()::pg_catalog.text AS transaction_id'

async function begin(session: Session, { id, token }: HeldDelivery, place: string): Promise<Omit<Begun, 'connection'>> {
  const [row] = await session
    .query(
      `SELECT ${transactionColumn}, pg_catalog.current_setting('role') AS role, handler, realm, order_key FROM riverhook.delivery
     WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.int8 AND token OPERATOR(pg_catalog.=) $2::pg_catalog.int8 AND state OPERATOR(pg_catalog.=) 'running'`,
      [id, token]
    )
    .catch((error: unknown) => {
      // Another connection would do no better.
      throw isOfDatabase(error) && !isLost(error) ? unavailable(error, place) : error
    })
  if (row === undefined) throw leaseLost()
  return {
    transactionId: row['transaction_id'],
    role: row['role'],
    keys: row['order_key'] === null ? [] : [keyOf(row)]
  }
}

/**
 * A handler that commits or rolls back by itself has broken what it asked for: that must not pass in silence. From
 * here to the end, the settings are ours, and the session acts as whom it did before: a handler may have gone on as a
 * role that cannot write to the inbox.
 */
async function assertSame(
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
      throw refused(
        'The handler discarded what was prepared on the connection (DEALLOCATE ALL or DISCARD ALL), which is not its own',
        error
      )
    throw error
  }
  if (row?.['transaction_id'] !== transactionId) throw endedByItself()
}

function failedStatement(failure: Error | undefined, cause: unknown): RiverhookError {
  const what = failure === undefined ? '' : `: ${failure.message} (${serverCode(failure) ?? 'no code'})`
  return refused(
    `A statement in the transaction failed${what}. The handler went on, but PostgreSQL takes nothing more in such a transaction. Let the error go out of the function, or put a SAVEPOINT before what may fail`,
    failure ?? cause
  )
}

function endedByItself(): RiverhookError {
  return refused(
    'The handler ended the transaction by itself (COMMIT or ROLLBACK): what it wrote and the delivery cannot be settled together. Return from the function instead, or throw'
  )
}

function refused(message: string, cause?: unknown): RiverhookError {
  return new RiverhookError('RIVERHOOK_DELIVER_TRANSACTION', message, { cause })
}

function leaseLost(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_DELIVER_LEASE_LOST',
    'The lease of this delivery was lost: another process may run it now. Nothing was committed'
  )
}

/** @throws the signal's reason, when that was first */
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
