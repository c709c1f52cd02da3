import type { DatabaseSync } from 'node:sqlite'

import { TallyCounts } from '../tally.ts'
import { admitSql } from './admit.ts'
import { adoptSql } from './adopt.ts'
import { alarmsSql } from './alarms.ts'
import { auditSql } from './audit.ts'
import { claimChecksSql } from './claim-checks.ts'
import { claimSql } from './claim.ts'
import { jobsSql } from './jobs.ts'
import { lengthsSql } from './lengths.ts'
import { levelsSql } from './levels.ts'
import { encryptionSql } from './encryption.ts'
import { eraseSql } from './erase.ts'
import { listIndexSql } from './list-index.ts'
import { failedSql } from './failed.ts'
import { type Sql as ListSql, listSql } from './list-statements.ts'
import { mismatchesSql } from './mismatches.ts'
import { orderSql } from './order.ts'
import { pauseSql } from './pause.ts'
import { freeShareSql } from './free-share.ts'
import { probeSql } from './probe.ts'
import { pruneSql } from './prune.ts'
import { defineInTime } from './read-limit.ts'
import { readSql } from './read.ts'
import { recordSql } from './record.ts'
import { replaySql } from './replay.ts'
import { restoreSql } from './restore.ts'
import { searchKeysSql } from './search-keys.ts'
import { settleSql } from './settle.ts'
import { signingSql } from './signing.ts'
import { tallySql, type Counting } from './tally.ts'
import { watermarksSql } from './watermarks.ts'
import { type Prepared, PreparedOnce, prepareOnUse } from './prepared.ts'

// Parameters are plain question marks, because node:sqlite of Node 22 cannot bind numbered ones by position.
export const statements = {
  ...orderSql,
  ...recordSql,
  ...searchKeysSql,
  ...listIndexSql,
  ...claimSql,
  ...claimChecksSql,
  ...settleSql,
  ...adoptSql,
  ...pauseSql,
  ...replaySql,
  ...admitSql,
  ...alarmsSql,
  ...auditSql,
  ...failedSql,
  ...restoreSql,
  ...pruneSql,
  ...eraseSql,
  ...listSql,
  ...jobsSql,
  ...signingSql,
  ...encryptionSql,
  ...readSql,
  ...levelsSql,
  ...lengthsSql,
  ...mismatchesSql,
  ...watermarksSql,
  ...probeSql,
  ...freeShareSql,
  ...tallySql
} as const

/**
 * Prepares each statement for an open file when it is used first: a command, a reader or a test needs few of them. Adds
 * the file itself, the queries that are built from filters, and the counts of a transaction.
 * @param checkTime throws if the time of the current call is over
 */
export function prepareStatements(db: DatabaseSync, checkTime: () => void = () => undefined): Statements {
  defineInTime(db, checkTime)
  const own = { db, counts: new TallyCounts(), claimed: new Map(), built: new PreparedOnce(db) }
  return prepareOnUse(db, own, statements)
}

/** Prepares all of them. @throws errors of SQLite, if the file lacks a table or an index */
export function prepareAll(sql: Statements): void {
  for (const name of Object.keys(statements)) Reflect.get(sql, name)
}

export type Statements = Prepared<typeof statements> & Counting & Pick<ListSql, 'built'> & { readonly db: DatabaseSync }
