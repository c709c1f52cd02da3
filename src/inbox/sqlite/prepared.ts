import type { StatementSync } from 'node:sqlite'

/** The statements of a module, prepared. */
export type Prepared<Sql> = Readonly<Record<keyof Sql, StatementSync>>

/** The condition of a partial index. SQLite uses the index only for statements with the same condition. */
export const claimable = "state IN ('pending', 'running')"

/** True if the handler in this column is paused. */
export const isPausedSql = (handler: string): string => `EXISTS (SELECT 1 FROM pause WHERE pause.handler = ${handler})`
