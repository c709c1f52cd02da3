import type { DatabaseSync } from 'node:sqlite'

/*
 * SQLite cannot be interrupted from node:sqlite, and a thread that is terminated still ends its current statement. So
 * statements that may read many rows call a function of ours now and then, which throws if their time is over.
 */

/** A condition that is true for every row. Ends the statement if its time is over: checked for one of 1,024 keys. */
export function inTime(column: string): string {
  return `((${column} & 1023) <> 0 OR in_time())`
}

/**
 * Defines the function that `inTime` calls. Must be called before such a statement is prepared.
 * @param check throws if the time is over
 */
export function defineInTime(db: DatabaseSync, check: () => void): void {
  db.function('in_time', () => {
    check()
    return 1
  })
}
