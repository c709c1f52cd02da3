import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** The statements of a module, prepared. */
export type Prepared<Sql> = Readonly<Record<keyof Sql, StatementSync>>

/** The condition of a partial index. SQLite uses the index only for statements with the same condition. */
export const claimable = "state IN ('pending', 'running')"

/**
 * A limit that is a parameter. With a question mark alone, SQLite would prepare the statement again each time that it
 * gets a value.
 */
export const givenLimit = 'LIMIT ? + 0'

/** True if the handler in this column is paused. */
export const isPausedSql = (handler: string): string => `EXISTS (SELECT 1 FROM pause WHERE pause.handler = ${handler})`

/**
 * Adds the statements to an object. Each is prepared when it is read first.
 * @returns the object
 */
export function prepareOnUse<Own extends object, Sql extends Readonly<Record<string, string>>>(
  db: DatabaseSync,
  own: Own,
  sql: Sql
): Own & Prepared<Sql> {
  for (const [name, text] of Object.entries(sql))
    Object.defineProperty(own, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const value = db.prepare(text)
        Object.defineProperty(own, name, { enumerable: true, value })
        return value
      }
    })
  return own as Own & Prepared<Sql>
}

/** How many statements are kept: a list has a few, and its pages and places differ in their values only. */
const mostStatements = 100

/** Prepares the statements that are built from filters, and keeps the last ones. */
export class PreparedOnce {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  get(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    // The one that was used last is at the end.
    this.#statements.delete(sql)
    this.#statements.set(sql, statement)
    const [oldest] = this.#statements.keys()
    if (this.#statements.size > mostStatements && oldest !== undefined) this.#statements.delete(oldest)
    return statement
  }
}
