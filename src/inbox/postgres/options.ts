import type pg from 'pg'

import { RiverhookError } from '../../model/errors.ts'
import {
  isFunction,
  isObject,
  isOneOf,
  isText,
  isWholeNumber,
  longestTimerMs,
  type OptionRules
} from '../../model/option-rules.ts'

export interface PostgresInboxOptions {
  /**
   * `postgres://user:password@host:5432/database`. Missing parts come from the environment variables of libpq
   * (`PGHOST`, `PGPASSWORD` ...).
   */
  readonly connectionString?: string | undefined
  /**
   * Your own pool, instead of `connectionString`. Closing the inbox does not close it. The inbox does not change the
   * settings of its sessions, and handles its 'error' events. Allow at least 10 connections, and at least two for each
   * handler transaction at a time: the inbox keeps one connection to listen, and lets handlers use half of the pool, so
   * that requests and heartbeats need not wait for them. Other code that holds connections for long delays the inbox.
   */
  readonly pool?: pg.Pool | undefined
  /** Default `riverhook`. Several inboxes may live in one database. */
  readonly schema?: string | undefined
  /**
   * The role that owns the schema, such as a role for migrations. Needed only if the owner is not the inbox's role, a
   * role that it is a member of, the owner of the database, or a superuser. Otherwise the inbox rejects such a schema,
   * because its owner can read and change every event.
   */
  readonly owner?: string | undefined
  /**
   * `server` (default) delivers events, and creates the schema at start-up. `command` reads and repairs events beside
   * running servers. It requires the schema to exist.
   */
  readonly role?: 'server' | 'command' | undefined
  /**
   * The maximum number of connections. Default 10. In addition, `context.transaction()` may use as many, lists and
   * counts may use two, and one connection listens.
   */
  readonly maxConnections?: number | undefined
  /**
   * The longest that a list, a count or a detail may take, in milliseconds: see Inbox. Default 2,000. A `command` has
   * 60 seconds for each statement.
   */
  readonly readLimitMs?: number | undefined
  /** For tests: the time in milliseconds since the epoch, for this process and the database. */
  readonly clock?: (() => number) | undefined
  /** For tests: the interval of this process's heartbeats, in milliseconds. Default 15,000. */
  readonly presenceMs?: number | undefined
  /**
   * For tests: the longest that connecting takes, and each statement of a `server`, in milliseconds. Default 2,000,
   * since a request must be answered.
   */
  readonly limitMs?: number | undefined
}

/** The rules of the options. */
export const optionRules: OptionRules<PostgresInboxOptions> = {
  connectionString: isText,
  pool: isObject,
  schema: isText,
  owner: isText,
  role: isOneOf('server', 'command'),
  maxConnections: isWholeNumber(1),
  readLimitMs: isWholeNumber(1, longestTimerMs),
  clock: isFunction,
  presenceMs: isWholeNumber(1, 60_000),
  limitMs: isWholeNumber(1, longestTimerMs)
}

/**
 * Checks the settings of a pool passed by the application.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if the inbox cannot work with them
 */
export function checkPool({ options }: pg.Pool): void {
  const { max, binary = false } = options as pg.PoolOptions & { readonly binary?: boolean }
  if (max < 2)
    throw poolError(`has ${max} connection at most, and the inbox keeps one to listen: set max to at least 10`)
  // pg cannot switch a single query back to text.
  if (binary) throw poolError('has binary: true, but the inbox reads values as text: remove it')
}

function poolError(why: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `postgresInbox: option "pool" ${why}`)
}
