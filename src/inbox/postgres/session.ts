/**
 * Settings that our statements rely on. The database, the role, a merchant's pool or a handler may have set others. So
 * our sessions keep these for their life, and our transactions on other sessions until they end.
 *
 * Left as they are: `default_transaction_read_only`, which is how an operator stops writing before a switch to
 * another server; `role`, which a DBA may give to a login; and what only changes how fast the server works or what it
 * logs.
 */

type Setting = readonly [name: string, value: string]

/** A process that is frozen, or cut off, in a transaction keeps its locks no longer than this: about a lease. */
const idleInTransactionMs = 10_000

/** They apply to handlers' transactions too. */
const liveness: readonly Setting[] = [
  ['idle_in_transaction_session_timeout', String(idleInTransactionMs)],
  // The server notices dead connections in seconds, where it can: elsewhere these do nothing.
  ['tcp_keepalives_idle', '5'],
  ['tcp_keepalives_interval', '2'],
  ['tcp_keepalives_count', '3'],
  ['tcp_user_timeout', '10000']
]

const settings: readonly Setting[] = [
  ...liveness,
  // Names are looked up in these schemas alone: a function or an operator that somebody made in `public` would run
  // with our rights. `pg_temp` is last only where it is named; else a temporary type comes before PostgreSQL's own.
  ['search_path', 'pg_catalog, pg_temp'],
  // How values travel.
  ['client_encoding', 'UTF8'],
  ['datestyle', 'ISO, YMD'],
  ['intervalstyle', 'postgres'],
  ['timezone', 'UTC'],
  ['bytea_output', 'hex'],
  ['extra_float_digits', '1'],
  ['array_nulls', 'on'],
  ['standard_conforming_strings', 'on'],
  ['transform_null_equals', 'off'],
  // A policy that hides rows from us fails the statement. An event that is hidden would be recorded, and handled,
  // twice.
  ['row_security', 'off'],
  // A statement that waits is ended by `statement_timeout`, which is set with these.
  ['lock_timeout', '0'],
  ['default_transaction_isolation', 'read committed'],
  ['default_transaction_deferrable', 'off'],
  ['client_min_messages', 'warning'],
  // Every statement of ours has its index. On tables that were empty a moment ago, the planner would read them from
  // end to end, and keep to that plan until they are analysed: recording was half as fast.
  ['enable_seqscan', 'off'],
  ['enable_indexscan', 'on'],
  ['enable_indexonlyscan', 'on'],
  ['enable_bitmapscan', 'on'],
  ['enable_nestloop', 'on'],
  ['plan_cache_mode', 'auto'],
  // The price of a forbidden scan would make every small plan look worth compiling.
  ['jit', 'off']
]

/** Unknown to older servers. */
const newerSettings: readonly Setting[] = [
  ['idle_session_timeout', '0'],
  ['transaction_timeout', '0']
]

export interface SettingsOptions {
  readonly statementTimeoutMs: number
  /** Until the transaction ends; else for the session. */
  readonly isLocal: boolean
}

/**
 * The expression that applies all settings. Every name in it is qualified: it runs while the `search_path` is still
 * that of others. Of type integer.
 */
export function settingsSql({ statementTimeoutMs, isLocal }: SettingsOptions): string {
  const set = (name: string, value: string): string => `pg_catalog.set_config('${name}', ${value}, ${isLocal})`
  const all: readonly Setting[] = [['statement_timeout', String(statementTimeoutMs)], ...settings]
  return `pg_catalog.num_nulls(${[
    ...all.map(([name, value]) => set(name, `'${value}'`)),
    ...newerSettings.map(
      ([name, value]) => `CASE WHEN ${settingOf(name)} IS NOT NULL THEN ${set(name, `'${value}'`)} END`
    ),
    // On disk before it is answered. A level that asks for more stays.
    `CASE WHEN ${settingOf('synchronous_commit')} OPERATOR(pg_catalog.=) 'off' THEN ${set('synchronous_commit', "'on'")} END`
  ].join(', ')})`
}

function settingOf(name: string): string {
  return `pg_catalog.current_setting('${name}', true)`
}

/** Statements that apply what also holds for handlers' transactions, until the transaction ends. */
export const livenessSql = liveness.map(([name, value]) => `SET LOCAL ${name} = '${value}';`).join(' ')

/**
 * The order of a key relies on the isolation: a statement must see what was committed while it waited for the key's
 * lock. Said with BEGIN, as nothing may come before that takes a snapshot.
 */
export const beginSql = 'BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE;'

/** Resets what a handler may have left in the session. */
export const renewSql = [
  'CLOSE ALL',
  'SET SESSION AUTHORIZATION DEFAULT',
  'RESET ROLE',
  'RESET ALL',
  'UNLISTEN *',
  'DISCARD TEMP',
  'SELECT pg_catalog.pg_advisory_unlock_all()'
]
  .map((sql) => `${sql};`)
  .join(' ')
