/**
 * Settings that our statements rely on. The database, the role, the application's pool or a handler may have set other
 * values. Our own sessions keep these settings permanently; on other sessions, our transactions set them until they
 * end.
 *
 * Not changed: `default_transaction_read_only`, which operators use to stop writes before a failover; `role`, which a
 * DBA may assign to a login; and settings that only affect speed or logging.
 */

type Setting = readonly [name: string, value: string]

/** The longest time that a frozen or disconnected process keeps its locks in a transaction: about a lease. */
const idleInTransactionMs = 10_000

/** These apply to handlers' transactions too. */
const liveness: readonly Setting[] = [
  ['idle_in_transaction_session_timeout', String(idleInTransactionMs)],
  // The server notices dead connections within seconds. Ignored on platforms without these options.
  ['tcp_keepalives_idle', '5'],
  ['tcp_keepalives_interval', '2'],
  ['tcp_keepalives_count', '3'],
  ['tcp_user_timeout', '10000']
]

const settings: readonly Setting[] = [
  ...liveness,
  // Resolve names only in these schemas: a function or an operator created in `public` by another role would run with
  // our rights. `pg_temp` is searched last only if it is listed; otherwise a temporary type would come first.
  ['search_path', 'pg_catalog, pg_temp'],
  // The format of values.
  ['client_encoding', 'UTF8'],
  ['datestyle', 'ISO, YMD'],
  ['intervalstyle', 'postgres'],
  ['timezone', 'UTC'],
  ['bytea_output', 'hex'],
  ['extra_float_digits', '1'],
  ['array_nulls', 'on'],
  ['standard_conforming_strings', 'on'],
  ['transform_null_equals', 'off'],
  // Fail if a row security policy would hide rows: a hidden event would be recorded and handled twice.
  ['row_security', 'off'],
  // `statement_timeout`, which is set together with these, ends statements that wait for a lock.
  ['lock_timeout', '0'],
  ['default_transaction_isolation', 'read committed'],
  ['default_transaction_deferrable', 'off'],
  ['client_min_messages', 'warning'],
  // Each of our statements has an index. On tables that were empty until recently, the planner would choose sequential
  // scans, and keep that plan until the tables are analysed: recording was half as fast.
  ['enable_seqscan', 'off'],
  ['enable_indexscan', 'on'],
  ['enable_indexonlyscan', 'on'],
  // An index has the rows in their order, so all statements lock them in the same order. A bitmap has another one.
  ['enable_bitmapscan', 'off'],
  ['enable_nestloop', 'on'],
  // Planning the statement of `record()` takes twice as long as running it, and `auto` may plan it again at each call.
  ['plan_cache_mode', 'force_generic_plan'],
  // The cost penalty of a disabled scan would make every small plan seem worth compiling.
  ['jit', 'off']
]

/** Older servers do not have these. */
const newerSettings: readonly Setting[] = [
  ['idle_session_timeout', '0'],
  ['transaction_timeout', '0']
]

export interface SettingsOptions {
  readonly statementTimeoutMs: number
  /** True applies the settings until the transaction ends; false for the whole session. */
  readonly isLocal: boolean
}

/**
 * An integer expression that applies all settings. Every name in it is qualified, because it runs before `search_path`
 * is set.
 */
export function settingsSql({ statementTimeoutMs, isLocal }: SettingsOptions): string {
  const set = (name: string, value: string): string => `pg_catalog.set_config('${name}', ${value}, ${isLocal})`
  const all: readonly Setting[] = [['statement_timeout', String(statementTimeoutMs)], ...settings]
  return `pg_catalog.num_nulls(${[
    ...all.map(([name, value]) => set(name, `'${value}'`)),
    ...newerSettings.map(
      ([name, value]) => `CASE WHEN ${currentSetting(name)} IS NOT NULL THEN ${set(name, `'${value}'`)} END`
    ),
    // Commits must be on disk before they are answered. Keep stricter levels.
    `CASE WHEN ${currentSetting('synchronous_commit')} OPERATOR(pg_catalog.=) 'off' THEN ${set('synchronous_commit', "'on'")} END`
  ].join(', ')})`
}

function currentSetting(name: string): string {
  return `pg_catalog.current_setting('${name}', true)`
}

/** Statements that apply the `liveness` settings until the transaction ends. */
export const livenessSql = liveness.map(([name, value]) => `SET LOCAL ${name} = '${value}';`).join(' ')

/**
 * Order keys rely on READ COMMITTED: a statement must see what was committed while it waited for the key's lock. The
 * level is set with BEGIN, before any statement takes a snapshot.
 */
export const beginSql = 'BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE;'

/** All statements of a read see the same rows: a purge between two of them changes nothing. */
export const beginReadSql = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE;'

/** For statements over very many rows: a plan for the given values is worth its time. */
export const plannedByCost = 'SET LOCAL plan_cache_mode = auto; SET LOCAL enable_bitmapscan = on;'

/** Resets what a handler may have left in the session. */
export const resetSql = [
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
