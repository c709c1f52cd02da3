import type { StatementSync } from 'node:sqlite'

/** The statements of a module, prepared. */
export type Prepared<Sql> = Readonly<Record<keyof Sql, StatementSync>>

/** Unsettled and claimable. Written the same everywhere: a partial index is used only where its condition recurs. */
export const claimable = "state IN ('pending', 'running')"
